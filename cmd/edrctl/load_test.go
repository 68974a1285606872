package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/provision/provisiontest"
	"edrctl/internal/transport"
)

// load is how many changes each tenant gets, ten thousand in all. Cortex gets
// fewer: whatever is done to one person there reads everybody twice.
func load() map[string]int {
	return map[string]int{"crowdstrike": 5200, "cybereason": 3000, "carbonblack": 1600, "cortex": 200}
}

// tally counts what arrived at a console.
type tally struct {
	requests, changes, faults int
	// lost are the changes whose answer did not say what had become of them, and
	// look is how many requests it takes to read one person.
	lost, look int
}

// trouble disturbs every tenth request in a way that chance chooses.
type trouble struct {
	console
	api mock.API

	mu     sync.Mutex
	chance *rand.Rand // nil for no trouble
	tally
	// made are the logins whose creation was carried out, and again how often
	// one of them was asked for after that.
	made  map[string]bool
	again int
}

func (d *trouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	change := d.api.Change(r)
	login := d.created(r, body)
	kind, wait := d.choose(change, login)
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
	if login != "" && rec.Code < 300 {
		d.mu.Lock()
		d.made[login] = true
		d.mu.Unlock()
	}
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
		_, _ = io.WriteString(conn, "HTTP/1.1 20")
		_ = conn.Close()
		return
	case "page":
		rec = httptest.NewRecorder()
		_, _ = io.WriteString(rec, "<html><title>Sign in to the network</title></html>")
	}
	maps.Copy(w.Header(), rec.Header())
	text := rec.Body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(rec.Code)
	if kind == "truncated" && len(text) > 1 {
		_, _ = w.Write(text[:len(text)/2])
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(text)
}

