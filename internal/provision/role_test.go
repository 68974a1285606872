package provision_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edrctl/internal/provision"
)

func direct(id string) provision.HeldRole { return provision.HeldRole{ID: id, Direct: true} }

func until(id string, end time.Time) provision.HeldRole {
	return provision.HeldRole{ID: id, Direct: true, ExpiresAt: &end}
}

func through(id, group string) provision.HeldRole { return provision.HeldRole{ID: id, Via: group} }

func scoped(r provision.HeldRole, scope string) provision.HeldRole {
	r.Scope = scope
	return r
}

func TestPlanRoles(t *testing.T) {
	end := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		held    []provision.HeldRole
		change  provision.RoleChange
		grant   []string
		revoke  []string
		kind    provision.Kind
		message string
	}{
		{name: "the zero change", held: []provision.HeldRole{direct("a")}},
		{name: "grant to nobody's roles", change: provision.RoleChange{Grant: []string{"b", "a", "b"}}, grant: []string{"a", "b"}},
		{name: "grant a held role", held: []provision.HeldRole{direct("a")}, change: provision.RoleChange{Grant: []string{"a", "b"}}, grant: []string{"b"}},
		{name: "grant an inherited role", held: []provision.HeldRole{through("a", "SOC")}, change: provision.RoleChange{Grant: []string{"a"}}, grant: []string{"a"}},
		{name: "grant for a time what is held for ever", held: []provision.HeldRole{direct("a")}, change: provision.RoleChange{Grant: []string{"a"}, Expires: end}, grant: []string{"a"}},
		{name: "grant with the same end", held: []provision.HeldRole{until("a", end)}, change: provision.RoleChange{Grant: []string{"a"}, Expires: end.In(time.FixedZone("", 3600))}},
		{name: "grant with another end", held: []provision.HeldRole{until("a", end)}, change: provision.RoleChange{Grant: []string{"a"}, Expires: end.Add(time.Second)}, grant: []string{"a"}},
		{name: "grant for ever what is held for a time", held: []provision.HeldRole{until("a", end)}, change: provision.RoleChange{Grant: []string{"a"}}},
		{name: "grant what is held in another scope too", held: []provision.HeldRole{scoped(direct("a"), "1"), scoped(until("a", end), "2")}, change: provision.RoleChange{Grant: []string{"a"}, Expires: end}},
		{name: "revoke a held role", held: []provision.HeldRole{direct("a"), direct("b")}, change: provision.RoleChange{Revoke: []string{"b", "b"}}, revoke: []string{"b"}},
		{name: "revoke a temporary role", held: []provision.HeldRole{until("a", end)}, change: provision.RoleChange{Revoke: []string{"a"}}, revoke: []string{"a"}},
		{name: "revoke a role not held", held: []provision.HeldRole{direct("a")}, change: provision.RoleChange{Revoke: []string{"b"}}},
		{name: "revoke an inherited role", held: []provision.HeldRole{through("a", "SOC")}, change: provision.RoleChange{Revoke: []string{"a"}}, kind: provision.ErrUnsupported, message: `role "a" is inherited through SOC`},
		{name: "revoke an inherited role of unknown source", held: []provision.HeldRole{through("a", "")}, change: provision.RoleChange{Revoke: []string{"a"}}, kind: provision.ErrUnsupported, message: `role "a" is inherited and cannot`},
		{name: "revoke a role held both ways", held: []provision.HeldRole{through("a", "SOC"), direct("a")}, change: provision.RoleChange{Revoke: []string{"a"}}, revoke: []string{"a"}},
		{name: "nothing is planned beside a refusal", held: []provision.HeldRole{through("a", "SOC"), direct("b")}, change: provision.RoleChange{Grant: []string{"c"}, Revoke: []string{"b", "a"}}, kind: provision.ErrUnsupported, message: "inherited"},
		{name: "grant and revoke the same", held: []provision.HeldRole{until("a", end)}, change: provision.RoleChange{Grant: []string{"a"}, Revoke: []string{"a"}, Expires: end.Add(1)}, kind: provision.ErrUsage, message: `role "a" is to be granted and revoked`},
		{name: "exactly these", held: []provision.HeldRole{direct("a"), direct("b"), through("g", "SOC")}, change: provision.RoleChange{Exact: true, Grant: []string{"b", "c"}}, grant: []string{"c"}, revoke: []string{"a"}},
		{name: "exactly what is there", held: []provision.HeldRole{direct("a"), direct("b")}, change: provision.RoleChange{Exact: true, Grant: []string{"b", "a"}}},
		{name: "exactly none", held: []provision.HeldRole{direct("a"), until("t", end)}, change: provision.RoleChange{Exact: true}, revoke: []string{"a"}},
		{name: "exact takes what lasts in one scope", held: []provision.HeldRole{scoped(direct("a"), "1"), scoped(until("a", end), "2")}, change: provision.RoleChange{Exact: true}, revoke: []string{"a"}},
		{name: "exact takes a temporary role that is named", held: []provision.HeldRole{until("t", end)}, change: provision.RoleChange{Exact: true, Revoke: []string{"t"}}, revoke: []string{"t"}},
		{name: "all", held: []provision.HeldRole{direct("b"), direct("a"), until("t", end), through("g", "SOC")}, change: provision.RoleChange{All: true}, revoke: []string{"a", "b", "t"}},
		{name: "all but one", held: []provision.HeldRole{direct("b"), until("t", end)}, change: provision.RoleChange{All: true, Grant: []string{"a"}}, grant: []string{"a"}, revoke: []string{"b", "t"}},
		{name: "all of nothing", held: []provision.HeldRole{through("g", "SOC")}, change: provision.RoleChange{All: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := provision.PlanRoles(provision.User{Roles: tt.held}, tt.change)
			if tt.kind != "" {
				require.ErrorIs(t, err, tt.kind)
				require.ErrorContains(t, err, tt.message)
				assert.True(t, got.Empty(), "%+v", got)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, provision.RoleDiff{Grant: tt.grant, Revoke: tt.revoke}, got)
			assert.Equal(t, len(tt.grant)+len(tt.revoke) == 0, got.Empty())
		})
	}
}

