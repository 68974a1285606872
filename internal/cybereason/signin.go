package cybereason

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// maxHops is how many redirects of a sign-in are read.
const maxHops = 5

// place is where a form of the sign-in led.
type place string

const (
	// atApp may be the console itself; only the API can tell.
	atApp       place = "app"
	atLogin     place = "login"
	atCode      place = "code"
	atReset     place = "reset"
	atElsewhere place = "elsewhere"
	onward      place = "onward"
)

// visit is one sign-in. A cookie proves nothing, since whoever is refused gets
// one too.
type visit struct {
	*session
	// root sends to the paths that redirects name.
	root   *transport.Client
	cookie string
	host   string // where a redirect leads that is not read
	// welcomed is true where the console has sent us to its start page, as it
	// does for nobody whom it refuses.
	welcomed bool
}

// signIn gets a session. A session that was given, and is gone when the API is
// asked, is made anew once; what the console refused is not tried again.
func (s *session) signIn(ctx context.Context) (*ticket, error) {
	t, welcomed, err := s.signInOnce(ctx)
	if welcomed && provision.KindOf(err) == provision.ErrUnauthenticated {
		t, _, err = s.signInOnce(ctx)
	}
	return t, err
}

// signInOnce sends the password, and a code if the console asks for one, and has
// the API confirm it. (Cybereason API documentation, Log in with the API and
// Log in with the API with TFA.)
func (s *session) signInOnce(ctx context.Context) (t *ticket, welcomed bool, err error) {
	origin := s.http.Origin()
	s.cfg.Log.InfoContext(ctx, "signing in", "tenant", s.cfg.Tenant, "host", origin.Host)
	v := &visit{session: s, root: s.http.At(&url.URL{Scheme: origin.Scheme, Host: origin.Host})}
	at, err := v.post(ctx, "/login.html", url.Values{"username": {s.account()}, "password": {s.password()}})
	if err == nil && at == atCode {
		at, err = v.secondFactor(ctx)
	}
	if err != nil {
		return nil, false, err
	}
	if at != atApp {
		return nil, false, v.refused(at)
	}
	me, err := v.probe(ctx)
	if err != nil {
		return nil, v.welcomed, err
	}
	return &ticket{Cookie: v.cookie, Since: s.cfg.Now().UTC(), Account: s.account(), Login: me.login, me: me}, true, nil
}

// secondFactor sends codes, at most two in a run that are not taken.
func (v *visit) secondFactor(ctx context.Context) (place, error) {
	if v.factor.missing() {
		return "", &provision.Error{
			Vendor: name, Op: opSignIn, Kind: provision.ErrUnauthenticated,
			Message: "the console asks for a second factor, and totp-secret is not set",
			Hint: "set totp-secret to the account's key. The console shows the key at the first sign-in only, which may have been this one: " +
				"if you do not have it, have a user administrator reset it, sign in with a browser, and store the key before anything else does",
		}
	}
	for v.badCodes < 2 {
		code, err := v.nextCode(ctx)
		if err != nil {
			return "", err
		}
		at, err := v.post(ctx, "/", url.Values{"totpCode": {code}, "submit": {"Login"}})
		if err != nil || at != atCode && at != atLogin {
			return at, err
		}
		v.badCodes++
		v.cfg.Log.InfoContext(ctx, "the console did not take the code of the second factor", "tenant", v.cfg.Tenant)
	}
	return "", &provision.Error{
		Vendor: name, Op: opSignIn, Kind: provision.ErrUnauthenticated, Message: "the code of the second factor was not taken",
		Hint: fmt.Sprintf("check totp-secret; the console's clock is %s ahead of ours, which was allowed for", v.http.Skew()),
	}
}

