package cortex_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// Many users who get one role cost one request for each fifty, between two lists,
// whether or not the name of the role has been read before.
func TestManyUsersInOneRequest(t *testing.T) {
	for _, c := range []struct {
		generation string
		named      bool
	}{{"xdr3", true}, {"platform5", true}, {"platform5", false}} {
		generation := c.generation
		t.Run(fmt.Sprintf("%s, named %t", generation, c.named), func(t *testing.T) {
			x := open(t, generation, "generation", generation)
			role := "Viewer"
			if generation == "platform5" {
				role = "viewer"
			}
			var changes []provision.UserRoleChange
			for i := range 60 {
				login := fmt.Sprintf("many%02d@example.com", i)
				require.NoError(t, x.Activate(login))
				changes = append(changes, provision.UserRoleChange{Login: login, Change: provision.RoleChange{Grant: []string{role}}})
			}
			changes = append(changes, provision.UserRoleChange{Login: "nobody@example.com", Change: provision.RoleChange{Grant: []string{role}}})
			if c.named {
				_, err := x.p.Roles(t.Context()) // as whoever resolves names does
				require.NoError(t, err)
			}
			batcher, ok := x.p.(provision.RoleBatcher)
			require.True(t, ok)
			var out []provision.RoleOutcome
			sent := x.sent(func() { out = batcher.ChangeRolesOf(t.Context(), changes) })
			for i, o := range out[:60] {
				require.NoError(t, o.Err, i)
				assert.Equal(t, []string{role}, o.Result.Granted)
				assert.Equal(t, []string{role}, o.Result.User.DirectRoles())
			}
			require.ErrorIs(t, out[60].Err, provision.ErrNotFound)
			writes := 0
			for _, s := range sent {
				if s == setRole3 {
					writes++
				}
			}
			assert.Equal(t, 2, writes, sent)
			assert.LessOrEqual(t, len(sent), 6)
			sent = x.sent(func() { out = batcher.ChangeRolesOf(t.Context(), changes) })
			assert.NotContains(t, sent, setRole3, "nothing to do the second time")
			assert.False(t, out[0].Result.Changed())
		})
	}
}
