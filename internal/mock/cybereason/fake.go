// Package cybereason fakes the part of a Cybereason console that manages its
// users: the form sign-in with second factor and password change, and the
// user endpoints under /rest. It knows no sensors and no Malops, and its
// sensor groups are there to be listed only.
//
// What the vendor does not document is behind a switch, so that a client can
// be tried against each of the possible answers.
package cybereason

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"edrctl/internal/mock"
)

// maxBody is more than any request of the vendor's API needs.
const maxBody = 1 << 20

// fake is one console. Everything behind mu is in st, so that it can be shown
// and replaced as a whole.
type fake struct {
	env mock.Env
	mu  sync.Mutex
	st  state
}

// Maker makes the fake of a Cybereason console.
func Maker() mock.Maker {
	return mock.Maker{
		Vendor: "cybereason",
		New: func(env mock.Env) mock.API {
			return &fake{env: env, st: defaultState(env.TOTP)}
		},
		Aliases: map[string][]string{"analyst": {"analyst_l1"}, "responder": {"responder"}},
	}
}

// request is a request with its body read and its path taken apart.
type request struct {
	*http.Request
	path []string
	body []byte
}

// ServeHTTP answers the sign-in pages and everything under /rest.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	a := f.stamped(func() answer {
		if err != nil {
			return f.failure(r, http.StatusRequestEntityTooLarge, 0)
		}
		return f.route(&request{Request: r, path: f.segments(r.URL), body: body})
	})
	a.write(w, r)
}

// stamped makes an answer with the lock held. It is written without it: a
// client that does not read holds up nobody.
func (f *fake) stamped(do func() answer) answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := do()
	f.stamp(&a)
	return a
}

func (f *fake) route(r *request) answer {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	post := r.Method == http.MethodPost
	switch path := r.URL.Path; {
	case path == "/rest" || strings.HasPrefix(path, "/rest/"):
		return f.rest(r)
	case path == "/login.html" && post:
		return f.login(r)
	case path == "/login.html" && read:
		return f.withCookie(r, loginPage())
	case path == "/logout" && (read || post):
		return f.logout(r)
	case path == "/" && post:
		return f.form(r)
	case (path == "/" || path == landing || path == "/reset.html") && read:
		return f.home(r)
	}
	a := f.failure(r.Request, http.StatusNotFound, 0)
	a.header.Set(unknownHeader, "1")
	return a
}

// segments splits the path before unescaping it, so that an escaped slash
// stays part of a login.
func (f *fake) segments(u *url.URL) []string {
	escaped := u.EscapedPath()
	if strings.Contains(escaped, "+") && strings.HasPrefix(escaped, "/rest/users/") {
		f.st.Counters.RawPlusPaths++
		if f.is("raw-plus", "space") {
			escaped = strings.ReplaceAll(escaped, "+", " ")
		}
	}
	parts := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			parts[i] = plain
		}
	}
	return parts
}

// clock is the console's own clock, which may be wrong.
func (f *fake) clock() time.Time {
	return f.env.Now().Add(time.Duration(f.number("clock-offset")) * time.Second)
}

// Change reports whether a request may change a user. The form that replaces
// an expired password does; the other forms only sign in.
func (f *fake) Change(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodDelete:
	default:
		return false
	}
	path := r.URL.Path
	return path == "/rest/users" || strings.HasPrefix(path, "/rest/users/") ||
		(path == "/" && r.URL.Query().Has("originalurl"))
}

// Fail answers with a status as the console would.
func (f *fake) Fail(w http.ResponseWriter, r *http.Request, status int, retryAfter time.Duration) {
	a := f.stamped(func() answer { return f.failure(r, status, retryAfter) })
	a.write(w, r)
}

// Activate always fails: whoever creates a user sets the password too.
func (f *fake) Activate(login string) error {
	return errors.New("cybereason has no invitations: " + login + " can sign in as soon as it is created")
}

// ExpireSessions ends every session, those that wait for a code included.
func (f *fake) ExpireSessions() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.st.Sessions = map[string]session{}
}

// Settings returns the keys of a tenant that signs in as the service account.
func (f *fake) Settings(address string) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	keys := map[string]string{"url": address, "username": serviceLogin, "password": servicePassword}
	if f.is("tfa", "on") {
		keys["totp-secret"] = serviceTOTP
	}
	return keys
}
