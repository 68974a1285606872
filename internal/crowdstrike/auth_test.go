package crowdstrike

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func reads(t *testing.T, a *adapter, n int) []error {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = a.Roles(t.Context()) })
	}
	wg.Wait()
	return errs
}

func TestOneSignInForAll(t *testing.T) {
	c := newConsole(t).always("GET "+pathRoleIDs, ok())
	a := c.connect()
	for _, err := range reads(t, a, 32) {
		require.NoError(t, err)
	}
	assert.Equal(t, 1, c.signIns())
}

func TestSignInSendsAForm(t *testing.T) {
	c := newConsole(t).always("GET "+pathRoleIDs, ok())
	a := c.connect(set("member-cid", "7BE2F0C45D6A4C1B9A3E8D5F60718293-0F"))
	_, err := a.Roles(t.Context())
	require.NoError(t, err)
	in := c.log[0]
	assert.Equal(t, "POST /oauth2/token", in.method+" "+in.path)
	assert.Empty(t, in.query)
	assert.Equal(t, "application/x-www-form-urlencoded", in.kind)
	assert.Equal(t, url.Values{
		"client_id": {testClient}, "client_secret": {testSecret}, "member_cid": {"7be2f0c45d6a4c1b9a3e8d5f60718293"},
	}, in.form)
	assert.Equal(t, "Bearer canary-token-1", c.log[1].auth)
}

func TestOneNewTokenForAllWhenOneIsNotTaken(t *testing.T) {
	c := newConsole(t).always("GET "+pathRoleIDs, ok())
	a := c.connect()
	require.NoError(t, reads(t, a, 1)[0])
	c.valid = func(token string) bool { return token != "canary-token-1" }
	for _, err := range reads(t, a, 32) {
		require.NoError(t, err)
	}
	assert.Equal(t, 2, c.signIns())

	c.valid = func(token string) bool { return token == "canary-token-3" }
	require.NoError(t, reads(t, a, 1)[0], "again, later")
	assert.Equal(t, 3, c.signIns())
}

func TestNoTokenIsTaken(t *testing.T) {
	c := newConsole(t)
	c.valid = func(string) bool { return false }
	a := c.connect()
	_, err := a.Roles(t.Context())
	e := problem(t, err)
	assert.Equal(t, provision.ErrUnauthenticated, e.Kind)
	assert.Equal(t, "trace-of-meta", e.RequestID)
	assert.Contains(t, e.Hint, "region")
	assert.Equal(t, 2, c.signIns())
	assert.Len(t, c.asked(), 2)
	for _, err := range reads(t, a, 8) {
		assert.Equal(t, provision.ErrUnauthenticated, problem(t, err).Kind)
	}
	assert.Equal(t, 2, c.signIns(), "nothing more is sent")
	assert.Len(t, c.asked(), 2)
}

func TestRefusedCredentialsAreTriedOnce(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 422} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			c := newConsole(t).always("POST /oauth2/token", no(status, "Failed to issue access token for "+testSecret))
			a := c.connect()
			_, err := a.Check(t.Context())
			e := problem(t, err)
			assert.Equal(t, provision.ErrUnauthenticated, e.Kind)
			assert.Contains(t, e.Message, "Failed to issue access token")
			assert.Equal(t, "trace-of-meta", e.RequestID)
			for _, err := range reads(t, a, 8) {
				require.ErrorIs(t, err, provision.ErrUnauthenticated)
			}
			assert.Equal(t, 1, c.signIns())
		})
	}
}

func TestTokenIsKeptForTheNextRun(t *testing.T) {
	now := time.Now()
	store := provision.MemoryStore()
	c := newConsole(t).always("GET "+pathRoleIDs, ok())
	same := func(cfg *provision.Config) {
		cfg.Store, cfg.Now, cfg.Settings["url"] = store, func() time.Time { return now }, c.url()
	}
	require.NoError(t, reads(t, c.connect(same), 1)[0])
	require.NoError(t, reads(t, c.connect(same), 1)[0])
	assert.Equal(t, 1, c.signIns(), "a second run takes the token of the first")

	now = now.Add(1799*time.Second - 2*time.Minute - time.Second)
	require.NoError(t, reads(t, c.connect(same), 1)[0])
	assert.Equal(t, 1, c.signIns(), "still good")
	now = now.Add(2 * time.Second)
	require.NoError(t, reads(t, c.connect(same), 1)[0])
	assert.Equal(t, 2, c.signIns(), "renewed two minutes before its end")

	other := c.connect(same, set("member-cid", testCID))
	require.NoError(t, reads(t, other, 1)[0])
	assert.Equal(t, 3, c.signIns(), "another CID is another session")

	c.valid = func(token string) bool { return token == "canary-token-4" }
	require.NoError(t, reads(t, c.connect(same), 1)[0])
	require.NoError(t, reads(t, c.connect(same), 1)[0])
	assert.Equal(t, 4, c.signIns(), "a token that is not taken is replaced in the store")
}

func TestTokensOfAShortLife(t *testing.T) {
	var now atomic.Int64
	c := newConsole(t).always("GET "+pathRoleIDs, ok())
	c.life = 10
	a := c.connect(func(cfg *provision.Config) {
		cfg.Now = func() time.Time { return time.Unix(now.Load(), 0) }
	})
	for range 8 {
		require.NoError(t, reads(t, a, 1)[0])
	}
	assert.Equal(t, 1, c.signIns())
	now.Store(8)
	require.NoError(t, reads(t, a, 1)[0])
	assert.Equal(t, 2, c.signIns(), "renewed at four fifths")
}

func TestSignOut(t *testing.T) {
	store := provision.MemoryStore()
	c := newConsole(t).always("GET "+pathRoleIDs, ok()).
		always("POST /oauth2/revoke", reply{status: 200, body: map[string]any{"meta": meta(0)}})
	same := func(cfg *provision.Config) { cfg.Store, cfg.Settings["url"] = store, c.url() }
	a := c.connect(same)
	require.NoError(t, a.SignOut(t.Context()), "without a token")
	assert.Empty(t, c.asked())

	require.NoError(t, reads(t, a, 1)[0])
	c.forget()
	require.NoError(t, c.connect(same).SignOut(t.Context()), "the session of an earlier run")
	require.Len(t, c.log, 1)
	out := c.log[0]
	assert.Equal(t, "POST /oauth2/revoke token=canary-token-1", out.String())
	assert.Equal(t, "basic "+base64.StdEncoding.EncodeToString([]byte(testClient+":"+testSecret)), strings.Replace(out.auth, "Basic", "basic", 1))
	require.NoError(t, c.connect(same).SignOut(t.Context()), "again")
	assert.Len(t, c.log, 1, "the record is gone")

	c.always("POST /oauth2/revoke", no(403, "no"))
	b := c.connect(same)
	require.NoError(t, reads(t, b, 1)[0])
	require.Error(t, b.SignOut(t.Context()))
	c.forget()
	require.NoError(t, b.SignOut(t.Context()))
	assert.Empty(t, c.log, "forgotten all the same")
}

func TestAnswersWithoutAToken(t *testing.T) {
	for body, kind := range map[string]provision.Kind{
		`{}`: provision.ErrInternal,
		`{"errors":[{"code":403,"message":"no"}]}`: provision.ErrUnauthenticated,
		`{"access_token":12}`:                      provision.ErrInternal,
	} {
		c := newConsole(t).always("POST /oauth2/token", reply{status: 201, body: body})
		_, err := c.connect().Check(t.Context())
		assert.Equal(t, kind, problem(t, err).Kind, "%s: %v", body, err)
	}
}
