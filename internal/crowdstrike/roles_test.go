package crowdstrike

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

const otherCID = "ffffffffffffffffffffffffffffffff"

func act(verb, cid string, rest string) string {
	return "POST " + pathRoleActions + ` {"action":"` + verb + `","uuid":"` + testUUID + `","cid":"` + cid + `","role_ids":` + rest + `}`
}

func TestChangeRoles(t *testing.T) {
	held := []any{
		granted("a", "A", testCID), granted("b", "B", testCID, "expires_at", "2027-01-01T00:00:00Z"),
		granted("a", "A", otherCID), granted("c", "C", otherCID),
		granted("g", "G", testCID, "grant_type", "user_group", "user_group_name", "SOC"),
	}
	option := provision.Options{"cid": otherCID}
	tests := []struct {
		name             string
		change           provision.RoleChange
		want             []string
		granted, revoked []string
		after            []string // direct roles, in all CIDs
		kind             provision.Kind
	}{
		{name: "nothing", after: []string{"a", "b", "c"}},
		{name: "held", change: provision.RoleChange{Grant: []string{"a", "b"}}, after: []string{"a", "b", "c"}},
		{
			name: "held elsewhere", change: provision.RoleChange{Grant: []string{"c"}},
			want: []string{act("grant", testCID, `["c"]`)}, granted: []string{"c"}, after: []string{"a", "b", "c"},
		},
		{
			name: "in a named CID", change: provision.RoleChange{Grant: []string{"b"}, Revoke: []string{"a", "x"}, Options: option},
			want:    []string{act("grant", otherCID, `["b"]`), act("revoke", otherCID, `["a"]`)},
			granted: []string{"b"}, revoked: []string{"a"}, after: []string{"a", "b", "c"},
		},
		{
			name: "exact", change: provision.RoleChange{Grant: []string{"n"}, Exact: true},
			want:    []string{act("grant", testCID, `["n"]`), act("revoke", testCID, `["a"]`)},
			granted: []string{"n"}, revoked: []string{"a"}, after: []string{"a", "b", "c", "n"},
		},
		{
			name: "everything everywhere", change: provision.RoleChange{All: true},
			want:    []string{act("revoke", testCID, `["a","b"]`), act("revoke", otherCID, `["a","c"]`)},
			revoked: []string{"a", "b", "c"},
		},
		{
			name: "everything in a named CID", change: provision.RoleChange{All: true, Options: option},
			want: []string{act("revoke", otherCID, `["a","c"]`)}, revoked: []string{"a", "c"}, after: []string{"a", "b"},
		},
		{
			name: "everything, and one at home", change: provision.RoleChange{All: true, Grant: []string{"c"}},
			want: []string{
				act("grant", testCID, `["c"]`), act("revoke", testCID, `["a","b"]`), act("revoke", otherCID, `["a","c"]`),
			},
			granted: []string{"c"}, revoked: []string{"a", "b", "c"}, after: []string{"c"},
		},
		{
			name: "for a while", change: provision.RoleChange{Grant: []string{"a"}, Expires: time.Date(2027, 1, 1, 0, 0, 0, 9, time.UTC)},
			want: []string{act("grant", testCID, `["a"],"expires_at":"2027-01-01T00:00:00Z"`)}, granted: []string{"a"}, after: []string{"a", "b", "c"},
		},
		{name: "the same end", change: provision.RoleChange{Grant: []string{"b"}, Expires: time.Date(2027, 1, 1, 0, 0, 0, 9, time.UTC)}, after: []string{"a", "b", "c"}},
		{name: "inherited", change: provision.RoleChange{Revoke: []string{"g"}}, kind: provision.ErrUnsupported},
		{name: "inherited elsewhere", change: provision.RoleChange{Revoke: []string{"g"}, Options: option}, after: []string{"a", "b", "c"}},
		{name: "no CID", change: provision.RoleChange{Options: provision.Options{"cid": "x"}}, kind: provision.ErrUsage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := one(t, held...)
			a := c.connect()
			got, err := a.ChangeRoles(t.Context(), testLogin, tt.change)
			if tt.kind != "" {
				assert.Equal(t, tt.kind, problem(t, err).Kind)
				assert.NotContains(t, fmt.Sprint(c.asked()), pathRoleActions)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, append([]string{askedID, askedRecord, askedGrants}, tt.want...), c.asked())
			assert.Equal(t, tt.granted, got.Granted)
			assert.Equal(t, tt.revoked, got.Revoked)
			assert.Equal(t, tt.after, got.User.DirectRoles())

			before, err := a.User(t.Context(), testLogin)
			require.NoError(t, err)
			diff, err := a.V.Plan(before, tt.change)
			require.NoError(t, err)
			assert.ElementsMatch(t, tt.granted, diff.Grant, "as planned")
			assert.ElementsMatch(t, tt.revoked, diff.Revoke, "as planned")
		})
	}
}

