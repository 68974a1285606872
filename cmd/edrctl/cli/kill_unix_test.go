//go:build unix

package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/audit"
	"edrctl/internal/mock"
)

// trap sends a signal to a program when its k-th request has reached the fakes, whichever
// of them, before that is carried out or after.
type trap struct {
	mu     sync.Mutex
	count  int
	at     int // 0 for never
	after  bool
	victim *exec.Cmd
	born   chan struct{} // closed when the victim can be signalled
	signal os.Signal
	gone   chan struct{} // closed when the victim has ended
	done   []string      // the changes that were carried out
}

// run runs the victim. Its first requests may come before this process has heard
// that it was started.
func (t *trap) run() error {
	err := t.victim.Start()
	close(t.born)
	if err != nil {
		return err
	}
	return t.victim.Wait()
}

// trapped is a fake that the trap watches.
type trapped struct {
	mock.API
	trap *trap
}

func (f trapped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.trap.mu.Lock()
	f.trap.count++
	hit := f.trap.at > 0 && f.trap.count == f.trap.at
	f.trap.mu.Unlock()
	if !hit {
		f.serve(w, r)
		return
	}
	<-f.trap.born
	if f.trap.signal != os.Kill {
		_ = f.trap.victim.Process.Signal(f.trap.signal)
		time.Sleep(50 * time.Millisecond) // until it has been heard
		f.serve(w, r)
		return
	}
	if f.trap.after {
		f.serve(w, r)
	} else {
		w.WriteHeader(http.StatusServiceUnavailable) // for the log; nobody reads it
	}
	_ = f.trap.victim.Process.Kill()
	<-f.trap.gone
}

// serve notes which changes the fake carried out. The log's status does not tell:
// Cybereason refuses with 200 and a word.
func (f trapped) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	write := f.Change(r)
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	f.API.ServeHTTP(rec, r)
	word, inWords := strings.CutPrefix(strings.TrimSpace(rec.Body.String()), `"`)
	if write && rec.Code < 300 && (!inWords || word == `success"`) {
		f.trap.mu.Lock()
		f.trap.done = append(f.trap.done, strings.Join([]string{r.Method, r.URL.Path, string(body)}, " "))
		f.trap.mu.Unlock()
	}
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

// killScene is a roster of several people for each of the four vendors, and the
// fakes that it is applied to.
type killScene struct {
	scene
	trap   *trap
	roster string
}

// openKillScene starts the fakes and writes the roster: for each vendor people
// to make, to give another role and, where that is possible, to remove.
func openKillScene(t *testing.T) *killScene {
	t.Helper()
	consoles := []vendorConsole{falcon(), carbonBlack(), cortexPlatform(), cybereasonConsole()}
	s := &killScene{scene: scene{t: t, consoles: consoles, dir: t.TempDir()}, trap: &trap{born: make(chan struct{})}}
	options := mock.Options{Plain: true}
	for _, m := range mocks() {
		made := m.New
		m.New = func(e mock.Env) mock.API { return trapped{made(e), s.trap} }
		options.Makers = append(options.Makers, m)
	}
	servers, err := mock.Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, servers.Close()) })
	s.servers = servers
	var rows strings.Builder
	rows.WriteString("login,roles,tenants,state,password\n")
	for _, c := range consoles {
		c.prepare(t, s.server(c))
		for _, login := range s.people(c) {
			password := ""
			if c.vendor == "cybereason" {
				password = "env:FIRST_PASSWORD"
			}
			fmt.Fprintf(&rows, "%s,%s,%s,present,%s\n", login, c.words["other"], c.vendor, password)
		}
		fmt.Fprintf(&rows, "%s,,%s,absent,\n", personEve, c.vendor)
	}
	s.roster = filepath.Join(s.dir, "team.csv")
	require.NoError(t, os.WriteFile(s.roster, []byte(rows.String()), 0o600))
	require.NoError(t, writeMockConfig(servers, s.config()))
	s.env = Env{Now: time.Now, Vendors: vendors(), Mocks: mocks(), Looks: []time.Duration{0, 0, 0}}
	return s
}

// people are those of the roster who shall have a role: some who are there and,
// where accounts can be made, some who are not.
func (s *killScene) people(c vendorConsole) []string {
	if c.vendor == "cortex" {
		return []string{personAda, personBen, "Bo.Lindqvist@northwind.example", "cy.okafor@example.com", "ada.quist@northwind.example"}
	}
	list := []string{personAda, personBen}
	for i := range 4 {
		list = append(list, fmt.Sprintf("person%d@example.com", i))
	}
	return list
}

// start starts edrctl as a process of its own.
func (s *killScene) start(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "edrctl", args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "EDRCTL_CONFIG=" + s.config(),
		"XDG_CACHE_HOME=" + s.dir, "XDG_STATE_HOME=" + s.dir, "FIRST_PASSWORD=" + firstPassword,
	}
	return cmd
}

// held is what all the people of the roster have, and how many there are in all.
func (s *killScene) held() map[string]any {
	all := map[string]any{}
	for _, c := range s.consoles {
		state := stateOf(s.t, s.server(c))
		for _, login := range append(s.people(c), personEve) {
			all[c.vendor+" "+login] = c.account(state, login)
		}
		all[c.vendor] = []int{len(objects(state["users"])), len(objects(state["pending"]))}
	}
	return all
}