func (d *trouble) choose(change bool, login string) (kind string, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests++
	if change {
		d.changes++
	}
	if d.made[login] {
		d.again++
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

// created is the login that a request asks to make an account for, empty for
// other requests.
func (d *trouble) created(r *http.Request, body []byte) string {
	if r.Method != http.MethodPost || r.URL.Path != d.creates {
		return ""
	}
	return string(regexp.MustCompile(`person\d+@example\.com`).Find(body))
}

// set begins to count, and to disturb with a seed that is not 0.
func (d *trouble) set(seed uint64) tally {
	d.mu.Lock()
	defer d.mu.Unlock()
	got := d.tally
	d.tally, d.chance = tally{}, nil
	if seed != 0 {
		d.chance = rand.New(rand.NewPCG(seed, 0))
	}
	return got
}

// serve is a tenant on the fake, with nothing but the network between them.
func (d *trouble) serve(t *testing.T) (target plan.Target, end func()) {
	t.Helper()
	ln := provisiontest.NewPipes()
	server := &http.Server{Handler: d, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(ln) }()
	base := transport.Base(transport.BaseOptions{})
	base.DialContext = func(context.Context, string, string) (net.Conn, error) { return ln.Dial() }
	cfg := d.tenant(d.api.Settings("http://127.0.0.1:80"), base)
	cfg.Timeout, cfg.MaxWait = 30*time.Second, 2*time.Minute
	p, err := d.vendor.New(t.Context(), cfg)
	require.NoError(t, err)
	return plan.Target{Tenant: d.vendor.Name, Vendor: &d.vendor, Provisioner: p}, func() {
		base.CloseIdleConnections()
		assert.NoError(t, server.Close())
	}
}

// workload is what a tenant is asked for: people are made, get another role and
// go. Those who get another role or go are there before.
func (d *trouble) workload(t *testing.T, n int, apply func([]plan.Change)) (changes []plan.Change) {
	t.Helper()
	var before []plan.Change
	for i := range n {
		login := fmt.Sprintf("person%04d@example.com", i)
		c := plan.Change{Tenant: d.vendor.Name, Action: plan.CreateUser, Login: login, Spec: d.spec(login)}
		c.Spec.Roles, c.Spec.FirstName, c.Spec.LastName = []string{provision.RawRolePrefix + d.role}, "", ""
		if !d.vendor.Can(provision.CanCreateUser) {
			require.NoError(t, d.api.Activate(login)) // listed, and without a role
		}
		switch i % 5 {
		case 1:
			before = append(before, c)
			c = plan.Change{Tenant: c.Tenant, Login: login, Action: plan.DeleteUser}
		case 2:
			before = append(before, c)
			c = plan.Change{
				Tenant: c.Tenant, Login: login, Action: plan.SetRoles,
				Roles: provision.RoleChange{Grant: []string{provision.RawRolePrefix + d.other}, Exact: true},
			}
		}
		changes = append(changes, c)
	}
	apply(before)
	d.takeUp(t, before)
	return changes
}

// takeUp takes up the invitations of people, where the vendor sends any: those
// are listed from then on.
func (d *trouble) takeUp(t *testing.T, changes []plan.Change) {
	t.Helper()
	if !d.vendor.Can(provision.CanCreateUser) || d.vendor.ListsPending {
		return
	}
	for _, c := range changes {
		if c.Action == plan.CreateUser {
			require.NoError(t, d.api.Activate(c.Login))
		}
	}
}

// done is how a change that is carried out is reported.
func (c console) done(a plan.Action) plan.Outcome {
	switch {
	case a == plan.SetRoles:
		return plan.Updated
	case a == plan.DeleteUser && c.vendor.Capability(provision.CanDeleteUser).Level == provision.Emulated:
		return plan.Revoked
	case a == plan.DeleteUser:
		return plan.Deleted
	case !c.vendor.Can(provision.CanCreateUser):
		return plan.Granted
	case !c.vendor.ListsPending:
		return plan.Invited
	}
	return plan.Created
}

// TestLoad makes ten thousand changes in four tenants while every tenth request
// goes wrong in a way that chance chooses. Everything that is reported must be
// so, everything must get done, and all that may cost no more requests than it
// must: a tenth more than without trouble, the budget for repetitions, and one
// look at whatever was lost.
func TestLoad(t *testing.T) {
	for _, c := range consoles() {
		t.Run(c.vendor.Name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			// Without trouble, ten times the changes take ten times the requests.
			n, some := load()[c.vendor.Name], underLoad(t, c, load()[c.vendor.Name]/10, 0)
			changes, requests := 10*some.changes, 10*some.requests
			got := underLoad(t, c, n, seed)
			t.Logf("seed %d: %d changes take %d changing requests of %d; got %+v", seed, n, changes, requests, got)
			const free = 20
			assert.LessOrEqual(t, got.changes, changes*11/10+free, "changes that were sent")
			assert.LessOrEqual(t, got.requests, requests*11/10+free+requests/10+got.look*got.lost, "requests")
		})
	}
}

// underLoad carries n changes out, disturbed unless the seed is 0, and returns what that took.
func underLoad(t *testing.T, c console, n int, seed uint64) (sum tally) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &trouble{console: c, api: c.maker.New(mock.Env{Now: time.Now, Plain: true}), made: map[string]bool{}}
		target, end := d.serve(t)
		defer end()
		apply := func(changes []plan.Change) []plan.Result {
			results, err := plan.Apply(t.Context(), []plan.Target{target}, changes, plan.Options{Guards: plan.Guards{MaxDeletes: -1}})
			require.NoError(t, err)
			return results
		}
		changes := d.workload(t, n, func(changes []plan.Change) {
			for _, r := range apply(changes) {
				require.NoError(t, r.Err)
			}
		})
		d.set(seed)
		results := apply(changes)
		time.Sleep(2 * time.Minute) // until the slow ones have been carried out
		sum = d.set(0)
		_, err := target.Provisioner.User(t.Context(), d.listed)
		require.NoError(t, err)
		sum.look = d.set(0).requests
		assert.Zero(t, d.again, "creates of people who were there already")

		// A create that gets lost twice is not tried a third time, and a read that
		// fails three times not a fourth. Both say so, and a second run does it. An
		// invitation that got lost is in no list: the second run meets it.
		var left []plan.Change
		invitations := 0
		for i, r := range results {
			if r.Outcome == plan.Unknown || r.Outcome == plan.Failed && provision.Retryable(r.Err) {
				changes[i].IfNotExists, changes[i].IfExists = true, true
				left = append(left, changes[i])
				if r.Action == plan.CreateUser && !d.vendor.ListsPending {
					invitations++
				}
				continue
			}
			require.NoError(t, r.Err, "%s %s %s", r.Login, r.Action, r.Outcome)
			require.Equal(t, d.done(r.Action), r.Outcome, r.Login)
		}
		assert.LessOrEqual(t, len(left)-invitations, 10, "changes that are not known to be done")
		assert.LessOrEqual(t, invitations, sum.lost, "invitations that are not known to be sent")
		for _, r := range apply(left) {
			require.NoError(t, r.Err, r.Login)
		}
		d.takeUp(t, changes)
		want := map[string][]string{}
		for _, c := range changes {
			switch c.Action {
			case plan.CreateUser:
				want[c.Login] = []string{d.role}
			case plan.SetRoles:
				want[c.Login] = []string{d.other}
			}
		}
		got := map[string][]string{}
		for u, err := range target.Provisioner.Users(t.Context(), provision.Filter{}) {
			require.NoError(t, err)
			if strings.HasPrefix(u.Login, "person") && len(u.DirectRoles()) > 0 {
				assert.NotContains(t, got, u.Login, "twice")
				got[u.Login] = u.DirectRoles()
			}
		}
		assert.Equal(t, want, got, "people and their roles")
	})
	return sum
}