func TestChangeRolesSendsHundredsInBatches(t *testing.T) {
	var many []string
	for i := range 250 {
		many = append(many, fmt.Sprintf("role-%03d", i))
	}
	c := one(t)
	got, err := c.connect().ChangeRoles(t.Context(), testLogin, provision.RoleChange{Grant: many})
	require.NoError(t, err)
	assert.Len(t, c.asked(), 3+3)
	assert.Equal(t, many, got.Granted)
}

func TestChangeRolesThatFails(t *testing.T) {
	swap := provision.RoleChange{Grant: []string{"n"}, Revoke: []string{"a"}}
	c := one(t, granted("a", "A", testCID))
	fail := func(verb string, r reply) {
		c.on("POST "+pathRoleActions, func(a asked) reply {
			if a.body[:len(`{"action":"`+verb)] == `{"action":"`+verb {
				return r
			}
			return reply{status: 200, body: map[string]any{"meta": meta(0)}}
		})
	}
	a := c.connect()

	fail("grant", no(400, "invalid roleID='n' specified"))
	got, err := a.ChangeRoles(t.Context(), testLogin, swap)
	e := problem(t, err)
	assert.Equal(t, provision.ErrNotFound, e.Kind)
	assert.Contains(t, e.Message, "'n'")
	assert.False(t, got.Changed())
	assert.Equal(t, []string{"a"}, got.User.DirectRoles())

	fail("grant", no(500, "internal"))
	got, err = a.ChangeRoles(t.Context(), testLogin, swap)
	assert.Equal(t, provision.ErrUncertain, problem(t, err).Kind)
	assert.Equal(t, []string{"n"}, got.Granted, "what was sent")
	assert.Empty(t, got.Revoked)

	fail("revoke", no(500, "internal"))
	got, err = a.ChangeRoles(t.Context(), testLogin, swap)
	assert.Equal(t, provision.ErrUncertain, problem(t, err).Kind)
	assert.Equal(t, []string{"n"}, got.Granted)
	assert.Equal(t, []string{"a"}, got.Revoked)

	fail("revoke", no(403, "access denied, scope not permitted"))
	got, err = a.ChangeRoles(t.Context(), testLogin, swap)
	assert.Equal(t, provision.ErrPartial, problem(t, err).Kind)
	require.ErrorIs(t, err, provision.ErrForbidden)
	assert.Equal(t, []string{"n"}, got.Granted)
	assert.Empty(t, got.Revoked)
	assert.Equal(t, []string{"a", "n"}, got.User.DirectRoles())
}

func role(id, display, kind string) map[string]any {
	return map[string]any{"id": id, "display_name": display, "description": "d", "is_global": false, "type": kind}
}

func TestRoles(t *testing.T) {
	const custom = "9b8a7f6e5d4c3b2a190817263544f0e1"
	c := newConsole(t).always("GET "+pathRoleIDs, ok("help_desk", custom, "event_viewer", "new")).
		always("POST "+pathRoleRecords, ok(role("event_viewer", "Event Viewer", "default"), role("help_desk", "Help Desk", "default"), role(custom, "Night shift", "custom")))
	a := c.connect()
	roles, err := a.Roles(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []provision.Role{
		{ID: custom, Name: "Night shift", Description: "d", Custom: true},
		{ID: "event_viewer", Name: "Event Viewer", Description: "d"},
		{ID: "help_desk", Name: "Help Desk", Description: "d"},
		{ID: "new", Name: "new"},
	}, roles)
	assert.Equal(t, []string{
		"GET " + pathRoleIDs, "POST " + pathRoleRecords + ` {"ids":["` + custom + `","event_viewer","help_desk","new"]}`,
	}, c.asked())

	for _, tt := range []struct {
		names    []string
		requests int
		whole    bool
	}{
		{[]string{"help_desk", "event_viewer"}, 1, false},
		{[]string{"help_desk", "Event Viewer"}, 2, true},
		{[]string{"HELP_DESK"}, 2, true},
		{[]string{"nothing"}, 2, true},
	} {
		c.forget()
		some, whole, err := a.ResolveRoles(t.Context(), tt.names)
		require.NoError(t, err)
		assert.Len(t, c.asked(), tt.requests, "%v", tt.names)
		assert.Equal(t, tt.whole, whole, "%v", tt.names)
		for _, n := range tt.names {
			want, wantErr := provision.FindRole(roles, n)
			got, gotErr := provision.FindRole(some, n)
			assert.Equal(t, want.ID, got.ID, n)
			assert.Equal(t, wantErr, gotErr, n)
		}
	}
}
