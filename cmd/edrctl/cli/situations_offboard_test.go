package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/audit"
	"edrctl/internal/mock"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// outage is something that can befall a console while somebody is offboarded
// everywhere.
type outage struct {
	name string
	// settings are those of the tenant, in the environment.
	settings map[string]string
	// faults are ordered from the start, where the console has such requests.
	faults []string
	// change is called ahead of each changing request, the n-th from 1 on.
	change func(s *scene, c vendorConsole, r *http.Request, n int)
	// locked and looking take the permission to read, and to change.
	locked, looking bool
	// want is how it ends for the console, and code its error. Where the person
	// goes, it is deleted, or revoked where accounts stay.
	want plan.Outcome
	code string
	// atTheDoor is true where nothing but the sign-in and the list is asked for.
	atTheDoor bool
	// differs has the consoles, by name or vendor, for which it ends otherwise.
	differs map[string]otherEnd
}

// otherEnd is how an outage ends for a console, and why not as for the others.
type otherEnd struct {
	want plan.Outcome
	code string
	why  string
}

// outages are those of the promise (dead, throttled, answering late) and their
// neighbours, from the start, at the changes, and when looking afterwards.
func outages() []outage {
	const long = "429=2 -1" // which is long where max-wait is short
	// first and last order a fault for all requests after the first change, and
	// after the one that takes what is left.
	first := func(order string) func(*scene, vendorConsole, *http.Request, int) {
		return func(s *scene, c vendorConsole, _ *http.Request, n int) {
			if n == 1 {
				s.faultAt(c, order)
			}
		}
	}
	last := func(order string) func(*scene, vendorConsole, *http.Request, int) {
		return func(s *scene, c vendorConsole, r *http.Request, n int) {
			method, path, _ := strings.Cut(c.routes["delete"], " ")
			if r.Method == method && strings.Contains(r.URL.Path, path) && (c.name != "cortex-platform" || n == 2) {
				s.faultAt(c, order)
			}
		}
	}
	// asks is xdr3, where nothing is left for the second change, which asks all the same.
	asks := func(code string) map[string]otherEnd {
		return map[string]otherEnd{"cortex-xdr3": {plan.Failed, code, "the first change has taken everything, and the next one cannot see that"}}
	}
	slow := func(*scene, vendorConsole, *http.Request, int) { time.Sleep(4 * time.Second) }
	late := map[string]string{"TIMEOUT": "3s"} // longer than anything takes by itself
	short := map[string]string{"MAX_WAIT": "1ms"}
	return []outage{
		{name: "none", want: plan.Deleted},
		{name: "dead", atTheDoor: true, settings: map[string]string{"URL": "https://127.0.0.1:1"}, want: plan.Failed, code: "unavailable"},
		{name: "dead from the list on", atTheDoor: true, faults: []string{"list drop-before -1"}, want: plan.Failed, code: "unavailable"},
		{name: "dead from the first change on", change: first("any reset -1"), want: plan.Failed, code: "unavailable"},
		{name: "dead when looking afterwards", change: last("any reset -1"), want: plan.Unknown, code: "unknown", differs: asks("unavailable")},
		{name: "breaks off each change", faults: []string{"revoke reset -1", "delete reset -1"}, want: plan.Unknown, code: "unknown"},
		{name: "breaks off changes for a while", faults: []string{"revoke drop-before 2", "delete drop-before 2"}, want: plan.Deleted},
		{name: "throttled for a moment", atTheDoor: true, faults: []string{"any 429=1"}, want: plan.Deleted},
		{name: "throttled for a moment at the change", faults: []string{"revoke 429=1", "delete 429=1"}, want: plan.Deleted},
		{name: "throttled for long", atTheDoor: true, settings: short, faults: []string{"any " + long}, want: plan.Failed, code: "rate-limited"},
		{
			name: "throttled for long at the change", settings: short, faults: []string{"revoke " + long, "delete " + long},
			want: plan.Failed, code: "rate-limited",
		},
		{name: "throttled for long after the first change", settings: short, change: first("any " + long), want: plan.Failed, code: "rate-limited"},
		{
			name: "throttled for long when looking afterwards", settings: short, change: last("any " + long),
			want: plan.Unknown, code: "unknown", differs: asks("rate-limited"),
		},
		{name: "answers the list too late", atTheDoor: true, settings: late, faults: []string{"list delay=9s -1"}, want: plan.Failed, code: "unavailable"},
		{name: "answers changes too late", settings: late, faults: []string{"revoke delay=9s -1", "delete delay=9s -1"}, want: plan.Deleted},
		{name: "carries changes out late", settings: late, change: slow, want: plan.Deleted},
		{name: "loses the answers of changes", faults: []string{"revoke drop-after -1", "delete drop-after -1"}, want: plan.Deleted},
		{name: "cuts the answers of changes", faults: []string{"revoke truncate -1", "delete truncate -1"}, want: plan.Deleted},
		{name: "500", atTheDoor: true, faults: []string{"any 500 -1"}, want: plan.Failed, code: "unavailable"},
		{name: "500 at changes", faults: []string{"revoke 500 -1", "delete 500 -1"}, want: plan.Unknown, code: "unknown"},
		{
			name: "500 from the second change on", change: first("delete 500 -1"), want: plan.Unknown, code: "unknown",
			differs: map[string]otherEnd{"cortex-xdr3": {plan.Deleted, "", "there is no second change"}},
		},
		{
			name: "refuses from the second change on", change: first("delete 403 -1"), want: plan.Failed, code: "forbidden",
			differs: map[string]otherEnd{"cortex-xdr3": {plan.Deleted, "", "there is no second change"}},
		},
		{name: "500 after changes", faults: []string{"revoke after-500 -1", "delete after-500 -1"}, want: plan.Deleted},
		{name: "credentials refused", atTheDoor: true, settings: map[string]string{"{SECRET}": wrongSecret}, want: plan.Failed, code: "auth"},
		{name: "not allowed to read", atTheDoor: true, locked: true, want: plan.Failed, code: "forbidden"},
		{name: "not allowed to change", looking: true, want: plan.Failed, code: "forbidden"},
	}
}

