package crowdstrike_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/mock/crowdstrike"
)

func TestStateRoundTrip(t *testing.T) {
	f := start(t)
	id := f.create("nela.kos@acme.example")
	require.Equal(t, 200, f.roleAction("grant", id, homeCID, object{"expires_at": "2027-01-01T00:00:00Z"}, "help_desk").status)
	state, err := json.Marshal(f.server.State())
	require.NoError(t, err)

	g := start(t)
	require.NoError(t, g.server.API().Load(state))
	assert.Equal(t, http.StatusUnauthorized, g.get(queryUsers).status, "tokens are no part of it")
	g.signIn("")
	copied, err := json.Marshal(g.server.State())
	require.NoError(t, err)
	assert.Equal(t, string(state), string(copied))
	assert.Equal(t, []string{"home/help_desk"}, g.held(id, ""))
	assert.NotEqual(t, id, g.create("ada.quist@acme.example"))

	require.NoError(t, g.server.Set("families", "legacy"))
	require.NoError(t, g.server.Reset())
	assert.Equal(t, "both", g.server.Switches()["families"].Value)
	assert.Equal(t, start(t).server.State(), g.server.State())
}

func TestLoadRefuses(t *testing.T) {
	api := crowdstrike.Maker().New(mock.Env{Now: (&clock{}).now})
	cid := `"cids":[{"cid":"` + homeCID + `","name":""}]`
	for name, state := range map[string]string{
		"no JSON":       `cids`,
		"another's":     `{"organisations":[]}`,
		"no cid":        `{"cids":[]}`,
		"bad cid":       `{"cids":[{"cid":"x","name":""}]}`,
		"role":          `{` + cid + `,"roles":[{"id":"a","cid":"x"}]}`,
		"user's cid":    `{` + cid + `,"users":[{"uuid":"a","uid":"a@example.com","cid":"x"}]}`,
		"two of a name": `{` + cid + `,"users":[{"uuid":"a","uid":"a@example.com","cid":"` + homeCID + `"},{"uuid":"b","uid":"A@example.com","cid":"` + homeCID + `"}]}`,
		"grant":         `{` + cid + `,"grants":[{"uuid":"a","cid":"` + homeCID + `","role_id":"b"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, api.Load([]byte(state)), "state: ")
		})
	}
}

func TestActivate(t *testing.T) {
	f := start(t)
	require.NoError(t, f.server.Activate("LI.tran@my-company.com"))
	got := f.do(http.MethodPost, readUsers, object{"ids": []string{tran}})
	assert.Equal(t, []any{"2026-11-20T09:15:02.120455Z"}, got.values("last_login_at"))
	require.ErrorContains(t, f.server.Activate("li.tran@my-company.com"), "has signed in before")
	assert.ErrorContains(t, f.server.Activate("nobody@example.com"), "there is no user")
}

func TestSwitches(t *testing.T) {
	f := start(t)
	for name, s := range f.server.Switches() {
		assert.NotEmpty(t, s.Help, name)
		require.NoError(t, f.server.Set(name, s.Value), name)
	}
	for name, bad := range map[string]string{
		"nothing": "x", "scope": "some", "rate-limit": "-1", "visibility-delay": "soon", "region-redirect": "http://[", "families": "",
	} {
		assert.Error(t, f.server.Set(name, bad), name)
	}
}

func TestDefaultState(t *testing.T) {
	f := start(t)
	users := f.do(http.MethodPost, readUsers, object{"ids": []string{nora, ravi, zofia, tran, omar, sam}})
	assert.Equal(t, []any{"active", "active", "active", "active", "inactive", "active"}, users.values("status"))
	assert.Nil(t, users.values("last_login_at")[3], "never signed in")
	assert.Equal(t, "crowdstrike", crowdstrike.Maker().Vendor)
	settings := f.server.Settings()
	assert.Regexp(t, `^[a-f0-9]{32}$`, settings["client-id"])
	assert.Regexp(t, `^\w{40}$`, settings["client-secret"])
	assert.Equal(t, f.server.URL, settings["url"])
}

func TestLargeBodyIsRefused(t *testing.T) {
	f := start(t)
	got := f.do(http.MethodPost, readUsers, string(make([]byte, 5<<20)))
	assert.Equal(t, http.StatusBadRequest, got.status)
}
