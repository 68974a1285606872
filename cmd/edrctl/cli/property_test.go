package cli

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// TestProperty edits and applies rosters while consoles fail in every way the
// fakes know, sessions end, others change the same people, somebody presses
// Ctrl-C, and edrctl is killed, each as chance has it. Every report is what the
// consoles then hold, and nobody is touched whom the roster does not name. When
// the trouble is over, the same roster brings everybody what it says, nobody is
// there twice, and applying it again finds nothing to do.
//
// A step is one thing that is done: an edit, a fault, a kill, an apply. Each run
// has other cases; -rapid.seed takes the seed that the test has printed. In CI the
// cases are the same each time: a change is not to fail by chance for another one.
func TestProperty(t *testing.T) {
	t.Parallel()
	whole := useFlag(t, "rapid.checks", "30")
	seed := rand.Uint64() | 1
	if os.Getenv("CI") != "" {
		seed = 20261129
	}
	useFlag(t, "rapid.seed", strconv.FormatUint(seed, 10))
	scenes := map[string][]vendorConsole{"all": oneOfEach()}
	for _, c := range vendorConsoles() {
		scenes[c.name] = []vendorConsole{c}
	}
	done := tally{counts: map[string]int{}}
	var played atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d steps: %v", done.steps(), done.counts)
		if whole && !testing.Short() && !t.Failed() && int(played.Load()) == len(scenes) {
			assert.GreaterOrEqual(t, done.steps(), 10_000)
		}
	})
	for name, consoles := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			played.Add(1)
			rapid.Check(t, func(rt *rapid.T) {
				dir := quickDir(rt)
				rapid.SyncTest(rt, func(rt *rapid.T) {
					m := openTeam(rt, dir, consoles)
					for range 50 {
						m.step()
					}
					m.settle()
					done.add(m.done)
				})
			})
		})
	}
}

// quickDir is a folder in memory, where there is such a place: every change waits
// until the record is on the disk.
func quickDir(rt *rapid.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "edrctl")
	if err != nil {
		dir, err = os.MkdirTemp("", "edrctl")
	}
	require.NoError(rt, err)
	rt.Cleanup(func() { assert.NoError(rt, os.RemoveAll(dir)) })
	return dir
}

// useFlag sets a flag for a test, unless it was given, and says what it is.
func useFlag(t *testing.T, name, value string) (used bool) {
	t.Helper()
	f := flag.Lookup(name)
	if used = f.Value.String() == f.DefValue; used {
		require.NoError(t, f.Value.Set(value))
		t.Cleanup(func() { assert.NoError(t, f.Value.Set(f.DefValue)) })
	}
	t.Logf("-%s=%s", name, f.Value)
	return used
}

// tally counts what was done and what came of it.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *tally) add(counts map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for what, n := range counts {
		c.counts[what] += n
	}
}

// steps are what was done, as against outcomes.
func (c *tally) steps() int {
	n := 0
	for what, count := range c.counts {
		if !strings.HasPrefix(what, "=") {
			n += count
		}
	}
	return n
}

// team is the people of a roster in some consoles.
type team struct {
	*scene
	rt    *rapid.T
	wires *wires
	next  orders // for the next apply
	// logins are the people; the fewer, the more each of them goes through.
	logins []string
	rows   map[place]row
	// others is what the consoles hold of people whom no roster ever names.
	others string
	// done counts the steps and, with a sign before them, outcomes.
	done  map[string]int
	homes int // of those who change something elsewhere
}

// place is a person in a tenant.
type place struct{ vendor, login string }

// row is what the roster says of a person in a tenant.
type row struct {
	login         string // as it is spelled
	absent, ended bool
	words, ids    []string
	first, last   string
}

