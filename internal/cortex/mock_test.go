package cortex_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// shapes are the forms in which the same things may come.
func TestShapes(t *testing.T) {
	for generation, switches := range map[string]map[string][]string{
		"xdr3": {
			"scope-shape": {"array", "object", "null"}, "groups-shape": {"strings", "objects"}, "R4-shape": {"array", "data"},
			"update-count": {"mixed", "string", "int"}, "error-shape": {"E1", "E2"}, "quotes": {"plain", "escaped"},
			"trailing-slash": {"both", "without"}, "gzip": {"off", "on"}, "plain-500": {"off", "on"},
		},
		"platform5": {"hidden-key": {"is_hidden", "hidden"}, "gzip": {"off", "on"}},
	} {
		for name, values := range switches {
			for _, value := range values {
				t.Run(generation+", "+name+" "+value, func(t *testing.T) {
					plain, x := open(t, generation, "generation", generation), open(t, generation, "generation", generation, name, value)
					assert.Equal(t, plain.users(), x.users())
					viewer := map[string]string{"xdr3": "Viewer", "platform5": "viewer"}[generation]
					got, err := x.change(bo, grant(viewer))
					require.NoError(t, err)
					assert.Equal(t, []string{viewer}, got.Granted)
					assert.Equal(t, []string{viewer}, x.user(bo).DirectRoles())
					_, err = x.change(bo, set("Tier 9"))
					require.ErrorIs(t, err, provision.ErrNotFound)
					if generation == "xdr3" {
						roles, whole, err := x.p.(provision.RoleResolver).ResolveRoles(t.Context(), []string{"SOC Lead", "Tier 9"})
						require.NoError(t, err)
						assert.False(t, whole)
						assert.True(t, slices.ContainsFunc(roles, func(r provision.Role) bool { return r.ID == "SOC Lead" }), "a role that nobody holds")
					}
				})
			}
		}
	}
}

func TestGroupsLeftOut(t *testing.T) {
	x := open(t, "xdr3", "generation", "xdr3", "groups-shape", "null")
	assert.Equal(t, []string{"Investigator"}, x.user(ada).DirectRoles())
	assert.NotContains(t, x.user(ada).Extra, "groups")
}

func TestUsersAsTheyAre(t *testing.T) {
	x := open(t, "auto")
	users := x.users()
	assert.ElementsMatch(t, everybody(), slices.Collect(maps.Keys(users)))
	assert.Equal(t, provision.StatusDisabled, users[cy].Status)
	assert.Equal(t, provision.StatusActive, users[dana].Status)
	assert.Equal(t, true, users[dana].Extra["hidden"])
	assert.Equal(t, "CSP / SSO", users[root].Extra["user-type"])
	assert.Equal(t, "+1 555 0100", users[root].Phone)
	assert.Equal(t, []provision.HeldRole{
		{ID: triageID, Name: "Tier 1 Triage", Direct: true}, {ID: triageID, Name: "Tier 1 Triage", Via: "SOC Tier 1"},
	}, users[dana].Roles)
	assert.Equal(t, []string{"account_admin"}, users[root].DirectRoles())

	x = open(t, "auto", "generation", "xdr3")
	assert.Equal(t, provision.StatusUnknown, x.user(cy).Status)
	assert.NotContains(t, x.user(dana).Extra, "hidden")
	assert.Equal(t, []string{"Account Admin"}, x.user(root).DirectRoles())
}

func TestRolesThatCanBeGiven(t *testing.T) {
	ids := func(x *tenant) []string {
		roles, err := x.p.Roles(x.Context())
		require.NoError(x, err)
		var list []string
		for _, r := range roles {
			list = append(list, r.ID)
		}
		return list
	}
	all := ids(open(t, "platform5"))
	assert.Len(t, all, 9)
	assert.NotContains(t, all, "account_admin")
	assert.Equal(t, []string{
		"Administrator", "Instance Administrator", "Investigator", "Privileged Investigator", "Tier 1 Triage", "Viewer",
	}, ids(open(t, "xdr3", "generation", "xdr3")), "those that come with the product, and those that are held")

	x := open(t, "xdr3", "generation", "xdr3")
	state := stateOf(t, x)
	state["roles"] = slices.DeleteFunc(state["roles"].([]any), func(r any) bool {
		return r.(map[string]any)["role_id"] == "privileged_investigator"
	})
	load(t, x, state)
	assert.NotContains(t, ids(x), "Privileged Investigator", "which this tenant does not have")
}

func TestGeneration(t *testing.T) {
	for _, missing := range []string{"404", "500"} {
		x := open(t, "auto", "generation", "xdr3", "xdr3-iam-status", missing)
		id, err := x.p.Check(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "generation xdr3", id.Note)
		assert.Contains(t, x.log.String(), "using those of Cortex XDR 3.x")
		assert.Equal(t, []string{listUsers3}, x.sent(func() { _, _ = x.p.User(t.Context(), bo) }), "found out once")
	}

	x := open(t, "auto")
	id, err := x.p.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, provision.Identity{Name: "17", MayManage: true, Note: "generation platform5"}, id)

	x = open(t, "platform5", "generation", "xdr3")
	_, err = x.p.Check(t.Context())
	require.ErrorIs(t, err, provision.ErrInternal, "told the wrong generation")
	assert.Contains(t, hint(err), "generation")

	// What stops, and what means that the platform is in trouble, is not taken
	// for a tenant without the platform.
	for switches, kind := range map[[2]string]provision.Kind{
		{"licence", "off"}: provision.ErrForbidden, {"permission", "none"}: provision.ErrForbidden,
		{"retries-exhausted", "9"}: provision.ErrUnavailable,
	} {
		x := open(t, "auto", switches[0], switches[1])
		sent := x.sent(func() {
			_, err := x.p.User(t.Context(), bo)
			assert.ErrorIs(t, err, kind, switches[0])
		})
		assert.NotContains(t, sent, listUsers3, switches[0])
	}
	// A platform that answers 500 for no reason is; the role can be set there
	// by name.
	x = open(t, "auto")
	require.NoError(t, x.Fault(mock.Fault{Path: "/platform/", Action: "500", Count: -1}))
	_, err = x.change(bo, grant("Viewer"))
	assert.NoError(t, err)
}

