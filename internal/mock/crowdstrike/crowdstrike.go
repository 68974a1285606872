// Package crowdstrike is a fake of CrowdStrike Falcon's user management API:
// OAuth2 tokens, the modern and the legacy family of operations, a customer
// (CID) and a child of it. Roles are held per user and CID, by grant or through
// a user group.
//
// It has no console, no mail and no single sign-on, and it knows profile groups
// and host groups not at all. Filters are a subset of FQL.
package crowdstrike

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"edrctl/internal/mock"
)

// The API client the fake knows. Both have the form of real ones.
const (
	clientID     = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	clientSecret = "mock_falcon_secret_not_a_real_one_000000"
)

const maxBody = 4 << 20

// Maker makes the fake of CrowdStrike Falcon.
func Maker() mock.Maker {
	return mock.Maker{
		Vendor:  "crowdstrike",
		New:     func(e mock.Env) mock.API { return newFake(e) },
		Aliases: map[string][]string{"analyst": {"falconhost_read_only"}, "responder": {"remote_responder"}},
	}
}

// fake is guarded by mu as a whole; routes never changes.
type fake struct {
	now    func() time.Time
	routes map[string]map[string]route

	mu         sync.Mutex
	st         state
	switches   map[string]string
	tokens     map[string]token
	issued     int // tokens so far, so that no two are alike
	answers    int // answers so far, for trace ids and for orders that change
	calls      window
	tokenCalls window
	strange    window
	stale      map[string]*staleGrants
	hidden     map[string]*delay
}

func newFake(e mock.Env) *fake {
	f := &fake{now: e.Now, routes: routes()}
	f.reset()
	return f
}

func (f *fake) reset() {
	f.st = seed()
	f.switches = map[string]string{}
	for _, s := range choices() {
		f.switches[s.name] = s.initial
	}
	f.forget()
}

// forget drops what is no part of the state.
func (f *fake) forget() {
	f.tokens = map[string]token{}
	f.calls, f.tokenCalls, f.strange = window{}, window{}, window{}
	f.stale, f.hidden = map[string]*staleGrants{}, map[string]*delay{}
}

// ServeHTTP answers one request.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		f.Fail(w, r, http.StatusBadRequest, 0)
		return
	}
	f.respond(r, body).write(w)
}

// respond works under the lock and leaves writing to its caller, so that a
// slow reader holds nobody up.
func (f *fake) respond(r *http.Request, body []byte) wire {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers++
	c := &call{r: r, query: r.URL.Query(), body: body, now: f.now(), limit: gatewayLimit}
	c.trace, c.remaining = traceID(f.answers), gatewayLimit-f.calls.used(c.now)
	f.expireGrants(c.now)
	rep, err := f.gateway(c)
	if err != nil {
		rep = refused(c, err)
	}
	return f.render(c, rep)
}

// Change reports whether a request may change something: writes, unless they
// only validate.
func (f *fake) Change(r *http.Request) bool {
	rt, ok := f.routes[r.URL.Path][r.Method]
	if !ok {
		return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
	}
	validates := r.Method == http.MethodPost && r.URL.Path == usersPath && r.URL.Query().Get("validate_only") == "true"
	return rt.write && !validates
}

// Activate takes up the invitation of a user who never signed in: a password
// and a second factor are set, and the user signs in.
func (f *fake) Activate(login string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.st.Users {
		u := &f.st.Users[i]
		if !strings.EqualFold(u.UID, login) {
			continue
		}
		if !u.LastLoginAt.IsZero() {
			return refuse(http.StatusBadRequest, "%s has signed in before", login)
		}
		u.LastLoginAt, u.UpdatedAt = f.now().UTC(), f.now().UTC()
		u.Factors = []string{"TOTP"}
		return nil
	}
	return refuse(http.StatusNotFound, "there is no user %s", login)
}

// ExpireSessions makes all tokens invalid.
func (f *fake) ExpireSessions() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens = map[string]token{}
}

// Settings returns what a tenant of this fake has in edrctl's configuration.
func (f *fake) Settings(address string) map[string]string {
	return map[string]string{"url": address, "client-id": clientID, "client-secret": clientSecret}
}

// Switches returns the switches with their present values.
func (f *fake) Switches() map[string]mock.Switch {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]mock.Switch{}
	for _, s := range choices() {
		out[s.name] = mock.Switch{Value: f.switches[s.name], Help: s.help}
	}
	return out
}

// Set turns a switch. The limits and delays that are counted start anew.
func (f *fake) Set(name, value string) error {
	if err := checkSwitch(name, value); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.switches[name] = value
	f.calls, f.tokenCalls, f.strange = window{}, window{}, window{}
	return nil
}

// State returns a copy of what the fake holds.
func (f *fake) State() any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.st.copy()
}

// Load replaces the state, and with nil the switches too. Tokens end.
func (f *fake) Load(data []byte) error {
	if data == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.reset()
		return nil
	}
	st, err := parseState(data)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.st = st
	f.forget()
	return nil
}

// is reports whether a switch has a value.
func (f *fake) is(name, value string) bool { return f.switches[name] == value }

func (f *fake) route(c *call) (route, bool) {
	rt, ok := f.routes[c.r.URL.Path][c.r.Method]
	return rt, ok
}

// methods lists what a path takes, for the answer to a wrong method.
func (f *fake) methods(path string) []string {
	var list []string
	for method := range maps.Keys(f.routes[path]) {
		list = append(list, method)
	}
	return list
}