func teamLogins() []string {
	return []string{
		"amy.lee@example.com", "Bob.Ray@Example.com", "pia+soc@my-company.com", "dan@lab.example", "eli.fox@example.com", "fay.kim@example.com",
		"gus@example.com", "hal.ito@lab.example", "ida@example.com", "Jo.Orr@my-company.com", "kit@lab.example", "lou.moss@example.com",
	}
}

// openTeam starts the fakes in a state that chance makes, with an empty roster.
func openTeam(rt *rapid.T, dir string, consoles []vendorConsole) *team {
	s := openSceneIn(rt, dir, mock.Options{Makers: mocks(), Plain: true, Unheard: true}, consoles...)
	m := &team{scene: s, rt: rt, rows: map[place]row{}, done: map[string]int{}, wires: &wires{
		record: filepath.Join(dir, "edrctl", "audit.jsonl"), interrupts: make(chan os.Signal, 2),
	}}
	m.logins = teamLogins()[:rapid.SampledFrom([]int{2, 5, 12}).Draw(rt, "people")]
	s.env.Looks, s.env.Interrupts, s.env.Vendors = nil, m.wires.interrupts, nil
	for _, v := range vendors() {
		s.env.Vendors = append(s.env.Vendors, m.wires.connect(v, s.servers.Server(v.Name)))
	}
	for _, c := range consoles {
		for _, form := range teamForms(c) {
			require.NoError(rt, s.server(c).Set(form[0], rapid.SampledFrom(form[1:]).Draw(rt, form[0])))
		}
		if c.vendor == "cortex" {
			for _, login := range m.logins {
				require.NoError(rt, s.server(c).Activate(login))
			}
		}
	}
	m.others = m.untold()
	m.elsewhere(rt)
	m.activate(rt)
	return m
}

// teamForms are switches of a console, and the values that chance has to choose
// from.
func teamForms(c vendorConsole) [][]string {
	activation := []string{"instant-activation", "off", "on", "with-id"}
	switch c.name {
	case "carbonblack-roles":
		return [][]string{activation, {"grant-form", "roles", "as-sent"}}
	case "carbonblack-profiles":
		return [][]string{activation, {"grant-form", "profiles"}}
	case "crowdstrike-modern", "crowdstrike-legacy":
		return [][]string{{"uid-case", "lower", "kept"}}
	}
	return nil
}

// step does something. A case that fails shrinks to what comes first.
func (m *team) step() {
	actions := []struct {
		name string
		do   func(*rapid.T)
	}{
		{"wait", m.wait},
		{"fault", m.fault},
		{"edit", m.edit},
		{"kill", m.kill},
		{"apply", m.apply},
		{"fault again", m.fault},
		{"elsewhere", m.elsewhere},
		{"activate", m.activate},
		{"Ctrl-C", m.stop},
		{"edit again", m.edit},
		{"expire", m.expire},
		{"mend", m.mend},
	}
	action := actions[rapid.IntRange(0, len(actions)-1).Draw(m.rt, "action")]
	m.done[action.name]++
	action.do(m.rt)
	if m.rt.Failed() {
		m.rt.FailNow()
	}
}

func (m *team) console(rt *rapid.T) vendorConsole {
	return m.consoles[rapid.IntRange(0, len(m.consoles)-1).Draw(rt, "console")]
}

// edit writes some rows of the roster anew, or strikes them.
func (m *team) edit(rt *rapid.T) {
	c := m.console(rt)
	for p, r := range m.drawRows(rt, c) {
		m.rows[p] = r
	}
	for _, login := range rapid.SliceOfN(rapid.SampledFrom(m.logins), 0, 2).Draw(rt, "strike") {
		delete(m.rows, place{c.vendor, provision.FoldLogin(login)})
	}
}

