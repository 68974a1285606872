package carbonblack

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

const (
	testOrg   = "psc:org:7KQ2M9XD"
	otherOrg  = "psc:org:3HF8W2LC"
	childOrgs = testOrg + ":CHILDREN"
)

func testNow() time.Time { return time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC) }

func parseGrant(t *testing.T, text string) *grant {
	t.Helper()
	if text == "" {
		return nil
	}
	g := &grant{}
	require.NoError(t, json.Unmarshal([]byte(text), g), text)
	return g
}

func TestHeld(t *testing.T) {
	march := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	may := time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)
	role := func(id string, end *time.Time, via string) provision.HeldRole {
		return provision.HeldRole{ID: id, Direct: true, ExpiresAt: end, Via: via}
	}
	const shared = "a profile that also reaches " + otherOrg
	tests := []struct {
		name string
		give string
		want []provision.HeldRole
	}{
		{"no grant", ``, nil},
		{"empty", `{}`, nil},
		{"null lists", `{"roles":null,"profiles":null,"expires":null}`, nil},
		{"roles", `{"roles":["B","A","A"],"expires":0}`, []provision.HeldRole{role("A", nil, ""), role("B", nil, "")}},
		{"grant that ends", `{"roles":["A"],"expires":"2026-03-31T00:00:00.000Z"}`, []provision.HeldRole{role("A", &march, "")}},
		{"grant that has ended", `{"roles":["A"],"expires":1}`, nil},
		{
			"profile", `{"profiles":[{"orgs":{"allow":["` + testOrg + `"]},"roles":["A"],"conditions":{"expiration":0,"disabled":false}}]}`,
			[]provision.HeldRole{role("A", nil, "")},
		},
		{
			"null conditions", `{"profiles":[{"orgs":{"allow":["` + testOrg + `"]},"roles":["A"],"conditions":null}]}`,
			[]provision.HeldRole{role("A", nil, "")},
		},
		{"null roles in a profile", `{"profiles":[{"orgs":{"allow":["` + testOrg + `"]},"roles":null}]}`, nil},
		{"disabled", `{"profiles":[{"orgs":{"allow":["` + testOrg + `"]},"roles":["A"],"conditions":{"disabled":true}}]}`, nil},
		{"expired", `{"profiles":[{"orgs":{"allow":["` + testOrg + `"]},"roles":["A"],"conditions":{"expiration":1700000000}}]}`, nil},
		{"another organisation", `{"profiles":[{"orgs":{"allow":["` + otherOrg + `"]},"roles":["A"]}]}`, nil},
		{"children only", `{"profiles":[{"orgs":{"allow":["` + childOrgs + `"]},"roles":["A"]}]}`, nil},
		{"denied here", `{"profiles":[{"orgs":{"allow":["` + testOrg + `"],"deny":["` + testOrg + `"]},"roles":["A"]}]}`, nil},
		{
			"shared", `{"profiles":[{"orgs":{"allow":["` + testOrg + `","` + otherOrg + `"]},"roles":["A"]}]}`,
			[]provision.HeldRole{role("A", nil, shared)},
		},
		{
			"shared through a group", `{"profiles":[{"orgs":{"allow":["` + testOrg + `"]},"org_groups":["emea"],"roles":["A"]}]}`,
			[]provision.HeldRole{role("A", nil, "a profile that also reaches emea")},
		},
		{
			"the later end", `{"profiles":[
				{"orgs":{"allow":["` + testOrg + `"]},"roles":["A","B"],"conditions":{"expiration":"2026-03-31T00:00:00Z"}},
				{"orgs":{"allow":["` + testOrg + `"]},"roles":["A"],"conditions":{"expiration":"2026-05-31T00:00:00Z"}}]}`,
			[]provision.HeldRole{role("A", &may, ""), role("B", &march, "")},
		},
		{
			"no end wins", `{"roles":["A"],"profiles":[
				{"orgs":{"allow":["` + testOrg + `"]},"roles":["A"],"conditions":{"expiration":"2026-05-31T00:00:00Z"}}]}`,
			[]provision.HeldRole{role("A", nil, "")},
		},
		{
			"the grant ends first", `{"expires":"2026-03-31T00:00:00Z","profiles":[
				{"orgs":{"allow":["` + testOrg + `"]},"roles":["A"],"conditions":{"expiration":"2026-05-31T00:00:00Z"}}]}`,
			[]provision.HeldRole{role("A", &march, "")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, parseGrant(t, tt.give).held(testOrg, testNow()))
		})
	}
}

func TestExpiry(t *testing.T) {
	march := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		give string
		want time.Time
	}{
		{`0`, time.Time{}},
		{`""`, time.Time{}},
		{`"0"`, time.Time{}},
		{`null`, time.Time{}},
		{`-1`, time.Time{}},
		{`9e18`, time.Time{}},
		{`"never"`, time.Time{}},
		{`{"at":1}`, time.Time{}},
		{`"1970-01-01T00:00:00Z"`, time.Time{}},
		{`"1970-01-01T00:00:00.000Z"`, time.Time{}},
		{`1774915200`, march},
		{`1774915200000`, march},
		{`1.7749152e12`, march},
		{`"1774915200000"`, march},
		{`"2026-03-31T00:00:00Z"`, march},
		{`"2026-03-31T00:00:00.000Z"`, march},
		{`"2026-03-31T02:00:00+02:00"`, march},
		{`"2026-03-31T02:00:00+0200"`, march},
		{`"2026-03-31T00:00:00"`, march},
		{`"2026-03-31T00:00:00.000000"`, march},
		{`"2026-03-31"`, march},
	}
	for _, tt := range tests {
		t.Run(tt.give, func(t *testing.T) {
			var e expiry
			require.NoError(t, json.Unmarshal([]byte(tt.give), &e))
			assert.Equal(t, tt.want, e.Time)
		})
	}
	for _, e := range []expiry{{}, {march}} {
		encoded, err := json.Marshal(e)
		require.NoError(t, err)
		var back expiry
		require.NoError(t, json.Unmarshal(encoded, &back))
		assert.Equal(t, e, back, "what is written is read")
	}
}

func TestRowIDs(t *testing.T) {
	for give, want := range map[string]string{
		`{"login_id":6100417}`:   "6100417",
		`{"login_id":"6100417"}`: "6100417",
	} {
		var r row
		require.NoError(t, json.Unmarshal([]byte(give), &r), give)
		assert.Equal(t, want, r.id())
	}
	for _, give := range []string{`{}`, `{"login_id":null}`, `{"login_id":"6/../1"}`, `{"login_id":1.5}`, `{"login_id":6100417,"email":1}`, `[]`} {
		assert.Error(t, json.Unmarshal([]byte(give), &row{}), give)
	}
}