// misfortune is an outage of one console.
type misfortune struct {
	console vendorConsole
	outage  outage
}

// TestOffboardInEveryTrouble offboards a person who has access in four
// consoles, with one of them in trouble or two. The exit status, the list of
// results and the evidence tell what the fakes then hold; when the trouble is
// over, the same command finishes, and the evidence of both runs passes.
func TestOffboardInEveryTrouble(t *testing.T) {
	t.Parallel()
	var cases []*offboarding
	play := func(name string, all ...misfortune) {
		cases = append(cases, openOffboarding(t, name, all...))
	}
	four, byName := oneOfEach(), map[string]outage{}
	for _, o := range outages() {
		byName[o.name] = o
		for _, c := range vendorConsoles() {
			if o.atTheDoor && !slices.ContainsFunc(four, func(d vendorConsole) bool { return d.name == c.name }) {
				continue // it never comes to what the other forms do otherwise
			}
			play(o.name+"/"+c.name, misfortune{c, o})
		}
	}
	for i, one := range four {
		for _, other := range four[i+1:] {
			for _, names := range [][2]string{
				{"dead", "throttled for long"},
				{"loses the answers of changes", "dead from the first change on"},
				{"500 at changes", "answers the list too late"},
			} {
				play(strings.Join(names[:], " and ")+"/"+one.name+" and "+other.name, misfortune{one, byName[names[0]]}, misfortune{other, byName[names[1]]})
			}
		}
	}
	running := make(chan struct{}, 24)
	for _, s := range cases {
		go func() {
			defer close(s.played)
			running <- struct{}{}
			defer func() { <-running }()
			s.play()
		}()
	}
	for _, s := range cases {
		t.Run(s.name, func(t *testing.T) {
			<-s.played
			s.t = t
			s.judge()
		})
	}
}