func (m *team) drawRows(rt *rapid.T, c vendorConsole) map[place]row {
	rows := map[place]row{}
	for _, login := range rapid.SliceOfNDistinct(rapid.SampledFrom(m.logins), 1, len(m.logins), rapid.ID).Draw(rt, "logins") {
		r := row{login: login}
		if rapid.Bool().Draw(rt, "capitals") {
			r.login = strings.ToUpper(login)
		}
		switch rapid.IntRange(0, 5).Draw(rt, "kind") {
		case 0, 1:
			r.absent = true
		case 2:
			r.ended = true
		}
		if c.name != "cortex-xdr3" && rapid.IntRange(0, 3).Draw(rt, "named") == 0 { // which stores no names
			r.first, r.last = rapid.SampledFrom([]string{"Ana", "Zoë"}).Draw(rt, "first"), "Lind"
		}
		most := 3
		if c.vendor == "cortex" {
			most = 1
		}
		for _, role := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"role", "other", "third"}), 0, most, rapid.ID).Draw(rt, "roles") {
			alias := map[string]string{"role": "analyst", "other": "responder", "third": c.words["third"]}[role]
			word := rapid.SampledFrom([]string{c.words[role], "id:" + c.words[role+"-id"], alias}).Draw(rt, "word")
			r.words, r.ids = append(r.words, word), append(r.ids, c.words[role+"-id"])
		}
		slices.Sort(r.ids)
		rows[place{c.vendor, provision.FoldLogin(login)}] = r
	}
	return rows
}

// fault orders one for requests to come.
func (m *team) fault(rt *rapid.T) {
	c := m.console(rt)
	f := mock.Fault{
		Action: rapid.SampledFrom([]string{
			"429", "500", "502", "503", "504", "after-500", "after-502", "drop-before", "reset", "drop-after", "truncate", "delay", "expire-session", "html",
		}).Draw(rt, "action"),
		Count:      rapid.SampledFrom([]int{1, 1, 1, 1, 2, 2, 3, 3, 8, -1}).Draw(rt, "count"),
		RetryAfter: rapid.IntRange(-1, 3).Draw(rt, "retry after"),
	}
	routes := []string{" "}
	for _, route := range c.routes {
		routes = append(routes, route)
	}
	slices.Sort(routes)
	f.Method, f.Path, _ = strings.Cut(rapid.SampledFrom(routes).Draw(rt, "route"), " ")
	if f.Action == "delay" {
		f.Delay = rapid.SampledFrom([]string{"10ms", "20s", "40s"}).Draw(rt, "delay")
	}
	require.NoError(rt, m.server(c).Fault(f))
}

// kill applies the roster, and has edrctl end at one of the requests.
func (m *team) kill(rt *rapid.T) {
	m.next.kill, m.next.carriedOut = m.request(rt), rapid.Bool().Draw(rt, "carried out")
	m.apply(rt)
}

// stop applies the roster, and presses Ctrl-C at one of the requests.
func (m *team) stop(rt *rapid.T) {
	m.next.stop = m.request(rt)
	m.apply(rt)
}

// request is the number of one that most likely is sent.
func (m *team) request(rt *rapid.T) int { return rapid.IntRange(1, 6+2*len(m.logins)).Draw(rt, "at") }

// expire ends all sessions of a console.
func (m *team) expire(rt *rapid.T) { m.server(m.console(rt)).API().ExpireSessions() }

// mend ends the trouble of a console.
func (m *team) mend(rt *rapid.T) { m.server(m.console(rt)).ClearFaults() }

func (m *team) wait(rt *rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(1, 120).Draw(rt, "minutes")) * time.Minute)
}

// activate has some take up their invitations.
func (m *team) activate(rt *rapid.T) {
	for _, c := range m.consoles {
		for _, p := range objects(stateOf(rt, m.server(c))["pending"]) {
			login := p["email"].(string)
			if m.knows(login) && rapid.Bool().Draw(rt, login) {
				require.NoError(rt, m.server(c).Activate(login))
			}
		}
	}
}

func (m *team) knows(login string) bool {
	return slices.ContainsFunc(m.logins, func(one string) bool { return provision.SameLogin(one, login) })
}

