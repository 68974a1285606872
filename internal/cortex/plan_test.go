package cortex

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestPlanRoles(t *testing.T) {
	viewer := provision.HeldRole{ID: "viewer", Name: "Viewer", Direct: true}
	inherited := provision.HeldRole{ID: "lead", Name: "Lead", Via: "Leads"}
	account := provision.HeldRole{ID: "r1", Name: "Account Admin", Direct: true}
	for _, tt := range []struct {
		name   string
		held   []provision.HeldRole
		change provision.RoleChange
		want   provision.RoleDiff
		kind   provision.Kind
		says   string
	}{
		{name: "a first role", change: provision.RoleChange{Grant: []string{"viewer"}}, want: provision.RoleDiff{Grant: []string{"viewer"}}},
		{
			name: "beside an inherited one", held: []provision.HeldRole{inherited},
			change: provision.RoleChange{Grant: []string{"viewer"}}, want: provision.RoleDiff{Grant: []string{"viewer"}},
		},
		{
			name: "one that is held", held: []provision.HeldRole{viewer},
			change: provision.RoleChange{Grant: []string{"viewer"}},
		},
		{
			name: "beside another direct one", held: []provision.HeldRole{viewer},
			change: provision.RoleChange{Grant: []string{"lead"}}, kind: provision.ErrConflict, says: `"Viewer"`,
		},
		{
			name: "in the place of another", held: []provision.HeldRole{viewer},
			change: provision.RoleChange{Grant: []string{"lead"}, Exact: true},
			want:   provision.RoleDiff{Grant: []string{"lead"}, Revoke: []string{"viewer"}},
		},
		{
			name: "in the place of another that is named", held: []provision.HeldRole{viewer},
			change: provision.RoleChange{Grant: []string{"lead"}, Revoke: []string{"viewer"}},
			want:   provision.RoleDiff{Grant: []string{"lead"}, Revoke: []string{"viewer"}},
		},
		{name: "two at once", change: provision.RoleChange{Grant: []string{"viewer", "lead"}}, kind: provision.ErrUnsupported, says: "one direct role"},
		{
			name: "two at once, one of which is held", held: []provision.HeldRole{viewer},
			change: provision.RoleChange{Grant: []string{"viewer", "lead"}}, kind: provision.ErrUnsupported,
		},
		{name: "one twice", change: provision.RoleChange{Grant: []string{"viewer", "viewer"}}, want: provision.RoleDiff{Grant: []string{"viewer"}}},
		{name: "Account Admin", change: provision.RoleChange{Grant: []string{"Account Admin"}}, kind: provision.ErrUnsupported, says: "Account Admin"},
		{name: "Account Admin by id", change: provision.RoleChange{Grant: []string{"account_admin"}}, kind: provision.ErrUnsupported},
		{
			name: "to an Account Admin", held: []provision.HeldRole{account},
			change: provision.RoleChange{Grant: []string{"viewer"}, Exact: true}, kind: provision.ErrUnsupported, says: "Account Admin",
		},
		{
			name: "everything from an Account Admin", held: []provision.HeldRole{account},
			change: provision.RoleChange{All: true}, kind: provision.ErrUnsupported,
		},
		{name: "nothing of an Account Admin", held: []provision.HeldRole{account}, change: provision.RoleChange{Revoke: []string{"viewer"}}},
		{
			name: "an inherited one taken", held: []provision.HeldRole{inherited},
			change: provision.RoleChange{Revoke: []string{"lead"}}, kind: provision.ErrUnsupported, says: "Leads",
		},
		{
			name: "for a while", change: provision.RoleChange{Grant: []string{"viewer"}, Expires: time.Now()},
			kind: provision.ErrUnsupported, says: "do not end",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := planRoles(provision.User{Login: "a@b.example", Roles: tt.held}, tt.change)
			if tt.kind != "" {
				require.ErrorIs(t, err, tt.kind)
				assert.ErrorContains(t, err, tt.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	_, err := planRoles(provision.User{Login: "a@b.example", Roles: []provision.HeldRole{viewer}}, provision.RoleChange{Grant: []string{"lead"}})
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	assert.Contains(t, e.Hint, `edrctl role set a@b.example "lead"`)
}

func TestInheritedThroughNestedGroups(t *testing.T) {
	groups := []wireGroup{
		{ID: "1", Name: "Inner", RoleID: "r1", RoleName: "One"},
		{ID: "2", Name: "Middle", NestedGroups: groupSet{{ID: "1"}}},
		{ID: "3", Name: "Outer", OtherRoleID: "r3", NestedGroups: groupSet{{ID: "2", Name: "Middle"}, {ID: "3"}}},
		{ID: "4", Name: "Elsewhere", RoleID: "r4"},
	}
	want := []provision.HeldRole{{ID: "r1", Name: "One", Via: "Inner"}, {ID: "r3", Name: "r3", Via: "Outer"}}
	assert.Equal(t, want, rolesOf(person{groups: groupSet{{ID: "1", Name: "Inner"}}}, groups))
	assert.Equal(t, want, rolesOf(person{groups: groupSet{{Name: "Inner"}}}, groups), "by name where the id is not told")
	assert.Empty(t, rolesOf(person{}, groups))
}