// offboarding is a scene in which personAda has access everywhere, and is
// offboarded in trouble and once more without.
type offboarding struct {
	*scene
	name          string
	troubles      []misfortune
	played        chan struct{}
	over          atomic.Bool // of the trouble
	first, second finished
	// states are what the fakes held before, between and afterwards.
	states [3]map[string]object
}

func openOffboarding(t *testing.T, name string, troubles ...misfortune) *offboarding {
	t.Helper()
	var consoles []vendorConsole
	for _, m := range troubles {
		consoles = append(consoles, m.console)
	}
	for _, c := range oneOfEach() {
		if !slices.ContainsFunc(consoles, func(d vendorConsole) bool { return d.vendor == c.vendor }) {
			consoles = append(consoles, c)
		}
	}
	s := &offboarding{name: name, troubles: troubles, played: make(chan struct{})}
	changes := map[string]*atomic.Int32{}
	for _, c := range consoles {
		changes[c.vendor] = &atomic.Int32{}
	}
	s.scene = openWatchedScene(t, func(vendor string, r *http.Request) {
		n := int(changes[vendor].Add(1))
		for _, m := range troubles {
			if m.console.vendor == vendor && m.outage.change != nil && !s.over.Load() {
				m.outage.change(s.scene, m.console, r, n)
			}
		}
	}, consoles...)
	for _, m := range troubles {
		o, tenant := m.outage, "EDRCTL_"+strings.ToUpper(m.console.vendor)+"_"
		for key, value := range o.settings {
			s.environ = append(s.environ, tenant+strings.ReplaceAll(key, "{SECRET}", m.console.words["SECRET"])+"="+value)
		}
		for _, f := range o.faults {
			s.faultAt(m.console, f)
		}
		for _, turn := range []struct {
			do bool
			to [2]string
		}{{o.locked, m.console.locked}, {o.looking, m.console.looking}} {
			if turn.do {
				require.NoError(t, s.server(m.console).Set(turn.to[0], turn.to[1]))
			}
		}
	}
	return s
}

// play is the two runs.
func (s *offboarding) play() {
	s.keep(0)
	s.first = s.start(s.command("first.json"))
	s.keep(1)
	s.environ = nil
	s.over.Store(true)
	for _, m := range s.troubles {
		server := s.server(m.console)
		server.ClearFaults()
		for _, turn := range [][2]string{m.console.locked, m.console.looking} {
			if err := server.Set(turn[0], permitted(turn[0])); err != nil {
				s.t.Error(err) // another goroutine's test cannot be ended from here
			}
		}
	}
	s.second = s.start(s.command("second.json"))
	s.keep(2)
}

// keep notes what the fakes hold.
func (s *offboarding) keep(i int) {
	s.states[i] = map[string]object{}
	for _, c := range s.consoles {
		s.states[i][c.vendor] = stateOf(s.t, s.server(c))
	}
}

func (s *offboarding) command(file string) string {
	return "offboard {ADA} --yes --wait 2s --evidence " + filepath.Join(s.dir, file)
}

// permitted is the value of a switch that takes nothing from the credentials.
func permitted(name string) string {
	return map[string]string{"scope": "full", "permission": "full", "admin-role": "on"}[name]
}