// elsewhere has somebody with a record of their own change some of the people.
func (m *team) elsewhere(rt *rapid.T) {
	c := m.console(rt)
	rows := m.drawRows(rt, c)
	for p, r := range rows {
		if p.vendor == "carbonblack" { // whom edrctl has invited it takes for invited
			r.absent = false
			rows[p] = r
		}
	}
	faults := m.server(c).Faults()
	m.server(c).ClearFaults()
	m.homes++
	home := filepath.Join(m.dir, fmt.Sprintf("home%d", m.homes))
	m.environ = []string{"XDG_STATE_HOME=" + home, "XDG_CACHE_HOME=" + home}
	m.wires.begin(orders{})
	r := m.run(m.command("elsewhere.csv", rows))
	m.environ = nil
	assert.Zero(rt, r.status, r.String())
	for _, f := range faults {
		require.NoError(rt, m.server(c).Fault(f))
	}
}

// command applies rows.
func (m *team) command(name string, rows map[place]row) string {
	path := filepath.Join(m.dir, name)
	f, err := os.Create(path)
	require.NoError(m.rt, err)
	w := csv.NewWriter(f)
	lines := [][]string{}
	for p, r := range rows {
		state, expires, password := "present", "", ""
		if r.absent {
			state = "absent"
		}
		if r.ended {
			expires = "1999-12-31"
		}
		if p.vendor == "cybereason" {
			password = "env:FIRST_PASSWORD"
		}
		lines = append(lines, []string{r.login, r.first, r.last, strings.Join(r.words, ";"), p.vendor, state, expires, password})
	}
	slices.SortFunc(lines, slices.Compare)
	lines = slices.Insert(lines, 0, strings.Split("login,first-name,last-name,roles,tenants,state,expires,password", ","))
	require.NoError(m.rt, errors.Join(w.WriteAll(lines), f.Close()))
	return "apply --yes --max-deletes 1000 -f " + path
}

// apply applies the roster, and holds the report against the consoles.
func (m *team) apply(rt *rapid.T) {
	if len(m.rows) > 0 {
		m.applied(rt)
	}
	m.next = orders{}
}

func (m *team) applied(rt *rapid.T) finished {
	before := m.accounts()
	for _, c := range m.consoles {
		m.server(c).ClearRequests()
	}
	m.wires.begin(m.next)
	r := m.start(fmt.Sprintf("%s --parallel %d", m.command("team.csv", m.rows), rapid.IntRange(0, 3).Draw(rt, "parallel")))
	after := m.accounts()
	for p, was := range before {
		assert.LessOrEqual(rt, after[p].listed+after[p].invited, 1, "%s is there twice", p)
		if _, named := m.rows[p]; !named {
			assert.Equal(rt, was, after[p], "%s is not in the roster", p)
		}
	}
	assert.Equal(rt, m.others, m.untold())
	if m.wires.killed {
		m.done["=killed"]++
		require.NoError(rt, m.wires.revive(rapid.IntRange(0, 300).Draw(rt, "torn")))
		return r
	}
	r = m.read(r)
	m.judge(r, before, after)
	return r
}

// judge holds a report against what the consoles held and hold.
func (m *team) judge(r finished, before, after map[place]account) {
	defer func() {
		if m.rt.Failed() {
			m.rt.Log(r.String())
		}
	}()
	if r.failure != nil {
		m.done["=refused"]++
		assert.Equal(m.rt, before, after, "the command was refused as a whole")
		return
	}
	assert.Len(m.rt, r.items, len(m.rows))
	for i, item := range r.items {
		p := place{item["vendor"].(string), provision.FoldLogin(item["login"].(string))}
		assert.Contains(m.rt, m.rows, p)
		m.done["="+item["outcome"].(string)]++
		m.byID(item)
		r.compareItem(m.rt, i, before[p], after[p])
		if r.status == exitOK {
			assert.True(m.rt, m.rows[p].reached(p, after[p]), "%s shall have %+v and has %+v", p, m.rows[p], after[p])
		}
	}
}

