package plan_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/provision/provisiontest"
)

const newcomer = "new.comer@example.com"

func target(f *provisiontest.Fake) plan.Target {
	return plan.Target{Tenant: "one", Vendor: f.Vendor(), Provisioner: f}
}

// do applies one change under a fake clock, so that looks cost no real time.
func do(t *testing.T, f *provisiontest.Fake, c plan.Change, o plan.Options) plan.Result {
	t.Helper()
	var res plan.Result
	synctest.Test(t, func(t *testing.T) {
		c.Tenant = "one"
		results, err := plan.Apply(t.Context(), []plan.Target{target(f)}, []plan.Change{c}, o)
		require.NoError(t, err)
		require.Len(t, results, 1)
		res = results[0]
	})
	return res
}

func unbounded() plan.Options { return plan.Options{Guards: plan.Guards{MaxDeletes: -1}} }

func create(roles ...string) plan.Change {
	return plan.Change{Action: plan.CreateUser, Login: newcomer, Spec: provision.UserSpec{FirstName: "New", Roles: roles}}
}

func roles(action plan.Action, login string, c provision.RoleChange) plan.Change {
	return plan.Change{Action: action, Login: login, Roles: c}
}

func TestOutcomes(t *testing.T) {
	cases := []struct {
		name    string
		options provisiontest.FakeOptions
		prepare func(f *provisiontest.Fake)
		change  plan.Change
		want    plan.Outcome
		kind    provision.Kind
		added   []string
		removed []string
	}{
		{name: "create", change: create("Reader"), want: plan.Created, added: []string{"reader"}},
		{name: "create with a role as written", change: create("id:reader"), want: plan.Created, added: []string{"reader"}},
		{
			name: "create a taken login", change: plan.Change{Action: plan.CreateUser, Login: "ADA@example.com"},
			want: plan.Failed, kind: provision.ErrExists,
		},
		{
			name: "create a taken login if it does not exist", want: plan.Unchanged,
			change: plan.Change{Action: plan.CreateUser, Login: "ada@example.com", IfNotExists: true},
		},
		{name: "create with an unknown role", change: create("No Such"), want: plan.Failed, kind: provision.ErrNotFound},
		{name: "invite", options: provisiontest.FakeOptions{Invites: true}, change: create("Reader"), want: plan.Invited, added: []string{"reader"}},
		{
			name: "invite again if it does not exist", options: provisiontest.FakeOptions{Invites: true},
			prepare: func(f *provisiontest.Fake) {
				_, _ = f.CreateUser(context.Background(), provision.UserSpec{Login: newcomer})
			},
			change: plan.Change{Action: plan.CreateUser, Login: newcomer, IfNotExists: true}, want: plan.Invited,
		},
		{
			name: "grant", change: roles(plan.GrantRoles, "ada@example.com", provision.RoleChange{Grant: []string{"Analyst"}}),
			want: plan.Granted, added: []string{"analyst"},
		},
		{
			name: "grant a held role", change: roles(plan.GrantRoles, "ada@example.com", provision.RoleChange{Grant: []string{"reader"}}),
			want: plan.Unchanged,
		},
		{
			name: "revoke", change: roles(plan.RevokeRoles, "ada@example.com", provision.RoleChange{Revoke: []string{"reader"}}),
			want: plan.Revoked, removed: []string{"reader"},
		},
		{
			name: "set", change: roles(plan.SetRoles, "ada@example.com", provision.RoleChange{Grant: []string{"analyst"}, Exact: true}),
			want: plan.Updated, added: []string{"analyst"}, removed: []string{"reader"},
		},
		{
			name: "revoke an inherited role", want: plan.Unsupported, kind: provision.ErrUnsupported,
			change: roles(plan.RevokeRoles, "joan@example.com", provision.RoleChange{Revoke: []string{"auditor"}}),
		},
		{
			name: "grant to nobody", want: plan.Failed, kind: provision.ErrNotFound,
			change: roles(plan.GrantRoles, newcomer, provision.RoleChange{Grant: []string{"reader"}}),
		},
		{
			name: "update", want: plan.Updated,
			change: plan.Change{Action: plan.UpdateUser, Login: "ada@example.com", Patch: provision.UserPatch{FirstName: ptr("Augusta")}},
		},
		{
			name: "update to the same", want: plan.Unchanged,
			change: plan.Change{Action: plan.UpdateUser, Login: "ada@example.com", Patch: provision.UserPatch{FirstName: ptr("Ada")}},
		},
		{name: "delete", change: plan.Change{Action: plan.DeleteUser, Login: "ADA@example.com"}, want: plan.Deleted, removed: []string{"reader"}},
		{
			name: "delete nobody", change: plan.Change{Action: plan.DeleteUser, Login: newcomer},
			want: plan.Failed, kind: provision.ErrNotFound,
		},
		{name: "delete nobody if exists", change: plan.Change{Action: plan.DeleteUser, Login: newcomer, IfExists: true}, want: plan.Absent},
		{
			name: "delete where accounts stay", options: provisiontest.FakeOptions{KeepsAccounts: true},
			change: plan.Change{Action: plan.DeleteUser, Login: "ada@example.com"}, want: plan.Revoked, removed: []string{"reader"},
		},
		{name: "reset", change: plan.Change{Action: plan.ResetMFA, Login: "ada@example.com"}, want: plan.Updated},
		{
			name: "adopt", options: noCreate(), want: plan.Granted, added: []string{"analyst"},
			change: plan.Change{Action: plan.CreateUser, Login: "ada@example.com", Spec: provision.UserSpec{Roles: []string{"Analyst"}}},
		},
		{
			name: "adopt again", options: noCreate(), want: plan.Unchanged,
			change: plan.Change{Action: plan.CreateUser, Login: "ada@example.com", Spec: provision.UserSpec{Roles: []string{"Reader"}}},
		},
		{name: "adopt nobody", options: noCreate(), change: create("Reader"), want: plan.Unsupported, kind: provision.ErrUnsupported},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := provisiontest.NewFake(c.options)
			if c.prepare != nil {
				c.prepare(f)
			}
			before := f.State()
			got := do(t, f, c.change, unbounded())
			assert.Equal(t, c.want, got.Outcome, "%+v", got)
			assert.Equal(t, c.added, got.RolesAdded)
			assert.Equal(t, c.removed, got.RolesRemoved)
			if c.kind != "" {
				assert.Equal(t, c.kind, provision.KindOf(got.Err))
				assert.Equal(t, before, f.State(), "a failure changes nothing")
			} else {
				assert.NoError(t, got.Err)
			}
		})
		t.Run("dry run: "+c.name, func(t *testing.T) {
			f := provisiontest.NewFake(c.options)
			if c.prepare != nil {
				c.prepare(f)
			}
			f.Forget()
			o := unbounded()
			o.DryRun = true
			got := do(t, f, c.change, o)
			assert.Empty(t, f.Changes(), "a dry run sends no change")
			switch c.want {
			case plan.Failed, plan.Unsupported, plan.Unchanged, plan.Absent:
				assert.Equal(t, c.want, got.Outcome)
				assert.Equal(t, c.kind, kindOrNone(got.Err))
			default:
				if c.name == "invite again if it does not exist" {
					return // only the create would find out
				}
				assert.Equal(t, plan.Planned, got.Outcome)
				assert.Equal(t, c.added, got.RolesAdded)
				assert.Equal(t, c.removed, got.RolesRemoved)
			}
		})
	}
}

