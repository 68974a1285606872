package provisiontest

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"edrctl/internal/provision"
)

// What a Fake holds by default.
const (
	// FakeAccount is whom the fake is signed in as, the last holder of
	// FakeAdminRole.
	FakeAccount   = "root@example.com"
	FakeAdminRole = "admin"
	// FakePassword opens the fake's console.
	FakePassword = "correct-horse-battery"

	FakePlain     = "ada@example.com"
	FakeMixed     = "Grace.Hopper@Example.com"
	FakeHolder    = "lin@example.com"
	FakeInheritor = "joan@example.com"
	FakeDisabled  = "zuse@example.com"

	FakeRoleA     = "reader"
	FakeRoleB     = "analyst"
	FakeGroupRole = "auditor"
)

// FailNext makes the next call of an operation, one of the constants Op, return
// an error without doing anything. Several are used up one by one.
func (f *Fake) FailNext(op string, err error) {
	c := f.console
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failures == nil {
		c.failures = map[string][]error{}
	}
	c.failures[op] = append(c.failures[op], err)
}

// LoseNext makes the answer of the next changing request of an operation get
// lost, after it was carried out or without.
func (f *Fake) LoseNext(op string, applied bool) {
	c := f.console
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.losses == nil {
		c.losses = map[string][]bool{}
	}
	c.losses[op] = append(c.losses[op], applied)
}

// Forbid takes the permission to change anything away, or gives it back.
func (f *Fake) Forbid(yes bool) {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	f.console.forbidden = yes
}

// ThrottleNext makes the console refuse the next n requests and ask to wait.
func (f *Fake) ThrottleNext(n int, wait time.Duration) {
	f.Disturb(Fault{Reads: true, Count: n, Effect: Throttle, Wait: wait})
}

// Disturb orders a fault.
func (f *Fake) Disturb(fault Fault) {
	if fault.Count == 0 {
		fault.Count = 1
	}
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	f.console.faults = append(f.console.faults, fault)
}

// Disturbed is how many requests have been disturbed.
func (f *Fake) Disturbed() int {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	return f.console.hits
}

// Lag lets that many reads after a change still see what was before it.
func (f *Fake) Lag(reads int) {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	f.console.lag = reads
}

// OnCall has a function called at the beginning of each method. It may block,
// cancel, or change the console as somebody else would.
func (f *Fake) OnCall(hook func(Call)) {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	f.console.onCall = hook
}

// AfterChange has a function called after each changing request, before the
// adapter sees the answer.
func (f *Fake) AfterChange(hook func()) {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	f.console.after = hook
}

// PageSize is how many users a page of the list holds.
func (f *Fake) PageSize(n int) {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	f.console.pageSize = n
}

// ExpireSessions makes the console forget who is signed in.
func (f *Fake) ExpireSessions() {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	f.console.generation++
}

// Activate takes up an invitation.
func (f *Fake) Activate(login string) error {
	c := f.console
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range c.users {
		if c.pending[u.ID] && provision.SameLogin(u.Login, login) {
			c.activate(u.ID)
			return nil
		}
	}
	return f.fail("activate", provision.ErrNotFound, "nobody is invited as "+login)
}

// Put stores a user, or replaces the one with the same id, as somebody else at
// the console would. A user without an id gets one.
func (f *Fake) Put(u provision.User) provision.User {
	c := f.console
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.index(u.ID); u.ID != "" && i >= 0 {
		c.users[i] = cloneUser(u)
		return u
	}
	return c.add(u)
}

// Remove deletes a user as somebody else at the console would.
func (f *Fake) Remove(login string) {
	c := f.console
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users = slices.DeleteFunc(slices.Clone(c.users), func(u provision.User) bool {
		return provision.SameLogin(u.Login, login)
	})
}

// Stored is a user as the console holds it, invited ones included.
func (f *Fake) Stored(login string) (provision.User, bool) {
	c := f.console
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range c.users {
		if provision.SameLogin(u.Login, login) {
			return cloneUser(u), true
		}
	}
	return provision.User{}, false
}

// State is everybody the console holds.
func (f *Fake) State() []provision.User {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	return cloneUsers(f.console.users)
}

// Calls are the methods that were called, oldest first.
func (f *Fake) Calls() []Call {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	return slices.Clone(f.console.calls)
}

// Requests are the requests the console received, signing in included.
func (f *Fake) Requests() []string {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	return slices.Clone(f.console.requests)
}

// Changes are those among the requests that may change something.
func (f *Fake) Changes() []string {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	return slices.Clone(f.console.changes)
}

// Learned is the list of roles that was last told to LearnRoles.
func (f *Fake) Learned() []provision.Role {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	return slices.Clone(f.console.learned)
}

// Forget empties the lists of calls, requests and changes.
func (f *Fake) Forget() {
	c := f.console
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls, c.requests, c.changes = nil, nil, nil
}

func (c *fakeConsole) vendor() *provision.Vendor {
	capabilities := map[provision.CapabilityName]provision.Capability{}
	for _, name := range provision.CapabilityNames() {
		capabilities[name] = provision.Capability{Level: provision.Native}
	}
	if c.o.KeepsAccounts {
		capabilities[provision.CanDeleteUser] = provision.Capability{Level: provision.Emulated, Note: "all roles are taken away"}
	}
	maps.Copy(capabilities, c.o.Capabilities)
	v := &provision.Vendor{
		Name: c.o.Name, Title: "Fake " + c.o.Name, About: "It keeps its people in memory.",
		Settings: []provision.Setting{
			{Name: "url", Help: "address", Address: true, Default: "https://fake.example"},
			{Name: "password", Help: "the service account's password", Secret: true, Required: true},
		},
		Options: append([]provision.Option{{
			Name: "badge", Kind: provision.KindString, Help: "number of the badge", OnCreate: true, OnUpdate: true,
		}}, c.o.Options...),
		Capabilities: capabilities,
		InFlight:     4,
		ListsPending: !c.o.Invites,
		PasswordRule: c.o.PasswordRule,
		New: func(_ context.Context, cfg provision.Config) (provision.Provisioner, error) {
			if cfg.Log == nil {
				cfg.Log = slog.New(slog.DiscardHandler)
			}
			return c.connect(cfg), nil
		},
	}
	if c.o.OneRole {
		v.PlanRoles = c.planOneRole
	}
	return v
}

