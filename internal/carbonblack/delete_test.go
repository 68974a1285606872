package carbonblack_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

func (x *tenant) guard(ctx context.Context, login string, c provision.RoleChange) error {
	x.t.Helper()
	g, ok := x.Provisioner.(provision.Guard)
	require.True(x.t, ok)
	return g.GuardRemoval(ctx, login, c)
}

func TestDeleteCounts(t *testing.T) {
	x := open(t)
	gone, err := x.DeleteUser(t.Context(), ines)
	require.NoError(t, err)
	assert.Equal(t, provision.Removal{ID: "6100417", Deleted: true, Revoked: []string{socTriage, level2}}, gone)
	assert.Equal(t, []string{"GET users", "POST _fetch", "DELETE grant", "DELETE user"}, x.sent())

	_, err = x.DeleteUser(t.Context(), lea)
	require.NoError(t, err)
	assert.Equal(t, []string{"GET users", "POST _fetch", "DELETE user"}, x.sent(), "without a grant")

	_, err = x.DeleteUser(t.Context(), ines)
	require.ErrorIs(t, err, provision.ErrNotFound)
}

func TestDeleteReachesFurther(t *testing.T) {
	x := open(t)
	_, err := x.DeleteUser(t.Context(), marek)
	require.ErrorIs(t, err, provision.ErrRefused)
	require.ErrorContains(t, err, "psc:org:3HF8W2LC")
	assert.Equal(t, []string{"GET users", "POST _fetch"}, x.sent())
}

// TestDeleteInHalves fails after the grant has gone.
func TestDeleteInHalves(t *testing.T) {
	for action, want := range map[string]provision.Kind{"403": provision.ErrPartial, "500": provision.ErrUncertain} {
		x := open(t)
		require.NoError(t, x.server.Fault(mock.Fault{Method: "DELETE", Path: "/users/", Action: action}))
		gone, err := x.DeleteUser(t.Context(), ines)
		require.Error(t, err)
		assert.Equal(t, want, provision.KindOf(err))
		require.ErrorContains(t, err, "access is gone")
		assert.False(t, gone.Deleted)
		assert.Equal(t, []string{socTriage, level2}, gone.Revoked)
		assert.Empty(t, x.user(ines).Roles)

		gone, err = x.DeleteUser(t.Context(), ines)
		require.NoError(t, err, "again")
		assert.True(t, gone.Deleted)
	}
}

// TestDeleteTwiceAtOnce meets what somebody else has deleted already.
func TestDeleteTwiceAtOnce(t *testing.T) {
	for _, path := range []string{"/grants/", "/users/"} {
		x := open(t)
		require.NoError(t, x.server.Fault(mock.Fault{Method: "DELETE", Path: path, Action: "after-404"}))
		gone, err := x.DeleteUser(t.Context(), ines)
		require.NoError(t, err, path)
		assert.True(t, gone.Deleted)
	}
}

// TestDeleteMeetsAGrant is about a grant made since the guard looked.
func TestDeleteMeetsAGrant(t *testing.T) {
	x := open(t)
	require.NoError(t, x.guard(t.Context(), lea, provision.RoleChange{All: true}))
	x.load(func(state map[string]any) {
		state["grants"] = append(state["grants"].([]any), map[string]any{
			"principal": "psc:user:7KQ2M9XD:6100502", "org_ref": orgURN, "principal_name": "Lea Brandt", "expires": 0,
			"roles": []any{viewOnly}, "profiles": []any{},
		})
	})
	x.sent()
	gone, err := x.DeleteUser(t.Context(), lea)
	require.NoError(t, err)
	assert.True(t, gone.Deleted)
	assert.Equal(t, []string{"DELETE user", "POST _fetch", "DELETE grant", "DELETE user"}, x.sent())
}