func TestCheckWithoutPermission(t *testing.T) {
	for name, says := range map[string]string{"licence": "licence", "permission": "Instance Administrator"} {
		x := open(t, "auto", name, map[string]string{"licence": "off", "permission": "none"}[name])
		id, err := x.p.Check(t.Context())
		require.NoError(t, err)
		assert.False(t, id.MayManage)
		assert.Contains(t, id.Note, says)
	}
}

func TestWrongKey(t *testing.T) {
	for keyType, other := range map[string]string{"advanced": "standard", "standard": "advanced"} {
		x := open(t, "auto", "key-type", keyType)
		x.p = x.connect(func(c *provision.Config) { c.Settings["key-type"] = other })
		sent := x.sent(func() {
			_, err := x.p.Check(t.Context())
			require.ErrorIs(t, err, provision.ErrUnauthenticated)
			assert.Contains(t, hint(err), "key-type: "+keyType)
		})
		assert.Equal(t, []string{listUsers5}, sent, "one attempt, and not with the other type")
	}
	x := open(t, "auto", "clock-offset", "900")
	_, err := x.p.Check(t.Context())
	require.ErrorIs(t, err, provision.ErrUnauthenticated)
	assert.Regexp(t, `the server's is 1(5m0|4m59)s ahead`, hint(err))
}

func TestThrottledAs500(t *testing.T) {
	for _, generation := range []string{"platform5", "xdr3"} {
		x := open(t, generation, "generation", generation, "throttle-as", "500")
		viewer := map[string]string{"xdr3": "Viewer", "platform5": "viewer"}[generation]
		for _, method := range []string{"GET", "POST", "PATCH"} {
			require.NoError(t, x.Fault(mock.Fault{Method: method, Action: "429", RetryAfter: 1}))
		}
		_, err := x.change(bo, grant(viewer))
		require.NoError(t, err, generation)
		assert.Contains(t, x.log.String(), "the vendor throttles")

		hasty := x.connect(func(c *provision.Config) {
			c.Settings["generation"] = generation
			c.MaxWait = 1100 * time.Millisecond
		})
		require.NoError(t, x.Fault(mock.Fault{Action: "429", Count: -1}))
		_, err = hasty.User(t.Context(), bo)
		assert.ErrorIs(t, err, provision.ErrRateLimited, generation)
	}
}

func TestBusyReadsAreRepeated(t *testing.T) {
	x := open(t, "auto", "retries-exhausted", "1")
	assert.Equal(t, []string{listUsers5, listUsers5}, x.sent(func() { x.user(bo) }))
	require.NoError(t, x.Fault(mock.Fault{Action: "503", Count: 1}))
	assert.Len(t, x.sent(func() { x.user(bo) }), 2)
	require.NoError(t, x.Fault(mock.Fault{Action: "500", Count: 1}))
	assert.Len(t, x.sent(func() {
		_, err := x.p.User(t.Context(), bo)
		assert.ErrorIs(t, err, provision.ErrUnavailable, "a 500 that says nothing")
	}), 1)
}

func TestForeignAnswers(t *testing.T) {
	x := open(t, "auto")
	require.NoError(t, x.Fault(mock.Fault{Action: "html", Count: -1}))
	_, err := x.p.User(t.Context(), bo)
	require.ErrorIs(t, err, provision.ErrInternal)
	assert.ErrorContains(t, err, "Sign in to the network")
}

func TestGuardedByTheVendor(t *testing.T) {
	x := open(t, "platform5", "instance-admin", "off")
	_, err := x.change(ivo, set("viewer"))
	require.ErrorIs(t, err, provision.ErrForbidden)
	assert.Contains(t, hint(err), "only an API key with the role Instance Administrator")
	_, err = x.p.DeleteUser(t.Context(), ivo)
	assert.ErrorIs(t, err, provision.ErrForbidden)
}

func TestGroupsThatMayNotBeSeen(t *testing.T) {
	x := open(t, "platform5")
	require.NoError(t, x.Fault(mock.Fault{Path: "user-group", Action: "403"}))
	assert.Equal(t, []provision.HeldRole{{ID: "investigator", Name: "Investigator", Direct: true}}, x.user(ada).Roles)
	assert.Contains(t, x.log.String(), "roles that come through groups are left out")

	x = open(t, "xdr3", "generation", "xdr3")
	require.NoError(t, x.Fault(mock.Fault{Path: "get_user_group", Action: "403"}))
	assert.Len(t, x.user(ada).Roles, 1)
}

// hint is that of an error.
func hint(err error) string {
	for err != nil {
		if e, ok := err.(*provision.Error); ok && e.Hint != "" { //nolint:errorlint // each link is looked at
			return e.Hint
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			break
		}
		err = u.Unwrap()
	}
	return ""
}

func TestLongPaths(t *testing.T) {
	x := open(t, "platform5")
	_, err := x.change(strings.ToUpper(ivo), set("viewer"))
	require.NoError(t, err)
	assert.Equal(t, []string{"viewer"}, x.user(ivo).DirectRoles(), "a plus sign in the path")
}