// judge holds a run in trouble, and then one without, against the fakes.
func (s *offboarding) judge() {
	t := s.t
	var statuses []int
	outcomes := map[string]string{}
	for _, c := range s.consoles {
		want, code := plan.Deleted, ""
		for _, m := range s.troubles {
			if m.console.vendor != c.vendor {
				continue
			}
			want, code = m.outage.want, m.outage.code
			for _, name := range []string{c.name, c.vendor} {
				if d, differs := m.outage.differs[name]; differs {
					require.NotEmpty(t, d.why)
					want, code = d.want, d.code
				}
			}
		}
		if want == plan.Deleted && c.vendor == "cortex" {
			want = plan.Revoked // accounts stay there
		}
		outcomes[c.vendor] = strings.TrimSpace(string(want) + " " + code)
		status := exitOK
		if code != "" {
			status = exitPartial
		}
		statuses = append(statuses, status)
	}
	s.truth(0, s.read(s.first), "first.json", outcomes, combined(statuses))

	again := map[string]string{}
	for _, c := range s.consoles {
		switch {
		case c.vendor == "cortex" && s.out(c, 1):
			again[c.vendor] = "unchanged"
		case c.vendor == "cortex":
			again[c.vendor] = "revoked"
		case s.out(c, 1):
			again[c.vendor] = "absent"
		default:
			again[c.vendor] = "deleted"
		}
		assert.NotEmpty(t, c.account(s.states[0][c.vendor], personAda).roles)
		assert.True(t, s.out(c, 2), c.name)
	}
	s.truth(1, s.read(s.second), "second.json", again, exitOK)
	for _, file := range []string{"first.json", "second.json"} {
		var out, errs bytes.Buffer
		env := Env{Out: &out, Err: &errs, Now: time.Now, Environ: []string{"XDG_STATE_HOME=" + s.dir}}
		assert.Zero(t, Main([]string{"audit", "verify", "--evidence", filepath.Join(s.dir, file)}, env), errs.String())
		assert.Contains(t, out.String(), "which knows of it")
	}
}

// truth holds the status, the results and the evidence of a run against what the
// fakes had before it and after it.
func (s *offboarding) truth(run int, r finished, file string, outcomes map[string]string, status int) {
	t := s.t
	t.Helper()
	assert.Equal(t, status, r.status, r.String())
	got := map[string]string{}
	for _, item := range r.items {
		got[item["vendor"].(string)] = strings.TrimSpace(fmt.Sprint(item["outcome"]) + " " + itemCode(item))
	}
	assert.Equal(t, outcomes, got, r.String())
	left := slices.ContainsFunc(s.consoles, func(c vendorConsole) bool { return !s.out(c, run+1) })
	assert.False(t, left && r.status == exitOK, "0 is for nothing left anywhere")
	data, err := os.ReadFile(filepath.Join(s.dir, file))
	require.NoError(t, err)
	var e evidence
	require.NoError(t, json.Unmarshal(data, &e), string(data))
	require.Len(t, e.Items, len(s.consoles))
	require.Len(t, r.items, len(s.consoles))
	for i, item := range e.Items {
		c := s.consoles[slices.IndexFunc(s.consoles, func(c vendorConsole) bool { return c.vendor == item.Vendor })]
		told, err := json.Marshal(item.Result)
		require.NoError(t, err)
		shown, err := json.Marshal(r.items[i])
		require.NoError(t, err)
		assert.JSONEq(t, string(shown), string(told), "the evidence has what was shown")
		s.itemTruth(run, c, item)
		s.recordTruth(e, item)
		for _, at := range []*time.Time{item.BeforeAt, item.AfterAt} {
			assert.True(t, at == nil || !at.Before(e.Began) && !at.After(e.Ended))
		}
	}
}

// itemTruth is about one console.
func (s *offboarding) itemTruth(run int, c vendorConsole, item evidenceItem) {
	t := s.t
	t.Helper()
	was, is := c.account(s.states[run][c.vendor], personAda), c.account(s.states[run+1][c.vendor], personAda)
	if item.BeforeAt != nil {
		assert.Equal(t, was, accountOf(item.Before), "%s: before", c.name)
	} else {
		assert.Equal(t, string(plan.Failed), item.Result.Outcome, "%s: nobody could look", c.name)
		assert.Equal(t, was, is, "%s: whom nobody could look at is left alone", c.name)
	}
	switch {
	case item.AfterAt != nil:
		assert.Equal(t, is, accountOf(item.After), "%s: after", c.name)
		assert.Len(t, item.Result.ResidualAccess, len(is.roles), "%s: %v remains", c.name, item.Result.ResidualAccess)
	case item.Before != nil:
		assert.NotNil(t, item.Result.Error, "%s: that it could not be read back is told", c.name)
		assert.NotEqual(t, string(plan.Deleted), item.Result.Outcome, c.name)
	}
	for _, role := range item.Result.RolesRemoved {
		assert.Contains(t, was.roles, role, c.name)
		assert.NotContains(t, is.roles, role, c.name)
	}
	switch plan.Outcome(item.Result.Outcome) {
	case plan.Deleted, plan.Absent:
		assert.Zero(t, is.listed, c.name)
	case plan.Revoked, plan.Unchanged:
		assert.True(t, s.out(c, run+1), c.name)
	case plan.Failed, plan.Unknown:
		if item.AfterAt != nil {
			assert.False(t, s.out(c, run+1), "%s: it is gone, and the last look has shown it", c.name)
		}
	}
}