// ids draws from a small alphabet, so that sets overlap.
func ids() *rapid.Generator[[]string] {
	return rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}), 0, 6)
}

func drawUser(t *rapid.T) provision.User {
	var u provision.User
	end := time.Unix(2_000_000_000, 0)
	for _, id := range ids().Draw(t, "direct") {
		r := direct(id)
		if rapid.Bool().Draw(t, "temporary") {
			r.ExpiresAt = &end
		}
		u.Roles = append(u.Roles, r)
	}
	for _, id := range ids().Draw(t, "inherited") {
		u.Roles = append(u.Roles, through(id, "group"))
	}
	return u
}

func drawChange(t *rapid.T) provision.RoleChange {
	c := provision.RoleChange{
		Grant: ids().Draw(t, "grant"), Revoke: ids().Draw(t, "revoke"),
		Exact: rapid.Bool().Draw(t, "exact"), All: rapid.Bool().Draw(t, "all"),
	}
	if rapid.Bool().Draw(t, "expires") {
		c.Expires = time.Unix(rapid.SampledFrom([]int64{2_000_000_000, 2_000_000_001}).Draw(t, "end"), 0)
	}
	return c
}

// carryOut is what a vendor does with a difference.
func carryOut(u provision.User, d provision.RoleDiff, end time.Time) provision.User {
	roles := slices.DeleteFunc(slices.Clone(u.Roles), func(r provision.HeldRole) bool {
		return r.Direct && (slices.Contains(d.Revoke, r.ID) || slices.Contains(d.Grant, r.ID))
	})
	for _, id := range d.Grant {
		r := direct(id)
		if !end.IsZero() {
			r.ExpiresAt = &end
		}
		roles = append(roles, r)
	}
	u.Roles = roles
	return u
}

func TestPlanRolesProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, c := drawUser(t), drawChange(t)
		before := slices.Clone(u.Roles)
		d, err := provision.PlanRoles(u, c)
		if !slices.Equal(before, u.Roles) {
			t.Fatal("planning changed the user")
		}
		if err != nil {
			if !d.Empty() {
				t.Fatalf("a refusal with a plan: %+v", d)
			}
			return
		}
		for _, set := range [][]string{d.Grant, d.Revoke} {
			if !slices.IsSorted(set) || len(slices.Compact(slices.Clone(set))) != len(set) {
				t.Fatalf("not a sorted set: %v", set)
			}
		}
		for _, id := range d.Grant {
			if slices.Contains(d.Revoke, id) {
				t.Fatalf("%s is granted and revoked", id)
			}
			if !slices.Contains(c.Grant, id) {
				t.Fatalf("%s is granted and nobody asked for it", id)
			}
		}
		held := u.DirectRoles()
		for _, id := range d.Revoke {
			if !slices.Contains(held, id) {
				t.Fatalf("%s is revoked and not held", id)
			}
			if slices.Contains(c.Grant, id) {
				t.Fatalf("%s is asked for and revoked", id)
			}
			if !slices.Contains(c.Revoke, id) && !c.Exact && !c.All {
				t.Fatalf("%s is revoked and nobody asked for it", id)
			}
		}

		after := carryOut(u, d, c.Expires)
		for _, id := range c.Grant {
			if !slices.Contains(after.DirectRoles(), id) {
				t.Fatalf("%s is asked for and not held afterwards", id)
			}
		}
		for _, id := range c.Revoke {
			if slices.Contains(after.DirectRoles(), id) {
				t.Fatalf("%s is held after being revoked", id)
			}
		}
		if c.All {
			for _, id := range after.DirectRoles() {
				if !slices.Contains(c.Grant, id) {
					t.Fatalf("%s survives All", id)
				}
			}
		}
		if c.Exact {
			for _, r := range after.Roles {
				if r.Direct && !r.Temporary() && !slices.Contains(c.Grant, r.ID) {
					t.Fatalf("%s survives Exact", r.ID)
				}
			}
		}
		for _, r := range u.Roles {
			if !r.Direct && !slices.Contains(after.Roles, r) {
				t.Fatalf("the inherited %s is gone", r.ID)
			}
		}
		again, err := provision.PlanRoles(after, c)
		// Only revoking a role that now comes through a group alone is refused.
		if err == nil && !again.Empty() {
			t.Fatalf("there is something left to do: %+v", again)
		}
	})
}

