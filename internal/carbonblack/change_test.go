package carbonblack_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// TestChangeCounts makes each kind of change in both forms of a grant.
func TestChangeCounts(t *testing.T) {
	grant := func(roles ...string) provision.RoleChange { return provision.RoleChange{Grant: roles} }
	revoke := func(roles ...string) provision.RoleChange { return provision.RoleChange{Revoke: roles} }
	exact := func(roles ...string) provision.RoleChange { return provision.RoleChange{Grant: roles, Exact: true} }
	all := provision.RoleChange{All: true}
	until := provision.RoleChange{Grant: []string{viewAll}, Expires: time.Now().Add(48 * time.Hour)}
	tests := []struct {
		name, login string
		change      provision.RoleChange
		write       []string
		want        []string // effective roles afterwards
	}{
		{"no grant: grant", lea, grant(viewAll), []string{"POST grants"}, []string{viewAll}},
		{"no grant: grant two", lea, grant(viewAll, level1), []string{"POST grants"}, []string{level1, viewAll}},
		{"no grant: with an end", lea, until, []string{"POST grants"}, []string{viewAll}},
		{"no grant: revoke", lea, revoke(viewAll), nil, nil},
		{"no grant: all", lea, all, nil, nil},
		{"roles: grant", jonas, grant(viewAll), []string{"PUT grant"}, []string{viewOnly, socTriage, unlisted, viewAll}},
		{"roles: held", jonas, grant(viewOnly), nil, []string{viewOnly, socTriage, unlisted}},
		{"roles: revoke", jonas, revoke(socTriage), []string{"PUT grant"}, []string{viewOnly, unlisted}},
		{"roles: revoke the last", vera, revoke(superAdmin), []string{"DELETE grant"}, nil},
		{"roles: swap", jonas, exact(viewAll), []string{"PUT grant"}, []string{viewAll}},
		{"roles: all", jonas, all, []string{"DELETE grant"}, nil},
		{"profile: grant", ines, grant(viewAll), []string{"PUT profile"}, []string{level2, socTriage, viewAll}},
		{"profile: held", ines, grant(level2), nil, []string{level2, socTriage}},
		{"profile: with an end", ines, until, []string{"POST profiles"}, []string{level2, socTriage, viewAll}},
		{"profile: revoke", ines, revoke(level2), []string{"PUT profile"}, []string{socTriage}},
		{"profile: swap", ines, exact(viewAll), []string{"PUT profile"}, []string{viewAll}},
		{"profile: exactly none", ines, exact(), []string{"DELETE profile"}, nil},
		{"profile: all", ines, all, []string{"DELETE grant"}, nil},
		{"disabled profile: its role again", priya, grant(level3), []string{"PUT profile"}, []string{viewAll, level3}},
		{"disabled profile: the other's last", priya, revoke(viewAll), []string{"DELETE profile"}, nil},
		{"shared profile: grant", marek, grant(viewAll), []string{"POST profiles"}, []string{level1, viewAll}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := open(t, "mixed-grants=reject", "empty-roles-put=reject")
			before := x.user(tt.login).DirectRoles()
			x.sent()
			got, err := x.ChangeRoles(t.Context(), tt.login, tt.change)
			require.NoError(t, err)
			requests := []string{"GET users", "POST _fetch"}
			if tt.write != nil {
				requests = append(append(requests, tt.write...), "GET grant")
			}
			// The list of users is the one that was just read.
			assert.Equal(t, requests[1:], x.sent())
			assert.ElementsMatch(t, tt.want, got.User.DirectRoles())
			assert.ElementsMatch(t, tt.want, x.state().EffectiveRoles[tt.login])
			assert.Equal(t, tt.write != nil, got.Changed())
			assert.ElementsMatch(t, got.Granted, minus(tt.want, before))
			assert.ElementsMatch(t, got.Revoked, minus(before, tt.want))
		})
	}
}

func minus(list, items []string) []string {
	var left []string
	for _, x := range list {
		if !contains(items, x) {
			left = append(left, x)
		}
	}
	return left
}

func contains(list []string, x string) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

