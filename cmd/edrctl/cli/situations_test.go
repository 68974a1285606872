package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// situation is something that can happen with every vendor, and how a command
// ends in it.
type situation struct {
	name string
	// waits is true where edrctl waits for a second or so.
	waits bool
	// totp runs it also against a console that asks for a second factor.
	totp bool
	// configure is appended to the configuration, and environ to the
	// environment.
	configure string
	environ   []string
	// before are commands that end well, and then prepare and faults bring the
	// trouble about.
	before  []string
	prepare func(s *scene)
	faults  []string
	command string
	want    ending
	// differs has the vendors, by name or by the name of the console, for which
	// it ends otherwise or cannot come about.
	differs map[string]difference
	// check looks at what else is to be seen.
	check func(s *scene, c vendorConsole, r finished)
}

// ending is the exit status and, for a command that changes something, the
// outcome.
type ending struct {
	status  int
	outcome plan.Outcome
}

// difference is how a situation ends for a vendor that cannot do as the others
// do, and why.
type difference struct {
	ending
	// because is the capability whose note says why, and why says it where
	// there is no such capability.
	because provision.CapabilityName
	why     string
	// never is true where the situation cannot come about.
	never bool
}

func ends(status int, outcome plan.Outcome) ending { return ending{status, outcome} }

// TestSituations shows that the same situation gives the same exit status and
// the same outcome with all vendors, and that what is reported is what the
// vendor then has.
func TestSituations(t *testing.T) {
	t.Parallel()
	all := slices.Concat(
		readSituations(), createSituations(), strictCreateSituations(), grantSituations(), revokeSituations(),
		detailSituations(), deleteSituations(), guardSituations(), refusalSituations(), lostSituations(), brokenSituations(),
	)
	names := map[string]bool{}
	for _, x := range all {
		require.False(t, names[x.name], "two situations are called %q", x.name)
		names[x.name] = true
		for name := range x.differs {
			require.True(t, slices.ContainsFunc(x.consoles(), func(c vendorConsole) bool { return c.name == name || c.vendor == name }), name)
		}
		if x.waits {
			continue
		}
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range x.consoles() {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					if d, _ := x.difference(c); d.never {
						t.Skip(d.reason(t, c))
					}
					s := x.open(t, c)
					s.judge(t, x, s.start(x.command))
				})
			}
		})
	}
	t.Run("waiting", func(t *testing.T) {
		t.Parallel()
		waitTogether(t, slices.DeleteFunc(all, func(x situation) bool { return !x.waits }))
	})
}

// waitTogether plays situations in which edrctl waits for a second or two, all
// at the same time.
func waitTogether(t *testing.T, all []situation) {
	type playing struct {
		situation
		c    vendorConsole
		s    *scene
		done chan finished
	}
	var cases []playing
	for _, x := range all {
		for _, c := range x.consoles() {
			if d, _ := x.difference(c); d.never {
				t.Run(x.name+"/"+c.name, func(t *testing.T) { t.Skip(d.reason(t, c)) })
				continue
			}
			p := playing{x, c, x.open(t, c), make(chan finished, 1)}
			go func() { p.done <- p.s.start(p.command) }()
			cases = append(cases, p)
		}
	}
	for _, p := range cases {
		t.Run(p.name+"/"+p.c.name, func(t *testing.T) { p.s.judge(t, p.situation, <-p.done) })
	}
}

// consoles are those that a situation is played with.
func (x situation) consoles() []vendorConsole {
	if x.totp {
		return append(vendorConsoles(), withFactor())
	}
	return vendorConsoles()
}

// difference is that of a vendor, if it has one.
func (x situation) difference(c vendorConsole) (d difference, differs bool) {
	if d, differs = x.differs[c.name]; !differs {
		d, differs = x.differs[c.vendor]
	}
	return d, differs
}

// open brings a situation about, up to the command.
func (x situation) open(t *testing.T, c vendorConsole) *scene {
	t.Helper()
	s := openScene(t, c)
	s.configure(s.say(x.configure))
	for _, command := range x.before {
		require.Zero(t, s.run(command).status, "before: %s", command)
	}
	if x.prepare != nil {
		x.prepare(s)
	}
	s.environ = x.environ
	s.before = s.look(x)
	s.server(c).ClearRequests()
	for _, order := range x.faults {
		s.fault(order)
	}
	return s
}

// judge holds how the command ended against how it should have.
func (s *scene) judge(t *testing.T, x situation, r finished) {
	t.Helper()
	c := s.consoles[0]
	want := x.want
	if d, differs := x.difference(c); differs {
		require.NotEqual(t, x.want, d.ending, "this is no difference")
		t.Logf("%d %s instead of %d %s: %s", d.status, d.outcome, want.status, want.outcome, d.reason(t, c))
		want = d.ending
	}
	s.t = t
	s.server(c).ClearFaults()
	r = s.read(r)
	assert.Equal(t, want, ending{r.status, plan.Outcome(r.outcome())}, r.String())
	s.compare(x, r)
	if x.check != nil {
		x.check(s, c, r)
	}
}

