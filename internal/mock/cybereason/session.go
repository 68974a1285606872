package cybereason

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	cookieName = "JSESSIONID"
	// cookieSeconds is what the cookie says, whatever session-seconds is.
	cookieSeconds = 28800

	// The stages of a session. One without login is not kept: its cookie means
	// as much as an invented one.
	stageCode  = "code"
	stageReset = "reset"
	stageFull  = "full"
)

// newID makes a session id: 32 hex digits in upper case.
func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: the program ends instead
	return strings.ToUpper(hex.EncodeToString(b))
}

// sessionKey is what the state keeps of a session id.
func sessionKey(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}

// setCookie hands out a session id. A client over plain HTTP could not send a
// secure cookie back.
func (f *fake) setCookie(a *answer, id string) {
	secure := "Secure; "
	if f.env.Plain {
		secure = ""
	}
	now := f.clock().UTC()
	a.header.Add("Set-Cookie", fmt.Sprintf("%s=%s; Path=/; %sHttpOnly; Max-Age=%d; Expires=%s",
		cookieName, id, secure, cookieSeconds, now.Add(cookieSeconds*time.Second).Format(http.TimeFormat)))
}

// forgetMe deletes the cookie of the sign-in page's check box.
func (f *fake) forgetMe(a *answer) {
	a.header.Add("Set-Cookie", "rememberMe=deleteMe; Path=/; Max-Age=0; Expires="+
		f.clock().UTC().Add(-24*time.Hour).Format(http.TimeFormat))
}

// withNewCookie adds a session that is good for nothing, as every refusal has.
func (f *fake) withNewCookie(a answer) answer {
	f.setCookie(&a, newID())
	return a
}

// withCookie does the same for a caller that has no cookie at all.
func (f *fake) withCookie(r *request, a answer) answer {
	if len(r.CookiesNamed(cookieName)) == 0 {
		return f.withNewCookie(a)
	}
	return a
}

// open starts a session.
func (f *fake) open(login, stage string) (id string) {
	id = newID()
	f.st.Sessions[sessionKey(id)] = session{Login: login, Stage: stage, Since: f.env.Now().UTC()}
	return id
}

// session finds the session of a request and its key in the state.
func (f *fake) session(r *request) (string, session, bool) {
	for _, c := range r.CookiesNamed(cookieName) {
		key := sessionKey(c.Value)
		s, ok := f.st.Sessions[key]
		if !ok {
			continue
		}
		age := f.env.Now().Sub(s.Since)
		if age < time.Duration(f.number("session-seconds"))*time.Second && f.index(s.Login) >= 0 {
			return key, s, true
		}
		delete(f.st.Sessions, key)
	}
	return "", session{}, false
}

// admit finds the caller of a request under /rest and counts the request.
func (f *fake) admit(r *request) (user, bool) {
	key, s, ok := f.session(r)
	if !ok || s.Stage != stageFull {
		return user{}, false
	}
	if limit := f.number("session-requests"); limit > 0 && s.Requests >= limit {
		delete(f.st.Sessions, key)
		return user{}, false
	}
	s.Requests++
	f.st.Sessions[key] = s
	f.st.Counters.LoginsInARow = 0
	return f.st.Users[f.index(s.Login)], true
}

// sessionGone answers a request under /rest that has no full session.
func (f *fake) sessionGone() answer {
	a := redirect("/login.html")
	switch f.value("session-gone") {
	case "page":
		a = loginPage()
	case "401":
		a = complaint(http.StatusUnauthorized, "Unauthorized")
	}
	return f.withNewCookie(a)
}

func (f *fake) logout(r *request) answer {
	key, _, ok := f.session(r)
	if ok {
		delete(f.st.Sessions, key)
		f.st.Counters.Logouts++
	} else {
		f.st.Counters.LogoutsWithoutSession++
	}
	return f.withNewCookie(redirect("/login.html"))
}
