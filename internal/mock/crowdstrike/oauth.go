package crowdstrike

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const badClient = "Failed to issue access token - Client authentication failed; check the client id and secret"

// token is valid until it expires and acts in one CID.
type token struct {
	cid     string
	expires time.Time
}

// issue hands out a token. Credentials may be fields of the form or come as
// HTTP Basic; grant_type may be missing.
func (f *fake) issue(c *call) (reply, error) {
	if to := f.switches["region-redirect"]; to != "" {
		return redirect(to), nil
	}
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return reply{}, atOAuth(http.StatusBadRequest, "the form cannot be read")
	}
	id, secret, basic := c.r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	if kind := form.Get("grant_type"); kind != "" && kind != "client_credentials" {
		return reply{}, atOAuth(http.StatusBadRequest, "grant type not supported")
	}
	if len(id) != 32 || !isHex(strings.ToLower(id)) {
		return reply{}, atOAuth(http.StatusBadRequest, "Failed to generate access token for clientID="+id)
	}
	if !known(id, secret) {
		return reply{}, atOAuth(http.StatusForbidden, badClient)
	}
	cid := f.st.home()
	if member := form.Get("member_cid"); member != "" {
		if !isCID(member) {
			return reply{}, atOAuth(http.StatusBadRequest, "Failed to generate access token for clientID="+id)
		}
		if !f.st.hasCID(member) {
			return reply{}, atOAuth(http.StatusForbidden, "access denied, authorization failed")
		}
		cid = member
	}
	return f.newToken(c, cid), nil
}

func (f *fake) newToken(c *call, cid string) reply {
	f.issued++
	sum := sha256.Sum256(fmt.Appendf(nil, "token %d of %s at %d", f.issued, cid, c.now.UnixNano()))
	value := "mock." + base64.RawURLEncoding.EncodeToString(sum[:])
	life := f.count("token-lifetime")
	f.tokens[value] = token{cid: cid, expires: c.now.Add(time.Duration(life) * time.Second)}
	return reply{status: http.StatusCreated, plain: struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
		TokenType   string `json:"token_type"`
	}{value, life, "bearer"}}
}

// revokeToken ends a token. One that is not known is as good as ended.
func (f *fake) revokeToken(c *call) (reply, error) {
	id, secret, ok := c.r.BasicAuth()
	if !ok || !known(id, secret) {
		return reply{}, atOAuth(http.StatusForbidden, badClient)
	}
	form, err := url.ParseQuery(string(c.body))
	if err != nil || form.Get("token") == "" {
		return reply{}, atOAuth(http.StatusBadRequest, "token is required")
	}
	delete(f.tokens, form.Get("token"))
	return reply{status: http.StatusOK, poweredBy: oauth}, nil
}

func known(id, secret string) bool {
	return strings.EqualFold(id, clientID) && subtle.ConstantTimeCompare([]byte(secret), []byte(clientSecret)) == 1
}

func atOAuth(status int, message string) error {
	return &refusal{status: status, message: message, poweredBy: oauth}
}

// redirect sends the client to the region that holds its customer: a name of a
// region, or a URL.
func redirect(to string) reply {
	h := http.Header{}
	base := to
	if !strings.Contains(to, "://") {
		h.Set("X-Cs-Region", to)
		base = "https://api." + to + ".crowdstrike.com"
		if to == "us-1" {
			base = "https://api.crowdstrike.com"
		}
	}
	h.Set("Location", strings.TrimSuffix(base, "/")+tokenPath)
	return reply{status: http.StatusPermanentRedirect, header: h, poweredBy: gateway}
}
