// Package carbonblack is a fake of Carbon Black Cloud's user, grant and role
// APIs for one organisation. It invites users, hides them until they are
// activated, and keeps grants apart from users as the vendor does.
//
// It has no child organisations, no console and no mail, and it knows nothing
// of the API keys that a real tenant would list as principals.
package carbonblack

import (
	"crypto/subtle"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"edrctl/internal/mock"
)

// The organisation and the key the fake answers to.
const (
	orgKey    = "7KQ2M9XD"
	orgID     = 48213
	apiID     = "Q7W8E9R0TY"
	apiSecret = "MOCKSECRET0NOTREAL0MOCK0"

	orgURN = "psc:org:" + orgKey
	keyURN = "psc:cnn:" + orgKey + ":" + apiID

	maxBody = 1 << 20
)

// Maker makes the fake of Carbon Black Cloud.
func Maker() mock.Maker {
	return mock.Maker{
		Vendor:  "carbonblack",
		New:     func(e mock.Env) mock.API { return newServer(e) },
		Aliases: map[string][]string{"analyst": {"View All"}, "responder": {"Level 1 Analyst"}},
	}
}

type server struct {
	now    func() time.Time
	routes []route

	mu sync.Mutex // guards st
	st state
}

func newServer(e mock.Env) *server {
	s := &server{now: e.Now, st: seed()}
	s.routes = s.table()
	return s
}

// Settings returns what a tenant of this fake has in edrctl's configuration.
func (s *server) Settings(address string) map[string]string {
	return map[string]string{
		"url":        address,
		"org-key":    orgKey,
		"api-id":     apiID,
		"api-secret": apiSecret,
	}
}

// ExpireSessions does nothing: each request carries the key itself.
func (s *server) ExpireSessions() {}

// Change reports whether a request may change something. Grants of several
// principals are read with a POST.
func (s *server) Change(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	case http.MethodPost:
		rt, _, ok := s.match(r)
		return !ok || !rt.read
	}
	return true
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.Fail(w, r, http.StatusBadRequest, 0)
		return
	}
	s.respond(r, body).write(w)
}

// respond works under the lock and leaves the writing to its caller, so that a
// slow reader holds nobody up.
func (s *server) respond(r *http.Request, body []byte) answer {
	s.mu.Lock()
	defer s.mu.Unlock()

	now := s.now()
	rt, vars, ok := s.match(r)
	if s.early(now) && s.is("rate-penalty", "on") {
		a := s.problem(http.StatusTooManyRequests, "rate limit exceeded")
		a.retryAfter, a.unknown = s.st.BlockedUntil.Sub(now), !ok
		return a
	}
	// The key is judged before the path: a stranger learns nothing of routes. The
	// log tells all the same.
	if !authorized(r) {
		a := s.problem(http.StatusUnauthorized, "the API key is not recognised")
		a.unknown = !ok
		return a
	}
	if !ok {
		a := s.problem(http.StatusNotFound, "no such resource")
		a.unknown = true
		return a
	}
	if org, ok := vars["org"]; ok && org != orgKey {
		return s.wrongOrg(rt)
	}
	if !s.may(rt.need) {
		return s.problem(http.StatusForbidden, "the access level of this key lacks "+rt.need)
	}
	if (r.Method == http.MethodPost || r.Method == http.MethodPut) && !isJSON(r) {
		return s.problem(http.StatusUnsupportedMediaType, "send application/json")
	}
	if s.sayErrorMessage(rt) {
		return answer{status: http.StatusOK, body: map[string]string{"errorMessage": "the request was not carried out"}}
	}
	var notes []string
	note := func(text string) { notes = append(notes, text) }
	a := rt.do(call{vars: vars, query: r.URL.Query(), body: body, now: now, note: note})
	a.notes = notes
	return a
}

// authorized compares the whole token, so that neither half alone, nor the two
// the wrong way round, opens anything.
func authorized(r *http.Request) bool {
	const want = apiSecret + "/" + apiID
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Auth-Token")), []byte(want)) == 1
}

func isJSON(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

// may reports whether the key's access level holds a permission.
func (s *server) may(need string) bool {
	switch s.st.Switches["permission"] {
	case "users":
		return need == manageUsers
	case "roles":
		return need == manageRoles
	case "none":
		return false
	}
	return true
}

// sayErrorMessage reports whether this request is one to be answered with a
// success status and an error in the body.
func (s *server) sayErrorMessage(rt route) bool {
	which, _, _ := strings.Cut(s.st.Switches["error-message-on-2xx"], ":")
	if which == "all" || which == "reads" && rt.read || which == "writes" && !rt.read {
		s.spend("error-message-on-2xx")
		return true
	}
	return false
}