func TestFindRole(t *testing.T) {
	roles := []provision.Role{
		{ID: "analyst_l1", Name: "Analyst L1"},
		{ID: "admin", Name: "Administrator"},
		{ID: "Viewer", Name: "admin"},
		{ID: "psc:role::VIEW_ALL", Name: "View All"},
		{ID: "9f", Name: "Triage"},
		{ID: "8e", Name: "triage"},
		{ID: "7d", Name: "Twice"},
		{ID: "7d", Name: "Twice"},
		{ID: "nameless"},
	}
	for _, tt := range []struct {
		name    string
		lookFor string
		want    string
		kind    provision.Kind
		says    string
		hint    string
	}{
		{name: "by id", lookFor: "analyst_l1", want: "analyst_l1"},
		{name: "by name", lookFor: "Analyst L1", want: "analyst_l1"},
		{name: "by id in another case", lookFor: "PSC:ROLE::view_all", want: "psc:role::VIEW_ALL"},
		{name: "by name in another case", lookFor: "view all", want: "psc:role::VIEW_ALL"},
		{name: "with blanks around", lookFor: "  View All\t", want: "psc:role::VIEW_ALL"},
		{name: "an id goes before a name", lookFor: "admin", want: "admin"},
		{name: "an exact name goes before another case", lookFor: "Triage", want: "9f"},
		{name: "and the other one", lookFor: "triage", want: "8e"},
		{name: "two in neither's case", lookFor: "TRIAGE", kind: provision.ErrUsage, says: "9f (Triage), 8e (triage)", hint: "by its id"},
		{name: "an id and a name in neither's case", lookFor: "ADMIN", kind: provision.ErrUsage, says: "admin (Administrator), Viewer (admin)"},
		{name: "the same role listed twice", lookFor: "Twice", want: "7d"},
		{name: "none", lookFor: "quartermaster", kind: provision.ErrNotFound, says: `there is no role "quartermaster"`, hint: "role list"},
		{name: "nearly", lookFor: "Administratr", kind: provision.ErrNotFound, hint: `did you mean "Administrator"?`},
		{name: "nearly an id", lookFor: "analyst_l2", kind: provision.ErrNotFound, hint: `did you mean "analyst_l1"?`},
		{name: "nothing", lookFor: "", kind: provision.ErrUsage, says: "empty"},
		{name: "blanks", lookFor: " \t", kind: provision.ErrUsage, says: "empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := provision.FindRole(roles, tt.lookFor)
			if tt.kind == "" {
				require.NoError(t, err)
				assert.Equal(t, tt.want, got.ID)
				return
			}
			require.ErrorIs(t, err, tt.kind)
			require.ErrorContains(t, err, tt.says)
			assert.Zero(t, got)
			var e *provision.Error
			require.ErrorAs(t, err, &e)
			assert.Contains(t, e.Hint, tt.hint)
		})
	}
	_, err := provision.FindRole(nil, "any")
	assert.ErrorIs(t, err, provision.ErrNotFound, "in an empty list")
}

func TestSortRoles(t *testing.T) {
	roles := []provision.HeldRole{scoped(direct("b"), "1"), scoped(direct("a"), "2"), scoped(through("a", "g"), "1")}
	provision.SortRoles(roles)
	assert.Equal(t, []provision.HeldRole{scoped(through("a", "g"), "1"), scoped(direct("a"), "2"), scoped(direct("b"), "1")}, roles)
	assert.Equal(t, []string{"a", "b"}, provision.User{Roles: roles}.DirectRoles())
	assert.Nil(t, provision.User{}.DirectRoles())
}

func TestRoleResultChanged(t *testing.T) {
	assert.False(t, provision.RoleResult{}.Changed())
	assert.True(t, provision.RoleResult{Granted: []string{"a"}}.Changed())
	assert.True(t, provision.RoleResult{Revoked: []string{"a"}}.Changed())
	assert.True(t, provision.RoleResult{Activated: true}.Changed())
}