// reason is why a vendor differs.
func (d difference) reason(t *testing.T, c vendorConsole) string {
	t.Helper()
	if d.because == "" {
		require.NotEmpty(t, d.why)
		return d.why
	}
	for _, v := range vendors() {
		if v.Name == c.vendor {
			note := v.Capability(d.because).Note
			require.NotEmpty(t, note, "%s does not say what is the matter with %s", c.vendor, d.because)
			return strings.TrimSuffix(fmt.Sprintf("%s: %s; %s", d.because, note, d.why), "; ")
		}
	}
	t.Fatalf("no vendor %s", c.vendor)
	return ""
}

// seen is what a fake held at one time.
type seen struct {
	lasting string
	people  map[string]account
}

// look notes what is held by those whom a command names.
func (s *scene) look(x situation) seen {
	c := s.consoles[0]
	now := seen{lasting: s.lasting(c), people: map[string]account{}}
	for _, word := range strings.Fields(s.say(x.command)) {
		if strings.Contains(word, "@") {
			login := provision.FoldLogin(word)
			now.people[login] = s.account(c, login)
		}
	}
	return now
}

// compare holds what was reported against what the fake has.
func (s *scene) compare(x situation, r finished) {
	t, c, before := s.t, s.consoles[0], s.before
	after := s.look(x)
	for i, item := range r.items {
		login, _ := item["login"].(string)
		login = provision.FoldLogin(login)
		if _, changes := item["outcome"]; changes {
			r.compareItem(t, i, before.people[login], after.people[login])
		}
	}
	switch outcome := plan.Outcome(r.outcome()); {
	case r.status == exitUsage, r.status == exitRefused, outcome == plan.Planned, outcome == plan.Absent,
		outcome == plan.Unsupported, len(r.items) > 0 && r.items[0]["outcome"] == nil:
		assert.Empty(t, s.writes(c), "nothing that could change anything is sent")
		assert.Equal(t, before.lasting, after.lasting)
	case outcome == plan.Unchanged, outcome == plan.Failed:
		assert.Equal(t, before.lasting, after.lasting)
	}
	s.askedOnce()
}

// compareItem holds a result against what the fake held and holds of the person.
func (r finished) compareItem(t tester, i int, was, is account) {
	t.Helper()
	outcome, _ := r.items[i]["outcome"].(string)
	failure, _ := r.items[i]["error"].(object)
	why, _ := failure["message"].(string)
	switch unsettled := strings.Contains(why, provision.ErrUncertain.Error()); {
	case outcome == string(plan.Unknown): // and so are the roles that it names
		assert.LessOrEqual(t, is.listed+is.invited, 1)
		return
	case outcome == string(plan.Created) && unsettled: // an account, perhaps with roles
		assert.Equal(t, 1, is.listed)
		assert.Zero(t, was.listed)
		return
	}
	for _, role := range r.texts(i, "rolesAdded") {
		if outcome != string(plan.Planned) {
			assert.Contains(t, is.roles, role, "reported as added")
			assert.NotContains(t, was.roles, role, "reported as added")
		}
	}
	for _, role := range r.texts(i, "rolesRemoved") {
		assert.Contains(t, was.roles, role, "reported as removed")
		if outcome != string(plan.Planned) {
			assert.NotContains(t, is.roles, role, "reported as removed")
		}
	}
	switch plan.Outcome(outcome) {
	case plan.Created:
		assert.Equal(t, account{listed: 1, roles: r.sorted(i, "rolesAdded")}, is)
		assert.Zero(t, was.listed)
	case plan.Invited:
		if was.invited > 0 {
			assert.Equal(t, was, is, "an invitation that is pending stays as it is")
		} else {
			assert.Equal(t, account{invited: 1, roles: r.sorted(i, "rolesAdded")}, is)
		}
	case plan.Deleted:
		assert.Equal(t, account{}, is)
		assert.Equal(t, 1, was.listed)
	case plan.Granted, plan.Revoked, plan.Updated:
		assert.Equal(t, 1, is.listed)
		assert.Len(t, is.roles, len(was.roles)+len(r.texts(i, "rolesAdded"))-len(r.texts(i, "rolesRemoved")), "all changes are reported")
	default:
		if failure["code"] == string(provision.ErrPartial) {
			was = was.changed(r.texts(i, "rolesAdded"), r.texts(i, "rolesRemoved"))
		}
		assert.Equal(t, was, is, "%s says that nothing was changed", outcome)
	}
}

// changed is an account with further roles, and without some.
func (a account) changed(added, removed []string) account {
	roles := slices.Concat(a.roles, added)
	a.roles = slices.DeleteFunc(roles, func(role string) bool { return slices.Contains(removed, role) })
	if len(a.roles) == 0 {
		a.roles = nil // as where none was found
	}
	return a.sorted()
}

// askedOnce fails if a create was sent although one before it was carried out.
func (s *scene) askedOnce() {
	done := map[string]bool{}
	for _, r := range s.creates(s.consoles[0]) {
		who := strings.ToLower(r.Path + " " + r.Body)
		assert.False(s.t, done[who], "a create that was carried out is sent again: %s %s", r.Method, r.Path)
		done[who] = done[who] || carriedOut(r)
	}
}

func (r finished) sorted(item int, field string) []string {
	list := r.texts(item, field)
	slices.Sort(list)
	return list
}