func TestChangeReadsTheListOnce(t *testing.T) {
	x := open(t)
	for _, login := range []string{ines, lea, priya, jonas} {
		_, err := x.ChangeRoles(t.Context(), login, provision.RoleChange{Grant: []string{level1}})
		require.NoError(t, err)
	}
	assert.Equal(t, []string{
		"GET users", "POST _fetch", "PUT profile", "GET grant",
		"POST _fetch", "POST grants", "GET grant",
		"POST _fetch", "PUT profile", "GET grant",
		"POST _fetch", "PUT grant", "GET grant",
	}, x.sent())

	_, err := x.ChangeRoles(t.Context(), nadia, provision.RoleChange{Grant: []string{level1}})
	require.ErrorIs(t, err, provision.ErrNotFound)
	assert.Equal(t, []string{"GET users"}, x.sent(), "who is not in the list may be there by now")
	require.NoError(t, x.server.Activate(nadia))
	_, err = x.ChangeRoles(t.Context(), nadia, provision.RoleChange{Grant: []string{level2}})
	require.NoError(t, err)
}

func TestChangeRefused(t *testing.T) {
	const foreign = "psc:org:3HF8W2LC"
	for name, c := range map[string]provision.RoleChange{
		"revoke":  {Revoke: []string{level1}},
		"exactly": {Exact: true, Grant: []string{viewAll}},
		"all":     {All: true},
	} {
		t.Run(name, func(t *testing.T) {
			x := open(t)
			_, err := x.ChangeRoles(t.Context(), marek, c)
			require.ErrorIs(t, err, provision.ErrRefused)
			require.ErrorContains(t, err, foreign)
			assert.Equal(t, []string{"GET users", "POST _fetch"}, x.sent())
		})
	}
	x := open(t)
	_, err := x.ChangeRoles(t.Context(), jonas, provision.RoleChange{Grant: []string{viewAll}, Expires: time.Now().Add(time.Hour)})
	require.ErrorIs(t, err, provision.ErrUnsupported)
	assert.Equal(t, []string{"GET users", "POST _fetch"}, x.sent())
}

// TestChangeLeavesOthers takes everything from somebody who also has access
// elsewhere, which stays.
func TestChangeLeavesOthers(t *testing.T) {
	x := open(t)
	x.load(func(state map[string]any) {
		profiles := state["grants"].([]any)[1].(map[string]any)["profiles"].([]any)
		state["grants"].([]any)[1].(map[string]any)["profiles"] = append(profiles, map[string]any{
			"profile_uuid": "11111111-2222-4333-8444-555555555555", "orgs": map[string]any{"allow": []any{"psc:org:3HF8W2LC"}},
			"roles": []any{level3}, "conditions": map[string]any{"expiration": 0, "disabled": false}, "can_manage": true,
		})
	})
	got, err := x.ChangeRoles(t.Context(), ines, provision.RoleChange{All: true})
	require.NoError(t, err)
	assert.Equal(t, []string{"GET users", "POST _fetch", "DELETE profile", "GET grant"}, x.sent())
	assert.Empty(t, got.User.Roles)
	after := x.state().Grants[1].Profiles
	assert.True(t, after[0].Conditions.Disabled)
	assert.False(t, after[1].Conditions.Disabled)

	_, err = x.DeleteUser(t.Context(), ines)
	require.ErrorIs(t, err, provision.ErrRefused)
	assert.Equal(t, []string{"POST _fetch"}, x.sent())
}

// TestChangeMeetsAGrant is about a grant that somebody makes between our look
// and our write.
func TestChangeMeetsAGrant(t *testing.T) {
	x := open(t)
	require.NoError(t, x.guard(t.Context(), lea, provision.RoleChange{All: true}))
	x.load(func(state map[string]any) {
		state["grants"] = append(state["grants"].([]any), map[string]any{
			"principal": "psc:user:7KQ2M9XD:6100502", "org_ref": orgURN, "principal_name": "Lea Brandt", "expires": 0,
			"roles": []any{viewOnly}, "profiles": []any{},
		})
	})
	x.sent()
	got, err := x.ChangeRoles(t.Context(), lea, provision.RoleChange{Grant: []string{viewAll}})
	require.NoError(t, err)
	assert.Equal(t, []string{"POST grants", "POST _fetch", "PUT grant", "GET grant"}, x.sent())
	assert.Equal(t, []string{viewAll, viewOnly}, got.User.DirectRoles())

	x = open(t)
	require.NoError(t, x.server.Fault(mock.Fault{Method: "POST", Path: "/orgs/" + org + "/grants", Action: "409", Count: -1}))
	_, err = x.ChangeRoles(t.Context(), lea, provision.RoleChange{Grant: []string{viewAll}})
	require.ErrorIs(t, err, provision.ErrConflict, "a grant that cannot be seen")
	assert.Equal(t, []string{"GET users", "POST _fetch", "POST grants", "POST _fetch", "POST grants"}, x.sent())
}