func noCreate() provisiontest.FakeOptions {
	return provisiontest.FakeOptions{Capabilities: map[provision.CapabilityName]provision.Capability{
		provision.CanCreateUser: {Level: provision.Unsupported, Note: "invite the person in the portal"},
	}}
}

func kindOrNone(err error) provision.Kind {
	if err == nil {
		return ""
	}
	return provision.KindOf(err)
}

func ptr(s string) *string { return &s }

// Where accounts stay, a second delete finds nothing to take.
func TestDeleteTwice(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{KeepsAccounts: true})
	for _, want := range []plan.Outcome{plan.Revoked, plan.Unchanged} {
		got := do(t, f, plan.Change{Action: plan.DeleteUser, Login: "ada@example.com"}, unbounded())
		require.NoError(t, got.Err)
		assert.Equal(t, want, got.Outcome)
	}
}

// A change whose answer was lost is looked at before it is asked for again.
func TestLostAnswers(t *testing.T) {
	cases := []struct {
		name    string
		options provisiontest.FakeOptions
		op      string
		applied []bool // for each answer that gets lost, whether the change was carried out
		change  plan.Change
		want    plan.Outcome
		changes int // changing requests the console received
	}{
		{"create, carried out", provisiontest.FakeOptions{}, provisiontest.OpCreate, []bool{true}, create(), plan.Created, 1},
		{"create, not carried out", provisiontest.FakeOptions{}, provisiontest.OpCreate, []bool{false}, create(), plan.Created, 2},
		{"create, lost twice, carried out the second time", provisiontest.FakeOptions{}, provisiontest.OpCreate, []bool{false, true}, create(), plan.Created, 2},
		{"create, lost twice", provisiontest.FakeOptions{}, provisiontest.OpCreate, []bool{false, false}, create(), plan.Created, 3},
		{"create, lost three times", provisiontest.FakeOptions{}, provisiontest.OpCreate, []bool{false, false, false}, create(), plan.Unknown, 3},
		{"invite, carried out", provisiontest.FakeOptions{Invites: true}, provisiontest.OpCreate, []bool{true}, create(), plan.Unknown, 1},
		{"invite, not carried out", provisiontest.FakeOptions{Invites: true}, provisiontest.OpCreate, []bool{false}, create(), plan.Unknown, 1},
		{
			"grant, carried out",
			provisiontest.FakeOptions{},
			provisiontest.OpChangeRoles,
			[]bool{true},
			roles(plan.GrantRoles, "ada@example.com", provision.RoleChange{Grant: []string{"analyst"}}), plan.Granted, 1,
		},
		{
			"grant, not carried out",
			provisiontest.FakeOptions{},
			provisiontest.OpChangeRoles,
			[]bool{false},
			roles(plan.GrantRoles, "ada@example.com", provision.RoleChange{Grant: []string{"analyst"}}), plan.Granted, 2,
		},
		{
			"delete, carried out",
			provisiontest.FakeOptions{},
			provisiontest.OpDelete,
			[]bool{true},
			plan.Change{Action: plan.DeleteUser, Login: "ada@example.com"},
			plan.Deleted, 1,
		},
		{
			"delete where accounts stay, carried out",
			provisiontest.FakeOptions{KeepsAccounts: true},
			provisiontest.OpDelete,
			[]bool{true},
			plan.Change{Action: plan.DeleteUser, Login: "ada@example.com"},
			plan.Revoked, 1,
		},
		{
			"delete, not carried out",
			provisiontest.FakeOptions{},
			provisiontest.OpDelete,
			[]bool{false},
			plan.Change{Action: plan.DeleteUser, Login: "ada@example.com"},
			plan.Deleted, 2,
		},
		{
			"update, carried out",
			provisiontest.FakeOptions{},
			provisiontest.OpUpdate,
			[]bool{true},
			plan.Change{Action: plan.UpdateUser, Login: "ada@example.com", Patch: provision.UserPatch{FirstName: ptr("A")}},
			plan.Updated, 1,
		},
		{
			"reset, never repeated",
			provisiontest.FakeOptions{},
			provisiontest.OpReset,
			[]bool{false},
			plan.Change{Action: plan.ResetMFA, Login: "ada@example.com"},
			plan.Unknown, 1,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := provisiontest.NewFake(c.options)
			for _, applied := range c.applied {
				f.LoseNext(c.op, applied)
			}
			got := do(t, f, c.change, unbounded())
			assert.Equal(t, c.want, got.Outcome, "%+v", got)
			assert.Len(t, f.Changes(), c.changes)
			assert.Equal(t, c.want == plan.Unknown, errors.Is(got.Err, provision.ErrUncertain))
		})
	}
}