// post sends a form and reads where it leads. A form reaches the console once:
// the password may be wrong, and a code is good for one use.
func (v *visit) post(ctx context.Context, path string, form url.Values) (place, error) {
	resp, err := v.http.Do(ctx, &transport.Request{
		Op: opSignIn, Method: http.MethodPost, Path: path, Single: true, Body: []byte(form.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"*/*"}}, Sign: v.sign,
	})
	if err != nil {
		return "", unreached(err)
	}
	at := *v.http.Origin()
	at.Path += path
	for range maxHops {
		v.take(resp.Header)
		if resp.Status < 300 || resp.Status >= 400 {
			return v.page(resp)
		}
		next, where := v.judge(&at, resp.Header.Get("Location"))
		switch where {
		case onward:
			v.welcomed = v.welcomed || strings.HasPrefix(next.Fragment, "/current")
		case "":
			return "", signInFailure(resp)
		default:
			return where, nil
		}
		resp, err = v.root.Do(ctx, &transport.Request{
			Op: opSignIn, Method: http.MethodGet, Path: "/" + strings.TrimPrefix(next.EscapedPath(), "/"), Query: next.Query(),
			Header: http.Header{"Accept": {"*/*"}}, Sign: v.sign,
		})
		if err != nil {
			return "", err
		}
		at = *next
	}
	return "", &provision.Error{Vendor: name, Op: opSignIn, Kind: provision.ErrInternal, Message: "the console redirects without end"}
}

func (v *visit) sign(r *http.Request) error {
	if v.cookie == "" {
		return nil
	}
	return signer(v.cookie)(r)
}

// take keeps the session cookie of an answer. Others come beside it.
func (v *visit) take(h http.Header) {
	for _, c := range (&http.Response{Header: h}).Cookies() {
		if c.Name == cookieName && c.Value != "" && c.MaxAge >= 0 {
			v.cfg.Made(c.Value)
			v.cookie = c.Value
		}
	}
}

// judge reads a redirect, of which no place is known if it makes no sense. What
// went wrong stands in its path, query or fragment.
func (v *visit) judge(at *url.URL, location string) (*url.URL, place) {
	next, err := at.Parse(location)
	if err != nil || location == "" {
		return nil, ""
	}
	v.host = next.Host
	words := strings.ToLower(next.Path + "?" + next.RawQuery + "#" + next.Fragment)
	switch {
	case next.Hostname() != at.Hostname():
		return nil, atElsewhere
	case strings.Contains(words, "error"):
		return nil, atLogin
	case strings.Contains(words, "reset"):
		return nil, atReset
	case strings.HasSuffix(next.Path, "/login.html"):
		return nil, atLogin
	case next.Scheme != at.Scheme || next.Host != at.Host:
		return nil, atElsewhere
	}
	return next, onward
}

// page reads what stands at the end of the redirects.
func (v *visit) page(resp *transport.Response) (place, error) {
	switch {
	case loginPage(resp.Body):
		return atLogin, nil
	case resp.OK() && bytes.Contains(bytes.ToLower(resp.Body), []byte("two factor authentication")):
		return atCode, nil
	case resp.OK() && v.cookie == "":
		return "", notTheAPI(call{op: opSignIn}, resp)
	case resp.OK():
		return atApp, nil
	}
	return "", signInFailure(resp)
}

// loginPage tells the console's page for signing in.
func loginPage(body []byte) bool {
	body = bytes.TrimSpace(body)
	return bytes.HasPrefix(body, []byte("<")) &&
		(bytes.Contains(body, []byte("<app-login")) || bytes.Contains(body, []byte("Cybereason | Login")))
}

// refused says why there is no session.
func (v *visit) refused(at place) error {
	e := &provision.Error{Vendor: name, Op: opSignIn, Kind: provision.ErrUnauthenticated}
	switch at {
	case atReset:
		e.Message = "the password of " + v.account() + " has expired and must be changed"
		e.Hint = "sign in with a browser, choose a new password, and store it; passwords expire after six months by default"
	case atElsewhere:
		e.Message = "the console sends " + v.account() + " to sign in at " + v.host
		e.Hint = "that is single sign-on, or another address of the console: edrctl needs a user that signs in with a password, and the console's own url"
	default:
		e.Message = "the console refused the username or the password"
		e.Hint = "it is not tried again, since the console locks accounts after some attempts: check both in a browser; " +
			"an account that is locked, or that signs in with single sign-on only, is refused in the same way"
	}
	return e
}
