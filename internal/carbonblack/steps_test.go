package carbonblack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// The grants of the table. Server-made fields stand for all that is sent back
// as it came.
const (
	rolesAB   = `{"created_by":"x","expires":0,"profiles":[],"roles":["A","B"]}`
	rolesA    = `{"roles":["A"],"profiles":null}`
	emptyOne  = `{"roles":[],"profiles":[]}`
	ending    = `{"expires":"2026-05-31T00:00:00Z","roles":["A"]}`
	ended     = `{"expires":"2026-05-31T00:00:00Z","profiles":[` + ownAB + `]}`
	ownAB     = `{"profile_uuid":"p1","can_manage":true,"orgs":{"allow":["psc:org:7KQ2M9XD"]},"roles":["A","B"],"conditions":{"expiration":0,"disabled":false}}`
	ownC      = `{"profile_uuid":"p2","orgs":{"allow":["psc:org:7KQ2M9XD"]},"roles":["C"],"conditions":null}`
	ownMay    = `{"profile_uuid":"p3","orgs":{"allow":["psc:org:7KQ2M9XD"]},"roles":["D"],"conditions":{"expiration":"2026-05-31T00:00:00Z"}}`
	disabledE = `{"profile_uuid":"p4","orgs":{"allow":["psc:org:7KQ2M9XD"]},"roles":["E"],"conditions":{"disabled":true}}`
	expiredF  = `{"profile_uuid":"p5","orgs":{"allow":["psc:org:7KQ2M9XD"]},"roles":["F"],"conditions":{"expiration":1700000000000}}`
	cidrG     = `{"profile_uuid":"p6","orgs":{"allow":["psc:org:7KQ2M9XD"]},"roles":["G"],"conditions":{"cidr":["10.0.0.0/8"]}}`
	shared    = `{"profile_uuid":"p7","orgs":{"allow":["psc:org:7KQ2M9XD","psc:org:3HF8W2LC"]},"roles":["S"]}`
	foreign   = `{"profile_uuid":"p8","orgs":{"allow":["psc:org:3HF8W2LC"]},"roles":["T"]}`
)

func profiles(list ...string) string {
	return `{"roles":[],"profiles":[` + strings.Join(list, ",") + `]}`
}