// TestChangeReadsBack is about a vendor that accepts a change and does not make
// it.
func TestChangeReadsBack(t *testing.T) {
	path := grants + "/" + inesURN
	own := string(readFixture(t, "get-grant").Response.Body)
	answers := map[string]struct {
		status int
		body   string
	}{
		"the same as before": {200, own},
		"nothing":            {404, `{}`},
		"an error":           {400, `{"message":"no"}`},
		"rubbish":            {200, `[]`},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			p := newReplay(t)
			p.list(listed(t)[0])
			p.answer("POST", fetchPath, 200, `{"results":[`+own+`]}`)
			p.answer("PUT", path+"/profiles/5b0d7c1e-93f4-4a57-8a3b-1f6f0c2d9e10", 200, `{}`)
			p.answer("GET", path, answer.status, answer.body)
			got, err := p.adapter(nil).ChangeRoles(t.Context(), ines, provision.RoleChange{Grant: []string{viewAll}, Revoke: []string{level2}})
			require.ErrorIs(t, err, provision.ErrUncertain)
			assert.Equal(t, []string{viewAll}, got.Granted, "what was sent")
			assert.Equal(t, []string{level2}, got.Revoked)
		})
	}
}

// TestChangeInSteps loses or fails the second of two writes.
func TestChangeInSteps(t *testing.T) {
	prepare := func(t *testing.T) *tenant {
		x := open(t)
		end := time.Now().Add(48 * time.Hour)
		_, err := x.ChangeRoles(t.Context(), ines, provision.RoleChange{Grant: []string{viewAll}, Expires: end})
		require.NoError(t, err)
		x.sent()
		return x
	}
	swap := provision.RoleChange{Grant: []string{level1}, All: true}

	x := prepare(t)
	got, err := x.ChangeRoles(t.Context(), ines, swap)
	require.NoError(t, err)
	assert.Equal(t, []string{"POST _fetch", "PUT profile", "DELETE profile", "GET grant"}, x.sent(), "grants first")
	assert.Equal(t, []string{level1}, got.User.DirectRoles())

	for action, want := range map[string]provision.Kind{"403": provision.ErrPartial, "drop-after": provision.ErrUncertain} {
		x = prepare(t)
		require.NoError(t, x.server.Fault(mock.Fault{Method: "DELETE", Path: "/profiles/", Action: action}))
		got, err = x.ChangeRoles(t.Context(), ines, swap)
		require.Error(t, err)
		assert.Equal(t, want, provision.KindOf(err))
		assert.Equal(t, []string{level1}, got.Granted)
		revoked := []string{socTriage, level2}
		if want == provision.ErrUncertain {
			revoked = append(revoked, viewAll)
		}
		assert.Equal(t, revoked, got.Revoked, action)
		assert.Equal(t, []string{"POST _fetch", "PUT profile", "DELETE profile"}, x.sent())

		_, err = x.ChangeRoles(t.Context(), ines, swap)
		require.NoError(t, err, "again")
		assert.Equal(t, []string{level1}, x.state().EffectiveRoles[ines])
	}
}

func TestChangeForbidden(t *testing.T) {
	x := open(t, "role-scope="+viewAll)
	_, err := x.ChangeRoles(t.Context(), lea, provision.RoleChange{Grant: []string{superAdmin}})
	require.ErrorIs(t, err, provision.ErrNotFound, "the key may not hand it out")
	_, err = x.ChangeRoles(t.Context(), lea, provision.RoleChange{Grant: []string{viewAll}})
	require.NoError(t, err)

	x = open(t, "role-scope="+viewAll, "role-check=all")
	_, err = x.ChangeRoles(t.Context(), jonas, provision.RoleChange{Grant: []string{viewAll}})
	require.ErrorIs(t, err, provision.ErrForbidden, "the key may not leave the others in place")
}