// planOneRole refuses what would leave somebody with two direct roles.
func (c *fakeConsole) planOneRole(u provision.User, change provision.RoleChange) (provision.RoleDiff, error) {
	diff, err := provision.PlanRoles(u, change)
	if err != nil {
		return diff, err
	}
	if len(diff.Grant) > 1 {
		return provision.RoleDiff{}, &provision.Error{
			Vendor: c.v.Name, Op: OpChangeRoles, Kind: provision.ErrUnsupported, Message: "a person holds one role",
		}
	}
	kept := slices.DeleteFunc(u.DirectRoles(), func(id string) bool {
		return slices.Contains(diff.Revoke, id) || slices.Contains(diff.Grant, id)
	})
	if len(diff.Grant)+len(kept) > 1 {
		return provision.RoleDiff{}, &provision.Error{
			Vendor: c.v.Name, Op: OpChangeRoles, Kind: provision.ErrConflict, Message: "the person holds another role",
		}
	}
	return diff, nil
}

func fakeRoles() []provision.Role {
	return []provision.Role{
		{ID: FakeRoleA, Name: "Reader", Description: "Sees everything"},
		{ID: FakeRoleB, Name: "Analyst", Description: "Works on alerts"},
		{ID: "responder", Name: "Responder", Description: "Acts on hosts"},
		{ID: FakeGroupRole, Name: "Auditor", Description: "Reads the record"},
		{ID: FakeAdminRole, Name: "Administrator", Description: "Manages people"},
		{ID: "triage-7", Name: "Triage", Description: "", Custom: true},
	}
}

func fakeUsers(oneRole bool) []provision.User {
	direct := func(id, name string) provision.HeldRole { return provision.HeldRole{ID: id, Name: name, Direct: true} }
	reader, responder := direct(FakeRoleA, "Reader"), direct("responder", "Responder")
	person := func(login, first, last string, roles ...provision.HeldRole) provision.User {
		provision.SortRoles(roles)
		return provision.User{
			Login: login, FirstName: first, LastName: last, Phone: "+44 20 5550 " + first, Status: provision.StatusActive,
			Roles: append([]provision.HeldRole{}, roles...), Extra: map[string]any{"badge": ""},
		}
	}
	holder := []provision.HeldRole{reader, responder}
	if oneRole {
		holder = holder[:1]
	}
	zuse := person(FakeDisabled, "Konrad", "Zuse")
	zuse.Status = provision.StatusDisabled
	return []provision.User{
		person(FakeAccount, "Root", "", direct(FakeAdminRole, "Administrator")),
		person(FakePlain, "Ada", "Lovelace", reader),
		person(FakeMixed, "Grace", "Hopper"),
		person(FakeHolder, "Lin", "Clark", holder...),
		person(FakeInheritor, "Joan", "Clarke", provision.HeldRole{ID: FakeGroupRole, Name: "Auditor", Via: "SOC"}),
		zuse,
	}
}

// Target is the fake as a target of Run, to prove both.
func (o FakeOptions) Target() Target {
	probe := NewFake(o)
	target := Target{
		Vendor:    probe.Vendor(),
		Open:      func(*testing.T) *Tenant { return NewFake(o).Tenant() },
		Plain:     FakePlain,
		Mixed:     FakeMixed,
		Holder:    FakeHolder,
		Inheritor: FakeInheritor, InheritedRole: FakeGroupRole,
		RoleA:       provision.Role{ID: FakeRoleA, Name: "Reader"},
		RoleB:       provision.Role{ID: FakeRoleB, Name: "Analyst"},
		UnknownRole: "no-such-role",
		OneRole:     o.OneRole,
	}
	for _, u := range probe.State() {
		target.Listed = append(target.Listed, u.Login)
		if u.Login == FakeHolder {
			target.HolderRoles = u.DirectRoles()
		}
	}
	return target
}

// Tenant is the fake as what a Target opens.
func (f *Fake) Tenant() *Tenant {
	secrets := []string{FakePassword}
	return &Tenant{
		P: f,
		Connect: func(tweak func(*provision.Config)) provision.Provisioner {
			other := f.Connect(tweak)
			secrets = append(secrets, other.cfg.Secrets["password"].Reveal())
			return other
		},
		Secrets:        func() []string { return secrets },
		Output:         func() string { return "" },
		Requests:       f.Requests,
		Changes:        f.Changes,
		Disturb:        f.Disturb,
		Disturbed:      f.Disturbed,
		AfterChange:    f.AfterChange,
		ExpireSessions: f.ExpireSessions,
		PageSize:       f.PageSize,
		Forbid:         func() { f.Forbid(true) },
		Activate:       f.Activate,
		Twins: func() string {
			f.Put(provision.User{Login: "Twin@example.com", Status: provision.StatusActive})
			f.Put(provision.User{Login: "twin@example.com", Status: provision.StatusActive})
			return "twin@example.com"
		},
	}
}