// The second look at a create sees what the first did not see yet.
func TestLostCreateIsLookedForAgain(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	f.Lag(2)
	f.LoseNext(provisiontest.OpCreate, true)
	got := do(t, f, create(), unbounded())
	assert.Equal(t, plan.Created, got.Outcome)
	assert.Len(t, f.Changes(), 1)
}

func TestAccountOlderThanTheCommandIsNotAdopted(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	f.FailNext(provisiontest.OpCreate, &provision.Error{Kind: provision.ErrUncertain})
	synctest.Test(t, func(t *testing.T) {
		f.Put(provision.User{Login: newcomer, Created: time.Now().Add(-time.Hour)})
		c := create()
		c.Tenant = "one"
		results, err := plan.Apply(t.Context(), []plan.Target{target(f)}, []plan.Change{c}, unbounded())
		require.NoError(t, err)
		assert.Equal(t, plan.Failed, results[0].Outcome)
		assert.ErrorIs(t, results[0].Err, provision.ErrExists)
	})
}

// What is said of an invitation depends on whether the vendor lists it.
func TestInvited(t *testing.T) {
	for listed, want := range map[bool]string{false: "invited; not listed until the invitation is taken up", true: ""} {
		f := provisiontest.NewFake(provisiontest.FakeOptions{Invites: true})
		to := target(f)
		to.Vendor.ListsPending = listed
		results, err := plan.Apply(t.Context(), []plan.Target{to}, []plan.Change{inTenant(create())}, unbounded())
		require.NoError(t, err)
		assert.Equal(t, plan.Invited, results[0].Outcome)
		assert.Equal(t, want, results[0].Message)
	}
}

