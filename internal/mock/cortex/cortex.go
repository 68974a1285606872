// Package cortex is a fake of user management in Palo Alto Networks Cortex: the
// rbac calls every generation of the product has, the iam calls of the newer
// ones, the list of single sign-on settings, and both kinds of API key.
//
// It has no way to create or remove a person over the API, because the vendor
// has none. It does not imitate speed, size limits or the console.
package cortex

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"edrctl/internal/mock"
)

const (
	vendor  = "cortex"
	maxBody = 1 << 20
)

// Maker makes the fake.
func Maker() mock.Maker {
	return mock.Maker{
		Vendor:  vendor,
		New:     func(env mock.Env) mock.API { return newFake(env) },
		Aliases: map[string][]string{"analyst": {"Viewer"}, "responder": {"Investigator"}},
	}
}

type fake struct {
	env    mock.Env
	routes []route

	mu sync.Mutex
	st state
}

func newFake(env mock.Env) *fake {
	return &fake{env: env, routes: routes(), st: defaultState()}
}

// now is the fake's clock, which a switch can set wrong.
func (f *fake) now() time.Time {
	return f.env.Now().Add(time.Duration(f.number(swClockOffset)) * time.Second)
}

// ServeHTTP answers the vendor's routes, one request at a time.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	f.mu.Lock()
	var a answer
	if err != nil {
		a = f.refuse(r, http.StatusBadRequest, "the body could not be read")
	} else {
		a = f.answer(r, body)
	}
	a = f.dress(r, a)
	f.mu.Unlock()
	a.write(w)
}

// Fail answers with a status as the vendor would.
func (f *fake) Fail(w http.ResponseWriter, r *http.Request, status int, retryAfter time.Duration) {
	f.mu.Lock()
	a := f.failure(r, status)
	if retryAfter > 0 {
		seconds := (retryAfter + time.Second - 1) / time.Second
		a = a.with("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	a = f.dress(r, a)
	f.mu.Unlock()
	a.write(w)
}

// Activate adds somebody to the list, as if an invitation sent from the
// support portal had been accepted. Nobody gets a role that way.
func (f *fake) Activate(login string) error {
	local, domain, ok := strings.Cut(login, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(login, " \t\r\n") {
		return fmt.Errorf("%q is no e-mail address", login)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, u := range f.st.Users {
		if strings.EqualFold(u.Email, login) {
			return fmt.Errorf("%s is listed already", u.Email)
		}
	}
	first, last, _ := strings.Cut(local, ".")
	f.st.Users = append(f.st.Users, user{
		Email: login, FirstName: capital(first), LastName: capital(last), Status: statusActive, Type: typeCSP,
	})
	return nil
}

func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// ExpireSessions does nothing: a key signs every request anew.
func (f *fake) ExpireSessions() {}

// Settings describes the first key.
func (f *fake) Settings(address string) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.st.Keys[0]
	return map[string]string{
		"url":        address,
		"api-key-id": strconv.Itoa(k.ID),
		"api-key":    k.Secret,
		"key-type":   f.keyType(k),
	}
}