func TestSteps(t *testing.T) {
	const own = `"orgs":{"allow":["psc:org:7KQ2M9XD"]}`
	may := time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)
	grant := func(roles ...string) provision.RoleChange { return provision.RoleChange{Grant: roles} }
	until := func(end time.Time, roles ...string) provision.RoleChange {
		return provision.RoleChange{Grant: roles, Expires: end}
	}
	revoke := func(roles ...string) provision.RoleChange { return provision.RoleChange{Revoke: roles} }
	exact := func(roles ...string) provision.RoleChange { return provision.RoleChange{Grant: roles, Exact: true} }
	all := func(roles ...string) provision.RoleChange { return provision.RoleChange{Grant: roles, All: true} }
	tests := []struct {
		name   string
		grant  string
		change provision.RoleChange
		want   []string
		err    provision.Kind
	}{
		{"held by itself", rolesAB, grant("A"), nil, ""},
		{"held in a profile", profiles(ownAB), grant("B"), nil, ""},
		{"held in a shared profile", profiles(shared), grant("S"), nil, ""},
		{"held for a time", profiles(ownMay), grant("D"), nil, ""},
		{"held until then", profiles(ownMay), until(may, "D"), nil, ""},

		{"no grant", "", grant("R", "S"), []string{`POST grants {"org_ref":"psc:org:7KQ2M9XD","principal":"psc:user:7KQ2M9XD:1","principal_name":"Lea Brandt","profiles":[],"roles":["R","S"]}`}, ""},
		{"no grant, with an end", "", until(may, "R"), []string{`POST grants {"org_ref":"psc:org:7KQ2M9XD","principal":"psc:user:7KQ2M9XD:1","principal_name":"Lea Brandt","profiles":[{` + own + `,"roles":["R"],"conditions":{"expiration":"2026-05-31T00:00:00Z","disabled":false}}],"roles":[]}`}, ""},
		{"no grant, revoke", "", revoke("R"), nil, ""},
		{"no grant, all", "", all(), nil, ""},

		{"roles, grant", rolesAB, grant("R"), []string{`PUT grant {"created_by":"x","expires":0,"profiles":[],"roles":["A","B","R"]}`}, ""},
		{"roles, swap", rolesAB, exact("R"), []string{`PUT grant {"created_by":"x","expires":0,"profiles":[],"roles":["R"]}`}, ""},
		{"roles, all and grant", rolesAB, all("A"), []string{`PUT grant {"created_by":"x","expires":0,"profiles":[],"roles":["A"]}`}, ""},
		{"roles, with an end", rolesAB, until(may, "R"), nil, provision.ErrUnsupported},
		{"roles, another end for one held", rolesAB, until(may, "A"), nil, provision.ErrUnsupported},
		{"roles, revoke", rolesAB, revoke("A"), []string{`PUT grant {"created_by":"x","expires":0,"profiles":[],"roles":["B"]}`}, ""},
		{"roles, revoke the last", rolesA, revoke("A"), []string{`DELETE grant`}, ""},
		{"roles, revoke one not held", rolesAB, revoke("R"), nil, ""},
		{"roles, exactly none", rolesAB, exact(), []string{`DELETE grant`}, ""},
		{"roles, all", rolesAB, all(), []string{`DELETE grant`}, ""},
		{"roles that end, grant", ending, grant("R"), nil, provision.ErrUnsupported},
		{"roles that end, until then", ending, until(may, "R"), []string{`PUT grant {"expires":"2026-05-31T00:00:00Z","roles":["A","R"]}`}, ""},
		{"roles that end, revoke", ending, revoke("A"), []string{`DELETE grant`}, ""},

		{"nothing, grant", emptyOne, grant("R"), []string{`PUT grant {"profiles":[],"roles":["R"]}`}, ""},
		{"nothing, with an end", emptyOne, until(may, "R"), []string{`POST profiles {` + own + `,"roles":["R"],"conditions":{"expiration":"2026-05-31T00:00:00Z","disabled":false}}`}, ""},
		{"nothing, all", emptyOne, all(), nil, ""},

		{"profile, grant", profiles(foreign, ownAB), grant("R"), []string{`PUT p1 {"can_manage":true,"conditions":{"expiration":0,"disabled":false},` + own + `,"profile_uuid":"p1","roles":["A","B","R"]}`}, ""},
		{"profile, grant into the first", profiles(ownAB, ownC), grant("R"), []string{`PUT p1 {"can_manage":true,"conditions":{"expiration":0,"disabled":false},` + own + `,"profile_uuid":"p1","roles":["A","B","R"]}`}, ""},
		{"profile, swap where it is taken", profiles(ownAB, ownC), provision.RoleChange{Grant: []string{"R"}, Revoke: []string{"C"}}, []string{`PUT p2 {"conditions":null,` + own + `,"profile_uuid":"p2","roles":["R"]}`}, ""},
		{"profile, swap", profiles(ownAB), exact("R"), []string{`PUT p1 {"can_manage":true,"conditions":{"expiration":0,"disabled":false},` + own + `,"profile_uuid":"p1","roles":["R"]}`}, ""},
		{"profiles, swap: grant first", profiles(ownAB, ownC), exact("A"), []string{`PUT p1 {"can_manage":true,"conditions":{"expiration":0,"disabled":false},` + own + `,"profile_uuid":"p1","roles":["A"]}`, `DELETE p2`}, ""},
		{"only a shared profile", profiles(shared), grant("R"), []string{`POST profiles {` + own + `,"roles":["R"]}`}, ""},
		{"only a foreign profile", profiles(foreign), grant("R"), []string{`POST profiles {` + own + `,"roles":["R"]}`}, ""},
		{"only from some addresses", profiles(cidrG), grant("R"), []string{`POST profiles {` + own + `,"roles":["R"]}`}, ""},
		{"only a profile that ends", profiles(ownMay), grant("R"), []string{`POST profiles {` + own + `,"roles":["R"]}`}, ""},
		{"disabled with just that", profiles(disabledE), grant("E"), []string{`PUT p4 {"conditions":{"expiration":0,"disabled":false},` + own + `,"profile_uuid":"p4","roles":["E"]}`}, ""},
		{"disabled with other roles", profiles(disabledE), grant("R"), []string{`POST profiles {` + own + `,"roles":["R"]}`}, ""},
		{"disabled with that and more wanted", profiles(disabledE), grant("E", "R"), []string{`POST profiles {` + own + `,"roles":["E","R"]}`}, ""},
		{"expired with just that", profiles(expiredF), until(may, "F"), []string{`PUT p5 {"conditions":{"expiration":"2026-05-31T00:00:00Z","disabled":false},` + own + `,"profile_uuid":"p5","roles":["F"]}`}, ""},
		{"expired, without an end now", profiles(expiredF), grant("F"), []string{`PUT p5 {"conditions":{"expiration":0,"disabled":false},` + own + `,"profile_uuid":"p5","roles":["F"]}`}, ""},

		{"with an end", profiles(ownAB), until(may, "R"), []string{`POST profiles {` + own + `,"roles":["R"],"conditions":{"expiration":"2026-05-31T00:00:00Z","disabled":false}}`}, ""},
		{"with the end of another", profiles(ownAB, ownMay), until(may, "R"), []string{`PUT p3 {"conditions":{"expiration":"2026-05-31T00:00:00Z"},` + own + `,"profile_uuid":"p3","roles":["D","R"]}`}, ""},
		{
			"another end for one of several", profiles(ownAB), until(may, "A"),
			[]string{
				`POST profiles {` + own + `,"roles":["A"],"conditions":{"expiration":"2026-05-31T00:00:00Z","disabled":false}}`,
				`PUT p1 {"can_manage":true,"conditions":{"expiration":0,"disabled":false},` + own + `,"profile_uuid":"p1","roles":["B"]}`,
			},
			"",
		},
		{"another end for all of a profile", profiles(ownC), until(may, "C"), []string{`PUT p2 {"conditions":{"expiration":"2026-05-31T00:00:00Z","disabled":false},` + own + `,"profile_uuid":"p2","roles":["C"]}`}, ""},
		{"the end where it is held without one too", profiles(ownMay, strings.Replace(ownC, `"C"`, `"D"`, 1)), until(may, "D"), []string{`DELETE p2`}, ""},
		{"profiles of a grant that ends, grant", ended, grant("R"), nil, provision.ErrUnsupported},
		{"profiles of a grant that ends, later end", ended, until(may.Add(time.Hour), "R"), nil, provision.ErrUnsupported},
		{"profiles of a grant that ends, earlier end", ended, until(may.Add(-24*time.Hour), "R"), []string{`POST profiles {` + own + `,"roles":["R"],"conditions":{"expiration":"2026-05-30T00:00:00Z","disabled":false}}`}, ""},

		{"profile, revoke", profiles(ownAB), revoke("A"), []string{`PUT p1 {"can_manage":true,"conditions":{"expiration":0,"disabled":false},` + own + `,"profile_uuid":"p1","roles":["B"]}`}, ""},
		{"profile, revoke its last", profiles(ownAB, ownC), revoke("C"), []string{`DELETE p2`}, ""},
		{"profiles, revoke from each", profiles(ownAB, strings.Replace(ownC, `"C"`, `"A"`, 1)), revoke("A"), []string{`PUT p1 {"can_manage":true,"conditions":{"expiration":0,"disabled":false},` + own + `,"profile_uuid":"p1","roles":["B"]}`, `DELETE p2`}, ""},
		{"profile, revoke from some addresses", profiles(cidrG), revoke("G"), []string{`DELETE p6`}, ""},
		{"profile, revoke one that is disabled", profiles(ownAB, disabledE), revoke("E"), nil, ""},
		{"profile, revoke what ends", profiles(ownAB, ownMay), revoke("D"), []string{`DELETE p3`}, ""},
		{"profile, exactly leaves what ends", profiles(ownAB, ownMay), exact("A", "B"), nil, ""},
		{"profile, exactly none leaves the grant", profiles(ownAB, disabledE), exact(), []string{`DELETE p1`}, ""},
		{"profiles, all", profiles(ownAB, ownMay, disabledE), all(), []string{`DELETE grant`}, ""},
		{"profiles, all, a foreign one", profiles(ownAB, ownMay, foreign), all(), []string{`DELETE p1`, `DELETE p3`}, ""},
		{"profiles, all and grant what ends", profiles(ownAB, ownMay), all("D"), []string{`DELETE p1`}, ""},
		{"profiles, all but nothing in force", profiles(disabledE, foreign), all(), nil, ""},

		{"shared, revoke", profiles(shared), revoke("S"), nil, provision.ErrRefused},
		{"shared, exactly", profiles(ownAB, shared), exact("A"), nil, provision.ErrRefused},
		{"shared, all", profiles(ownAB, shared), all(), nil, provision.ErrRefused},
		{"shared, another end", profiles(shared), until(may, "S"), nil, provision.ErrRefused},
		{"shared and own, revoke", profiles(strings.Replace(ownAB, `"A"`, `"S"`, 1), shared), revoke("S"), nil, provision.ErrRefused},
		{"shared, revoke another", profiles(ownAB, shared), revoke("A"), []string{`PUT p1 {"can_manage":true,"conditions":{"expiration":0,"disabled":false},` + own + `,"profile_uuid":"p1","roles":["B"]}`}, ""},

		{"both forms, grant", `{"roles":["A"],"profiles":[` + ownC + `]}`, grant("R"), []string{`PUT grant {"profiles":[` + ownC + `],"roles":["A","R"]}`}, ""},
		{"both forms, revoke from both", `{"roles":["A","C"],"profiles":[` + ownC + `]}`, revoke("C"), []string{`PUT grant {"profiles":[` + ownC + `],"roles":["A"]}`, `DELETE p2`}, ""},
		{"both forms, revoke the last by itself", `{"roles":["A"],"profiles":[` + ownC + `]}`, revoke("A"), []string{`PUT grant {"profiles":[` + ownC + `],"roles":[]}`}, ""},
		{"both forms, with an end", `{"roles":["A"],"profiles":[` + ownC + `]}`, until(may, "R"), nil, provision.ErrUnsupported},
		{"both forms, all", `{"roles":["A"],"profiles":[` + ownC + `]}`, all(), []string{`DELETE grant`}, ""},
		{"both forms, all, a foreign one", `{"roles":["A"],"profiles":[` + foreign + `]}`, all(), []string{`PUT grant {"profiles":[` + foreign + `],"roles":[]}`}, ""},
	}
	h := holder{key: key{org: "7KQ2M9XD"}, row: row{LoginID: "1", FirstName: "Lea", LastName: "Brandt"}, now: testNow()}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := parseGrant(t, tt.grant)
			d, err := planRoles(provision.User{Roles: g.held(testOrg, testNow())}, tt.change)
			var steps []step
			if err == nil {
				steps, err = h.steps(g, d, tt.change)
			}
			if tt.err != "" {
				require.ErrorIs(t, err, tt.err)
				assert.Empty(t, steps)
				return
			}
			require.NoError(t, err)
			var got []string
			for _, s := range steps {
				got = append(got, describe(t, s))
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// describe is a step as a line: the method, the last part of the path and the
// body with its keys in order.
func describe(t *testing.T, s step) string {
	t.Helper()
	place := s.path[strings.LastIndex(s.path, "/")+1:]
	if strings.HasPrefix(place, "psc:user:") {
		place = "grant"
	}
	if s.body == nil {
		return s.method + " " + place
	}
	body, err := json.Marshal(s.body)
	require.NoError(t, err)
	return fmt.Sprintf("%s %s %s", s.method, place, body)
}

func TestPending(t *testing.T) {
	d := provision.RoleDiff{Revoke: []string{"A", "B", "C"}}
	steps := []step{{takes: []string{"A"}}, {takes: []string{"A", "B"}}, {takes: []string{"C", "X"}}}
	for done, want := range [][]string{{}, {}, {"A", "B"}, {"A", "B", "C"}} {
		assert.Equal(t, want, without(d.Revoke, pending(steps[done:])), "after %d steps", done)
	}
}