func inTenant(c plan.Change) plan.Change {
	c.Tenant = "one"
	return c
}

// Where the vendor does not say when an account was made, its roles tell
// whether a create whose answer was lost can have made it. An account that was
// there is left as it is.
func TestAccountOfOthersIsNotAdopted(t *testing.T) {
	held := func(ids ...string) (roles []provision.HeldRole) {
		for _, id := range ids {
			roles = append(roles, provision.HeldRole{ID: id, Direct: true})
		}
		return roles
	}
	ifNotExists := func(c plan.Change) plan.Change {
		c.IfNotExists = true
		return c
	}
	for _, tt := range []struct {
		name    string
		change  plan.Change
		held    []provision.HeldRole
		travel  bool
		want    plan.Outcome
		granted []string
	}{
		{name: "other roles", change: create("reader"), held: held("analyst"), want: plan.Failed},
		{name: "other roles, no matter", change: ifNotExists(create("reader")), held: held("analyst"), want: plan.Unchanged},
		{name: "without the role that is to follow", change: create("reader"), want: plan.Created, granted: []string{"reader"}},
		{name: "without the role that was sent along", change: create("reader"), travel: true, want: plan.Failed},
		{name: "with the role", change: create("reader"), held: held("reader"), travel: true, want: plan.Created, granted: []string{"reader"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := provisiontest.NewFake(provisiontest.FakeOptions{})
			f.Vendor().ListsPending = !tt.travel
			f.Put(provision.User{Login: newcomer, Roles: tt.held})
			f.FailNext(provisiontest.OpCreate, &provision.Error{Kind: provision.ErrUncertain})
			got := do(t, f, tt.change, unbounded())
			assert.Equal(t, tt.want, got.Outcome)
			assert.Equal(t, tt.granted, got.RolesAdded)
			if tt.want == plan.Failed {
				require.ErrorIs(t, got.Err, provision.ErrExists)
			}
			u, err := f.User(t.Context(), newcomer)
			require.NoError(t, err)
			if tt.want != plan.Created {
				assert.Len(t, u.Roles, len(tt.held), "an account of others is left as it is")
			}
		})
	}
}