func TestGuardShares(t *testing.T) {
	x := open(t)
	revoke := provision.RoleChange{Revoke: []string{level2}}
	require.NoError(t, x.guard(t.Context(), ines, revoke))
	require.NoError(t, x.guard(t.Context(), jonas, provision.RoleChange{All: true}))
	assert.Equal(t, []string{"GET users", "POST _fetch"}, x.sent(), "one look for both")

	_, err := x.ChangeRoles(t.Context(), ines, revoke)
	require.NoError(t, err)
	assert.Equal(t, []string{"PUT profile", "GET grant"}, x.sent(), "the guard has read")

	_, err = x.DeleteUser(t.Context(), jonas)
	require.NoError(t, err)
	assert.Equal(t, []string{"POST _fetch", "DELETE grant", "DELETE user"}, x.sent(), "a change makes what was read old")

	x.user(ines)
	assert.Equal(t, []string{"GET users", "POST _fetch"}, x.sent(), "a read is never from memory")
}

func TestGuard(t *testing.T) {
	const systemAdmin, legacySuper = "psc:role::BETA_SYSTEM_ADMIN", "psc:role::SUPER_ADMIN"
	revoke := provision.RoleChange{Revoke: []string{superAdmin}}
	all := provision.RoleChange{All: true}
	end := time.Now().Add(time.Hour)
	give := func(login string, until time.Time, roles ...string) func(x *tenant) error {
		return func(x *tenant) error {
			_, err := x.ChangeRoles(x.t.Context(), login, provision.RoleChange{Grant: roles, Expires: until})
			return err
		}
	}
	none := func(*tenant) error { return nil }
	tests := []struct {
		name    string
		prepare func(x *tenant) error
		login   string
		change  provision.RoleChange
		refused bool
	}{
		{"the last", none, vera, revoke, true},
		{"the last, by deletion", none, vera, all, true},
		{"the last, by a set", none, vera, provision.RoleChange{Exact: true, Grant: []string{systemAdmin}}, true},
		{"the last, in another spelling", none, "VERA.lindqvist@example.com", revoke, true},
		{"the last keeps it", none, vera, provision.RoleChange{Exact: true, Grant: []string{superAdmin}}, false},
		{"the last gets its other form", none, vera, provision.RoleChange{Exact: true, Grant: []string{legacySuper}}, false},
		{"the last gets more", none, vera, provision.RoleChange{Grant: []string{viewAll}}, false},
		{"another has it", give(lea, time.Time{}, superAdmin), vera, revoke, false},
		{"another has it for a while", give(lea, end, superAdmin), vera, revoke, true},
		{"another manages users", give(lea, time.Time{}, systemAdmin), vera, revoke, true},
		{"a manager beside a Super Admin", give(lea, time.Time{}, systemAdmin), lea, all, false},
		{"somebody else", none, ines, all, false},
		{"somebody invited", none, nadia, all, false},
		{"nobody", none, "nobody@example.com", all, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := open(t)
			require.NoError(t, tt.prepare(x))
			x.sent()
			err := x.guard(t.Context(), tt.login, tt.change)
			for _, r := range x.sent() {
				assert.Contains(t, []string{"GET users", "POST _fetch"}, r)
			}
			if !tt.refused {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, provision.ErrRefused)
			require.ErrorContains(t, err, "Super Admin")
		})
	}
}

// TestGuardManager is about a tenant without Super Admins.
func TestGuardManager(t *testing.T) {
	for _, role := range []string{"psc:role::BETA_SYSTEM_ADMIN", "psc:role::SYSTEM_ADMIN", "psc:role::ALL_AND_LR", "psc:role::ALL"} {
		x := open(t)
		x.load(func(state map[string]any) {
			state["grants"].([]any)[0].(map[string]any)["roles"] = []any{role}
		})
		require.ErrorIs(t, x.guard(t.Context(), vera, provision.RoleChange{All: true}), provision.ErrRefused, role)
	}
}

func TestGuardCannotRead(t *testing.T) {
	x := open(t)
	require.NoError(t, x.server.Fault(mock.Fault{Path: "/_fetch", Action: "403"}))
	err := x.guard(t.Context(), vera, provision.RoleChange{All: true})
	require.ErrorIs(t, err, provision.ErrForbidden)

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	require.ErrorIs(t, x.guard(ctx, vera, provision.RoleChange{All: true}), provision.ErrInterrupted)
}