// recordTruth wants each change in the record that the evidence brings, with its
// end, and none for somebody who was not touched.
func (s *offboarding) recordTruth(e evidence, item evidenceItem) {
	s.t.Helper()
	ended, outcomes, removed := map[string]bool{}, map[string]bool{}, []string{}
	for _, l := range e.Record {
		if l.Tenant != item.Tenant {
			continue
		}
		assert.Equal(s.t, item.Address, l.Address)
		ended[l.Change] = l.Outcome != audit.Intent
		if l.Outcome != audit.Intent {
			outcomes[l.Outcome] = true
			removed = append(removed, l.RolesRemoved...)
		}
	}
	assert.Equal(s.t, item.Before != nil, len(ended) > 0, item.Tenant)
	for change, end := range ended {
		assert.True(s.t, end, "the end of %s", change)
	}
	if item.Result.Error == nil && item.Before != nil {
		assert.True(s.t, outcomes[item.Result.Outcome] || outcomes["unknown"], "%s: %v", item.Tenant, outcomes)
	}
	if !outcomes["unknown"] {
		assert.Subset(s.t, removed, item.Result.RolesRemoved)
	}
}

// out reports whether personAda had no access to a console by then: no account, or where
// accounts stay one that is disabled, where the vendor can, and has nothing.
func (s *offboarding) out(c vendorConsole, i int) bool {
	state := s.states[i][c.vendor]
	is := c.account(state, personAda)
	if c.vendor != "cortex" || is.listed == 0 {
		return is.listed == 0
	}
	for _, u := range objects(state["users"]) {
		if strings.EqualFold(u["user_email"].(string), personAda) {
			return len(is.roles) == 0 && (c.name == "cortex-xdr3" || strings.EqualFold(fmt.Sprint(u["status"]), "disabled"))
		}
	}
	return true
}

// accountOf is what an item says of an account.
func accountOf(u *provision.User) account {
	if u == nil {
		return account{}
	}
	return account{listed: 1, roles: u.DirectRoles()}
}

func itemCode(item object) string {
	e, _ := item["error"].(object)
	if e == nil {
		return ""
	}
	return fmt.Sprint(e["code"])
}