func TestPartialCreate(t *testing.T) {
	refused := &provision.Error{Kind: provision.ErrPartial, Err: &provision.Error{Kind: provision.ErrForbidden}}
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	f.FailNext(provisiontest.OpCreate, refused)
	got := do(t, f, create("reader"), unbounded())
	assert.Equal(t, plan.Created, got.Outcome)
	assert.Empty(t, got.RolesAdded)
	require.ErrorIs(t, got.Err, provision.ErrPartial)
	asked := slices.ContainsFunc(f.Calls(), func(c provisiontest.Call) bool { return c.Op == provisiontest.OpChangeRoles })
	assert.False(t, asked, "what was refused is not asked for again")

	lost := &provision.Error{Kind: provision.ErrPartial, Err: &provision.Error{Kind: provision.ErrUncertain}}
	f = provisiontest.NewFake(provisiontest.FakeOptions{})
	f.Put(provision.User{Login: newcomer})
	f.FailNext(provisiontest.OpCreate, lost)
	got = do(t, f, create("reader"), unbounded())
	assert.Equal(t, plan.Created, got.Outcome)
	assert.Equal(t, []string{"reader"}, got.RolesAdded)
	assert.NoError(t, got.Err)
}

func TestGuardsRefuseBeforeAnything(t *testing.T) {
	remove := func(logins ...string) []plan.Change {
		var changes []plan.Change
		for _, l := range logins {
			changes = append(changes, plan.Change{Tenant: "one", Action: plan.DeleteUser, Login: l})
		}
		return changes
	}
	cases := []struct {
		name    string
		guards  plan.Guards
		changes []plan.Change
		kind    provision.Kind
	}{
		{"protected", plan.Guards{Protected: []string{"ADA@example.com"}, MaxDeletes: -1}, remove("lin@example.com", "ada@example.com"), provision.ErrRefused},
		{"too many", plan.Guards{MaxDeletes: 1}, remove("lin@example.com", "ada@example.com"), provision.ErrRefused},
		{"none allowed", plan.Guards{MaxDeletes: 0}, remove("ada@example.com"), provision.ErrRefused},
		{"the account in use", plan.Guards{MaxDeletes: -1}, remove("ada@example.com", provisiontest.FakeAccount), provision.ErrRefused},
		{
			"the last administrator",
			plan.Guards{MaxDeletes: -1},
			[]plan.Change{{
				Tenant: "one", Action: plan.RevokeRoles, Login: provisiontest.FakeAccount,
				Roles: provision.RoleChange{Revoke: []string{provisiontest.FakeAdminRole}},
			}},
			provision.ErrRefused,
		},
		{"named twice", plan.Guards{MaxDeletes: -1}, remove("ada@example.com", "Ada@Example.com"), provision.ErrUsage},
		{"no address", plan.Guards{MaxDeletes: -1}, remove("ada@example.com", "../current"), provision.ErrUsage},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := provisiontest.NewFake(provisiontest.FakeOptions{})
			_, err := plan.Apply(t.Context(), []plan.Target{target(f)}, c.changes, plan.Options{Guards: c.guards})
			require.ErrorIs(t, err, c.kind)
			assert.Empty(t, f.Changes())
		})
	}
	t.Run("lifted", func(t *testing.T) {
		f := provisiontest.NewFake(provisiontest.FakeOptions{})
		res, err := plan.Apply(t.Context(), []plan.Target{target(f)}, remove(provisiontest.FakeAccount),
			plan.Options{Guards: plan.Guards{MaxDeletes: -1, AllowLockout: true}})
		require.NoError(t, err)
		assert.Equal(t, plan.Deleted, res[0].Outcome)
	})
}

func TestConfirmation(t *testing.T) {
	no := errors.New("no")
	cases := []struct {
		name   string
		change plan.Change
		asks   bool
	}{
		{"create", create(), false},
		{"revoke one role", roles(plan.RevokeRoles, "ada@example.com", provision.RoleChange{Revoke: []string{"reader"}}), false},
		{"revoke all", roles(plan.RevokeRoles, "ada@example.com", provision.RoleChange{All: true}), true},
		{"delete", plan.Change{Action: plan.DeleteUser, Login: "ada@example.com"}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := provisiontest.NewFake(provisiontest.FakeOptions{})
			o := unbounded()
			o.Confirm = func(context.Context, plan.Question) error { return no }
			c.change.Tenant = "one"
			_, err := plan.Apply(t.Context(), []plan.Target{target(f)}, []plan.Change{c.change}, o)
			assert.Equal(t, c.asks, errors.Is(err, no))
			assert.Equal(t, c.asks, len(f.Changes()) == 0)

			o.DryRun = true
			_, err = plan.Apply(t.Context(), []plan.Target{target(f)}, []plan.Change{c.change}, o)
			assert.NoError(t, err, "a dry run never asks")
		})
	}
}