// madeTwice are the requests for an account that were carried out twice.
func (s *killScene) madeTwice() []string {
	s.trap.mu.Lock()
	defer s.trap.mu.Unlock()
	var twice []string
	for _, c := range s.consoles {
		method, path, creates := strings.Cut(c.routes["create"], " ")
		made := map[string]bool{}
		for _, request := range s.trap.done {
			if !creates || !strings.HasPrefix(request, method+" ") || !strings.Contains(request, path) {
				continue
			}
			if made[request] {
				twice = append(twice, request)
			}
			made[request] = true
		}
	}
	return twice
}

// TestKill kills edrctl at every request of an apply, before the request is
// carried out and after, and runs the same command again. Whoever was changed by
// then is on record. The end is that of a run that nobody disturbs: everybody has
// what the roster says, nobody is there twice, and the record is whole.
func TestKill(t *testing.T) {
	t.Parallel()
	whole := openKillScene(t)
	before := whole.held()
	out, err := whole.start(t.Context(), "apply", "-f", whole.roster, "--yes").CombinedOutput()
	require.NoError(t, err, string(out))
	want, requests := whole.held(), whole.trap.count
	require.NotEqual(t, want, before)
	t.Logf("%d requests", requests)

	type moment struct {
		at    int
		after bool
	}
	moments := make(chan moment)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for m := range moments {
				t.Run(fmt.Sprintf("request %d, carried out %t", m.at, m.after), func(t *testing.T) {
					killAt(t, m.at, m.after, before, want)
				})
			}
		})
	}
	for at := 1; at <= requests; at++ {
		moments <- moment{at, false}
		moments <- moment{at, true}
	}
	close(moments)
	workers.Wait()
}

func killAt(t *testing.T, at int, after bool, before, want map[string]any) {
	s := openKillScene(t)
	s.trap.at, s.trap.after, s.trap.signal, s.trap.gone = at, after, os.Kill, make(chan struct{})
	s.trap.victim = s.start(t.Context(), "apply", "-f", s.roster, "--yes")
	err := s.trap.run()
	close(s.trap.gone)
	if err == nil {
		assert.Less(t, s.trap.count, at, "it is killed, unless it needs fewer requests this time")
	}
	recorded := s.recorded(t)
	for who, has := range s.held() {
		if strings.Contains(who, " ") && !assert.ObjectsAreEqual(before[who], has) {
			assert.Contains(t, recorded, who, "of those who were changed")
		}
	}
	r := s.run("apply -f " + s.roster + " --yes")
	assert.Zero(t, r.status, r.String())
	assert.Equal(t, want, s.held())
	assert.Empty(t, s.madeTwice())
	out, err := s.start(t.Context(), "audit", "verify").CombinedOutput()
	require.NoError(t, err, string(out))
	r = s.run("plan --exit-code -f " + s.roster)
	assert.Zero(t, r.status, r.String())
	ended := slices.DeleteFunc(s.run("audit list").items, func(item object) bool { return item["outcome"] == "unknown" })
	assert.NotEmpty(t, ended)
}

// recorded are the tenants and logins of the record.
func (s *killScene) recorded(t *testing.T) []string {
	t.Helper()
	var who []string
	require.NoError(t, audit.Read(filepath.Join(s.dir, "edrctl", "audit.jsonl"), func(e audit.Entry) error {
		who = append(who, e.Tenant+" "+e.Login)
		return nil
	}))
	return who
}

// TestTwoAtOnce has two processes apply one roster, with one record. Whoever
// comes second finds it done: both end well, nobody is there twice, and the
// record has the lines of both.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	alone := openKillScene(t)
	out, err := alone.start(t.Context(), "apply", "-f", alone.roster, "--yes").CombinedOutput()
	require.NoError(t, err, string(out))

	s := openKillScene(t)
	var processes sync.WaitGroup
	for range 2 {
		processes.Go(func() {
			out, err := s.start(t.Context(), "apply", "-f", s.roster, "--yes").CombinedOutput()
			assert.NoError(t, err, string(out))
		})
	}
	processes.Wait()
	assert.Equal(t, alone.held(), s.held())
	r := s.run("plan --exit-code -f " + s.roster)
	assert.Zero(t, r.status, r.String())
	out, err = s.start(t.Context(), "audit", "verify").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "chain is intact")
}

// TestTerminated asks edrctl to stop at every seventh request of an apply. What
// is in flight finishes, the rest is shown as skipped, everything that was begun
// has its end on record, and the same command does the rest.
func TestTerminated(t *testing.T) {
	t.Parallel()
	for at := 1; at < 50; at += 7 {
		t.Run(fmt.Sprintf("request %d", at), func(t *testing.T) {
			t.Parallel()
			s := openKillScene(t)
			s.trap.at, s.trap.signal = at, syscall.SIGTERM
			cmd := s.start(t.Context(), "--parallel", "1", "apply", "-f", s.roster, "--yes")
			s.trap.victim = cmd
			var out, errs strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &errs
			began := time.Now()
			_ = s.trap.run()
			assert.Equal(t, exitInterrupted, cmd.ProcessState.ExitCode(), "%s%s", out.String(), errs.String())
			assert.Less(t, time.Since(began), 10*time.Second)
			assert.Regexp(t, `skipped|interrupted`, out.String()+errs.String(), "not all of it was done")
			for change, outcome := range s.ends(t) {
				assert.NotEqual(t, audit.Intent, outcome, "the end of change %s is on record", change)
			}
			r := s.run("apply -f " + s.roster + " --yes")
			assert.Zero(t, r.status, r.String())
			s.isApplied(t)
		})
	}
}