// TestInterruptedOffboard presses Ctrl-C at the first change, and while edrctl
// waits for a change to show. What was done is told either way, in the evidence
// too, and the same command finishes.
func TestInterruptedOffboard(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, flags string
		switches    map[string]string
		// changes are how many come before it.
		changes int
		wait    time.Duration
		want    plan.Outcome
		removed []string
		after   bool // somebody looked
	}{
		{name: "at the first change", changes: 1, want: plan.Skipped, removed: []string{"falconhost_read_only"}},
		{name: "at the last change", changes: 2, want: plan.Deleted, removed: []string{"falconhost_read_only"}},
		{
			name: "while waiting", flags: " --keep-account", switches: map[string]string{"visibility-delay": "1h"},
			changes: 1, wait: 500 * time.Millisecond, want: plan.Unknown, removed: []string{"falconhost_read_only"}, after: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			interrupts := make(chan os.Signal, 1)
			var n atomic.Int32
			s := openWatchedScene(t, func(string, *http.Request) {
				if int(n.Add(1)) != tt.changes {
					return
				}
				if tt.wait > 0 {
					time.AfterFunc(tt.wait, func() { interrupts <- os.Interrupt })
					return
				}
				interrupts <- os.Interrupt
				time.Sleep(100 * time.Millisecond) // until it has been heard
			}, falcon())
			for name, value := range tt.switches {
				require.NoError(t, s.server(falcon()).Set(name, value))
			}
			s.env.Interrupts = interrupts
			first, second := filepath.Join(s.dir, "first.json"), filepath.Join(s.dir, "second.json")
			began := time.Now()
			r := s.run("offboard {ada} --yes --wait 1m --evidence " + first + tt.flags)
			assert.Less(t, time.Since(began), 30*time.Second)
			assert.Equal(t, exitInterrupted, r.status, r.String())
			assert.Equal(t, string(tt.want), r.outcome(), r.String())
			assert.Equal(t, tt.removed, r.texts(0, "rolesRemoved"))
			assert.Empty(t, s.account(falcon(), personAda).roles)
			var e evidence
			data, err := os.ReadFile(first)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(data, &e))
			assert.Equal(t, tt.after, e.Items[0].AfterAt != nil)

			require.NoError(t, s.server(falcon()).Set("visibility-delay", "0"))
			r = s.run("offboard {ada} --yes --evidence " + second)
			assert.Zero(t, r.status, r.String())
			assert.Equal(t, account{}, s.account(falcon(), personAda))
			for _, file := range []string{first, second} {
				var out bytes.Buffer
				env := Env{Out: &out, Err: &out, Now: time.Now, Environ: []string{"XDG_STATE_HOME=" + s.dir}}
				assert.Zero(t, Main([]string{"audit", "verify", "--evidence", file}, env), out.String())
			}
		})
	}
}

// TestOffboardKnocksOnce has credentials refused when edrctl looks afterwards: it
// does not try them again until the wait is over.
func TestOffboardKnocksOnce(t *testing.T) {
	t.Parallel()
	for _, c := range oneOfEach() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var s *scene
			s = openWatchedScene(t, func(_ string, r *http.Request) {
				if method, path, _ := strings.Cut(c.routes["delete"], " "); r.Method == method && strings.Contains(r.URL.Path, path) {
					s.faultAt(c, "any 401 -1")
				}
			}, c)
			r := s.run("offboard {ada} --yes --wait 1m")
			assert.Contains(t, []int{exitUnknown, exitAuth}, r.status, r.String())
			refused := slices.DeleteFunc(s.server(c).Requests(), func(r mock.Request) bool { return r.Status != http.StatusUnauthorized })
			assert.LessOrEqual(t, len(refused), 6, "%v", refused)
		})
	}
}

// TestGoneMeanwhile has somebody else delete the person while the roles are
// being taken.
func TestGoneMeanwhile(t *testing.T) {
	t.Parallel()
	for _, c := range []vendorConsole{falcon(), carbonBlack(), cybereasonConsole()} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var s *scene
			var once sync.Once
			s = openWatchedScene(t, func(string, *http.Request) {
				once.Do(func() { assert.NoError(t, s.server(c).API().Load(nil)) })
			}, c)
			r := s.run("offboard {ada} --yes --wait 2s")
			assert.Zero(t, r.status, r.String())
			assert.Equal(t, "deleted", r.outcome(), r.String())
		})
	}
}

// openWatchedScene is openScene with somebody who is told of each changing
// request, before the fake sees it.
func openWatchedScene(t *testing.T, change func(vendor string, r *http.Request), consoles ...vendorConsole) *scene {
	t.Helper()
	makers := mocks()
	for i, m := range makers {
		makers[i].New = func(e mock.Env) mock.API { return watchedFake{m.New(e), func(r *http.Request) { change(m.Vendor, r) }} }
	}
	return openSceneIn(t, t.TempDir(), mock.Options{Makers: makers}, consoles...)
}

// watchedFake tells of changes.
type watchedFake struct {
	mock.API
	tell func(r *http.Request)
}

func (f watchedFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	change := f.Change(r)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if change {
		f.tell(r)
	}
	f.API.ServeHTTP(w, r)
}