// journal records what it is told and can refuse to.
type journal struct {
	begun, ended []plan.Outcome
	full         error
}

func (j *journal) Begin(c plan.Change, _, _ []string) (func(plan.Result) func() error, error) {
	if j.full != nil {
		return nil, j.full
	}
	j.begun = append(j.begun, plan.Outcome(c.Login))
	return func(r plan.Result) func() error {
		j.ended = append(j.ended, r.Outcome)
		return func() error { return nil }
	}, nil
}

func TestJournal(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	o, j := unbounded(), &journal{}
	o.Journal = j
	do(t, f, create(), o)
	assert.Equal(t, []plan.Outcome{newcomer}, j.begun)
	assert.Equal(t, []plan.Outcome{plan.Created}, j.ended)

	f.Forget()
	j.full = errors.New("disk full")
	got := do(t, f, plan.Change{Action: plan.DeleteUser, Login: "ada@example.com"}, o)
	assert.Equal(t, plan.Failed, got.Outcome)
	assert.Empty(t, f.Changes(), "what cannot be recorded is not done")
}

func TestRefusedCredentialsStopTheTenant(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	g := provisiontest.NewFake(provisiontest.FakeOptions{})
	f.FailNext(provisiontest.OpDelete, &provision.Error{Kind: provision.ErrUnauthenticated})
	o := unbounded()
	o.Parallel = 1
	var changes []plan.Change
	for _, tenant := range []string{"one", "two"} {
		for _, login := range []string{"ada@example.com", "lin@example.com"} {
			changes = append(changes, plan.Change{Tenant: tenant, Action: plan.DeleteUser, Login: login})
		}
	}
	other := target(g)
	other.Tenant = "two"
	results, err := plan.Apply(t.Context(), []plan.Target{target(f), other}, changes, o)
	require.NoError(t, err)
	var got []plan.Outcome
	for _, r := range results {
		got = append(got, r.Outcome)
	}
	assert.Equal(t, []plan.Outcome{plan.Failed, plan.Skipped, plan.Deleted, plan.Deleted}, got)
	require.ErrorIs(t, results[1].Err, provision.ErrUnauthenticated)
	assert.Empty(t, f.Changes())
}

func TestStop(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	stop := make(chan struct{})
	f.OnCall(func(c provisiontest.Call) {
		if c.Op == provisiontest.OpDelete {
			close(stop)
		}
	})
	o := unbounded()
	o.Parallel, o.Stop = 1, stop
	results, err := plan.Apply(t.Context(), []plan.Target{target(f)}, []plan.Change{
		{Tenant: "one", Action: plan.DeleteUser, Login: "ada@example.com"},
		{Tenant: "one", Action: plan.DeleteUser, Login: "lin@example.com"},
	}, o)
	require.NoError(t, err)
	assert.Equal(t, plan.Deleted, results[0].Outcome, "what is in flight finishes")
	assert.Equal(t, plan.Skipped, results[1].Outcome)
	assert.ErrorIs(t, results[1].Err, provision.ErrInterrupted)
}

func TestRolesAreReadOnceAndKept(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	kept := &keptRoles{}
	one := target(f)
	one.Roles = kept
	change := roles(plan.GrantRoles, "ada@example.com", provision.RoleChange{Grant: []string{"Analyst"}})
	change.Tenant = "one"
	for range 2 {
		_, err := plan.Apply(t.Context(), []plan.Target{one}, []plan.Change{change}, unbounded())
		require.NoError(t, err)
	}
	lists := slices.DeleteFunc(f.Calls(), func(c provisiontest.Call) bool { return c.Op != provisiontest.OpListRoles })
	assert.Len(t, lists, 1)
}

type keptRoles struct{ roles []provision.Role }

func (k *keptRoles) Load() ([]provision.Role, bool) { return k.roles, k.roles != nil }
func (k *keptRoles) Save(roles []provision.Role)    { k.roles = roles }
