package crowdstrike_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	fake "edrctl/internal/mock/crowdstrike"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// trouble disturbs every tenth request in a way that chance chooses.
type trouble struct {
	api mock.API

	mu     sync.Mutex
	chance *rand.Rand // nil for no trouble
	tally
	// creates are the logins whose creation was carried out, and again how
	// often one of them was asked for after that.
	creates map[string]bool
	again   int
}

func (d *trouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	change := d.api.Change(r)
	created := d.arrived(r, body)
	kind, wait := d.choose(change)
	switch kind {
	case "cut before":
		panic(http.ErrAbortHandler)
	case "429":
		d.api.Fail(w, r, http.StatusTooManyRequests, time.Second)
		return
	case "500":
		d.api.Fail(w, r, http.StatusInternalServerError, 0)
		return
	case "slow":
		time.Sleep(wait) // and carried out afterwards, whoever has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	d.api.ServeHTTP(rec, r)
	created(rec.Code)
	switch kind {
	case "cut after":
		panic(http.ErrAbortHandler)
	case "500 after":
		rec = httptest.NewRecorder()
		d.api.Fail(rec, r, http.StatusInternalServerError, 0)
	case "cut in the header":
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 201 Cre")
		_ = conn.Close()
		return
	case "page":
		rec = httptest.NewRecorder()
		_, _ = io.WriteString(rec, "<html><title>Sign in to the network</title></html>")
	}
	maps.Copy(w.Header(), rec.Header())
	text := rec.Body.Bytes()
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	w.WriteHeader(rec.Code)
	if kind == "truncated" && len(text) > 1 {
		_, _ = w.Write(text[:len(text)/2])
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(text)
}

func (d *trouble) choose(change bool) (kind string, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests++
	if change {
		d.changes++
	}
	if d.chance == nil || d.requests%10 != 0 {
		return "", 0
	}
	d.faults++
	kinds := []string{"cut before", "cut after", "cut in the header", "truncated", "429", "500", "500 after", "page", "slow"}
	kind = kinds[d.chance.IntN(len(kinds))]
	if change && kind != "429" {
		d.lost++
	}
	// Never at the very moment of a look, so that it is clear what that shows.
	return kind, time.Duration(d.chance.IntN(60))*time.Second + 500*time.Millisecond
}

// arrived counts the creates of people who are there already. What it returns
// is told how the request was answered.
func (d *trouble) arrived(r *http.Request, body []byte) func(status int) {
	if r.Method != http.MethodPost || r.URL.Path != "/user-management/entities/users/v1" {
		return func(int) {}
	}
	var asked struct{ UID string }
	_ = json.Unmarshal(body, &asked)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.creates[asked.UID] {
		d.again++
	}
	return func(status int) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.creates[asked.UID] = d.creates[asked.UID] || status == http.StatusCreated
	}
}

// pipes is a listener without a network.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) dial() (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.done)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// tally counts what arrived at the console.
type tally struct {
	requests, changes, faults int
	// lost are the changes whose answer did not say what had become of them.
	lost int
}

// workload is two thousand changes, in which people are made, get another role
// and go, and those that must be made before.
func workload() (before, changes []plan.Change) {
	for i := range 2000 {
		c := plan.Change{
			Tenant: "falcon", Action: plan.CreateUser, Login: fmt.Sprintf("person%04d@example.com", i),
			Spec: provision.UserSpec{Roles: []string{"id:event_viewer"}},
		}
		switch i % 5 {
		case 1:
			before = append(before, c)
			c = plan.Change{Tenant: c.Tenant, Login: c.Login, Action: plan.DeleteUser}
		case 2:
			before = append(before, c)
			c = plan.Change{
				Tenant: c.Tenant, Login: c.Login, Action: plan.SetRoles,
				Roles: provision.RoleChange{Grant: []string{"id:help_desk"}, Exact: true},
			}
		}
		changes = append(changes, c)
	}
	return before, changes
}

// TestLoad makes two thousand changes while every tenth request goes wrong in a
// way that chance chooses. Everything that is reported must be so, everything
// must get done, and all that may cost no more requests than it must. A seed
// that fails can be put into the list.
func TestLoad(t *testing.T) {
	ideal := underLoad(t, 0)
	for _, seed := range []uint64{1, uint64(time.Now().UnixNano())} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			got := underLoad(t, seed)
			t.Logf("seed %d: ideal %+v, got %+v", seed, ideal, got)
			const free = 20
			assert.LessOrEqual(t, got.changes, ideal.changes*11/10+free, "changes that were sent")
			// Whatever was lost is read back, which takes up to four requests.
			assert.LessOrEqual(t, got.requests, ideal.requests*11/10+free+ideal.requests/10+4*got.lost, "requests")
		})
	}
}

// underLoad carries the workload out and returns what that took.
func underLoad(t *testing.T, seed uint64) (sum tally) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &trouble{api: fake.Maker().New(mock.Env{Now: time.Now, Plain: true}), creates: map[string]bool{}}
		ln := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: d, ErrorLog: log.New(io.Discard, "", 0)}
		go func() { _ = server.Serve(ln) }()
		defer func() { assert.NoError(t, server.Close()) }()
		target, hangUp := (&wire{api: d.api}).adapter(t, ln.dial)
		defer hangUp()
		apply := func(changes []plan.Change) []plan.Result {
			results, err := plan.Apply(t.Context(), []plan.Target{target}, changes, plan.Options{Guards: plan.Guards{MaxDeletes: -1}})
			require.NoError(t, err)
			return results
		}
		before, changes := workload()
		for _, r := range apply(before) {
			require.NoError(t, r.Err)
		}
		d.mu.Lock()
		d.tally = tally{}
		if seed != 0 {
			d.chance = rand.New(rand.NewPCG(seed, 0))
		}
		d.mu.Unlock()

		results := apply(changes)
		time.Sleep(2 * time.Minute) // until the slow ones have been carried out
		sum = d.tally
		d.chance = nil
		assert.Zero(t, d.again, "creates of people who were there already")

		// A create that gets lost twice is not tried a third time, and a read that
		// fails three times not a fourth. Both say so, and a second run does it.
		var left []plan.Change
		for i, r := range results {
			if r.Outcome == plan.Unknown || r.Outcome == plan.Failed && provision.Retryable(r.Err) {
				t.Logf("%s: %v", r.Login, r.Err)
				changes[i].IfNotExists, changes[i].IfExists = true, true
				left = append(left, changes[i])
				continue
			}
			require.NoError(t, r.Err, "%s %s %s", r.Login, r.Action, r.Outcome)
			want := map[plan.Action]plan.Outcome{
				plan.CreateUser: plan.Created, plan.DeleteUser: plan.Deleted, plan.SetRoles: plan.Updated,
			}[r.Action]
			require.Equal(t, want, r.Outcome, r.Login)
		}
		assert.LessOrEqual(t, len(left), 10, "changes that are not known to be done")
		for _, r := range apply(left) {
			require.NoError(t, r.Err, r.Login)
		}
		want := map[string][]string{}
		for _, c := range changes {
			switch c.Action {
			case plan.CreateUser:
				want[c.Login] = []string{"event_viewer"}
			case plan.SetRoles:
				want[c.Login] = []string{"help_desk"}
			}
		}
		got := map[string][]string{}
		for u, err := range target.Provisioner.Users(t.Context(), provision.Filter{}) {
			require.NoError(t, err)
			if strings.HasPrefix(u.Login, "person") {
				assert.NotContains(t, got, u.Login, "twice")
				got[u.Login] = u.DirectRoles()
			}
		}
		assert.Equal(t, want, got, "people and their roles")
	})
	return sum
}
