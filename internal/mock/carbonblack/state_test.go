package carbonblack_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStateRoundTrip(t *testing.T) {
	f := start(t)
	f.set("null-lists", "on")
	f.set("create-failure", "ERROR:2")
	f.do("POST", usersP, invite("b@example.com"))
	f.set("create-failure", "off")
	f.do("POST", usersP, with(invite("a@example.com"), "profiles", nil))
	f.do("POST", usersP, object{"email": "c@example.com", "role": "DEPRECATED"})
	f.do("DELETE", grants+"/"+jonas, nil)
	f.do("POST", grants, object{"principal": lea, "roles": list{viewAll}, "expires": "2027-01-01T00:00:00Z", "can_manage": false})
	f.do("POST", inesProfiles, with(own(level1), "conditions", object{"expiration": 1893456000, "cidr": list{"10.0.0.0/8"}}))
	f.do("DELETE", usersP+"/6100417/google-auth", nil)
	f.fail("GET", usersP, 429, time.Minute)
	f.do("GET", usersP, nil)

	encoded, err := json.Marshal(f.State())
	require.NoError(t, err)
	g := start(t)
	require.NoError(t, g.Load(encoded))
	assert.Equal(t, f.state(), g.state())
	again, err := json.Marshal(g.State())
	require.NoError(t, err)
	assert.JSONEq(t, string(encoded), string(again))

	// Both go on alike, counters and the block included.
	assert.Equal(t, 429, g.do("GET", usersP, nil).status)
	for _, x := range []*fake{f, g} {
		x.wait(2 * time.Minute)
		require.NoError(t, x.Activate("a@example.com"))
		x.do("POST", grants+"/"+priya+"/profiles", own(level1))
	}
	assert.Equal(t, f.row("a@example.com"), g.row("a@example.com"))
	assert.Equal(t, f.do("GET", grants+"/"+priya, nil).body, g.do("GET", grants+"/"+priya, nil).body)
}

func TestLoadDefault(t *testing.T) {
	f := start(t)
	first := f.state()
	f.set("permission", "none")
	require.NoError(t, f.Activate("nadia.rossi@example.com"))
	require.NoError(t, f.Load(nil))
	assert.Equal(t, first, f.state())
}

func TestLoadByHand(t *testing.T) {
	f := start(t)
	require.NoError(t, f.Load([]byte(`{
		"users": [{"org_key":"7KQ2M9XD","org_id":48213,"login_id":900,"login_name":"a@example.com","email":"a@example.com","contact_id":40,"role":"DEPRECATED"}],
		"grants": [{"principal":"psc:user:7KQ2M9XD:900","org_ref":"psc:org:7KQ2M9XD"}],
		"pending": [{"email":"b@example.com"}]
	}`)))
	assert.Equal(t, list{}, f.do("GET", grants+"/psc:user:"+org+":900", nil).field("roles"))
	require.NoError(t, f.Activate("b@example.com"))
	assert.InDelta(t, 901, f.row("b@example.com")["login_id"], 0)
	assert.InDelta(t, 41, f.row("b@example.com")["contact_id"], 0)
	assert.Equal(t, "off", f.Switches()["null-lists"].Value)
}

func TestLoadRefused(t *testing.T) {
	f := start(t)
	before := f.state()
	for _, bad := range []string{
		`{`, `[]`, `{"user":[]}`, `{"switches":{"nope":"on"}}`, `{"switches":{"permission":"maybe"}}`,
		`{"grants":[{"principal":"x","expires":"soon"}]}`,
	} {
		require.Error(t, f.Load([]byte(bad)), bad)
		assert.Equal(t, before, f.state())
	}
}

func TestExpireSessions(t *testing.T) {
	f := start(t)
	f.ExpireSessions()
	assert.Equal(t, 200, f.do("GET", usersP, nil).status, "there are none")
}

func TestConcurrentUse(t *testing.T) {
	f := start(t)
	var wg sync.WaitGroup
	statuses := make([]int, 20)
	for i := range statuses {
		wg.Go(func() {
			email := fmt.Sprintf("user%d@example.com", i/2) // each address twice
			r := httpDo(f, "POST", usersP, invite(email))
			statuses[i] = r
			_ = f.Activate(email)
			httpDo(f, "POST", fetch, ask(ines, vera))
			httpDo(f, "GET", usersP, nil)
			f.State()
			f.Switches()
			f.fail("GET", usersP, 500, 0)
		})
	}
	wg.Wait()
	created := 0
	for _, s := range statuses {
		if s == 201 {
			created++
		}
	}
	assert.Equal(t, 10, created)
	assert.Len(t, f.emails(), 16)
}