// byID puts ids for the names in the result of a run that has taken a platform in
// trouble for Cortex XDR 3.x, where names are all there is.
func (m *team) byID(item object) {
	i := slices.IndexFunc(m.consoles, func(c vendorConsole) bool { return c.name == "cortex-platform" && c.vendor == item["vendor"] })
	if i < 0 {
		return
	}
	c := m.consoles[i]
	for _, field := range []string{"rolesAdded", "rolesRemoved"} {
		list, _ := item[field].([]any)
		for i, role := range list {
			for _, word := range []string{"role", "other", "third"} {
				if role == c.words[word] {
					list[i] = c.words[word+"-id"]
				}
			}
		}
	}
}

// reached reports whether somebody has what the roster says, or an invitation
// that nobody can change.
func (r row) reached(p place, is account) bool {
	switch {
	case is.invited == 1 && is.listed == 0:
		return true
	case r.absent && p.vendor != "cortex":
		return is.listed == 0
	case r.absent, r.ended:
		return len(is.roles) == 0
	}
	return is.listed == 1 && slices.Equal(is.roles, r.ids)
}

// settle ends the trouble. The same command then brings everything about, also
// for those who take up their invitations, and there is nothing left to do.
func (m *team) settle() {
	if len(m.rows) == 0 {
		return
	}
	for _, c := range m.consoles {
		m.server(c).ClearFaults()
	}
	m.converge()
	for _, c := range m.consoles {
		for _, p := range objects(stateOf(m.rt, m.server(c))["pending"]) {
			if login := p["email"].(string); m.knows(login) {
				require.NoError(m.rt, m.server(c).Activate(login))
			}
		}
	}
	m.converge()
	now := m.accounts()
	for p, r := range m.rows {
		assert.Zero(m.rt, now[p].invited)
		assert.True(m.rt, r.reached(p, now[p]), "%s shall have %+v and has %+v", p, r, now[p])
	}
	r := m.start("audit verify")
	assert.Zero(m.rt, r.status, r.String())
}

// converge applies the roster, and again.
func (m *team) converge() {
	r := m.applied(m.rt)
	assert.Zero(m.rt, r.status, r.String())
	r = m.applied(m.rt)
	assert.Zero(m.rt, r.status, r.String())
	for _, c := range m.consoles {
		assert.Empty(m.rt, m.writes(c), "there is nothing left to do")
	}
	for _, item := range r.items {
		assert.Contains(m.rt, []any{"unchanged", "absent", "invited"}, item["outcome"], r.String())
	}
	r = m.run("plan --exit-code -f " + filepath.Join(m.dir, "team.csv"))
	assert.Zero(m.rt, r.status, r.String())
}

// accounts is what the consoles hold of the team.
func (m *team) accounts() map[place]account {
	all := map[place]account{}
	for _, c := range m.consoles {
		state := stateOf(m.rt, m.server(c))
		for _, login := range m.logins {
			all[place{c.vendor, provision.FoldLogin(login)}] = c.account(state, login)
		}
	}
	return all
}

// untold is what the consoles hold of everybody else.
func (m *team) untold() string {
	var all []any
	for _, c := range m.consoles {
		state := stateOf(m.rt, m.server(c))
		for _, u := range objects(state["users"]) {
			if m.knows(loginOf(u)) {
				continue
			}
			delete(u, "codes") // of the second factor
			all = append(all, u, c.account(state, loginOf(u)))
		}
	}
	return fmt.Sprint(all)
}

// loginOf is the login of a user in a state of a fake.
func loginOf(u object) string {
	for _, field := range []string{"uid", "email", "user_email", "username"} {
		if login, ok := u[field].(string); ok {
			return login
		}
	}
	return ""
}
