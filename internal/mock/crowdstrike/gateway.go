package crowdstrike

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Calls a minute, as the headers have them.
const (
	gatewayLimit   = 6000
	tokenLimit     = 300
	anonymousLimit = 15
)

// call is a request on its way through the fake.
type call struct {
	r     *http.Request
	query url.Values
	body  []byte
	now   time.Time
	trace string

	cid              string   // of the token
	reach            []string // CIDs the token may act on
	legacy           bool
	limit, remaining int
	notes            []string
}

func (c *call) note(text string) { c.notes = append(c.notes, text) }

// gateway does what comes before an operation, and then the operation.
func (f *fake) gateway(c *call) (reply, error) {
	rt, err := f.find(c)
	if err != nil {
		return reply{}, err
	}
	c.legacy = rt.family == legacyFamily
	for name := range c.query {
		if !slices.Contains(rt.query, name) {
			c.note("query parameter " + name + " is ignored")
		}
	}
	slices.Sort(c.notes)
	if f.is("ip-allowlist", "on") {
		return reply{}, atGateway(http.StatusForbidden, "access denied, authorization failed")
	}
	if rt.family == authFamily {
		if err := f.throttle(c, &f.tokenCalls, "token-limit", tokenLimit); err != nil {
			return reply{}, err
		}
		return rt.serve(f, c)
	}
	if err := f.authenticate(c); err != nil {
		return reply{}, err
	}
	if err := f.throttle(c, &f.calls, "rate-limit", gatewayLimit); err != nil {
		return reply{}, err
	}
	if !f.may(rt) {
		return reply{}, atGateway(http.StatusForbidden, "access denied, scope not permitted")
	}
	return f.perform(c, rt)
}

// find looks a route up. A family that is switched off is not there.
func (f *fake) find(c *call) (route, error) {
	rt, ok := f.route(c)
	if ok && (rt.family == modernFamily && f.is("families", "legacy") || rt.family == legacyFamily && f.is("families", "modern")) {
		return rt, atGateway(http.StatusNotFound, "page not found")
	}
	if ok {
		return rt, nil
	}
	e := atGateway(http.StatusNotFound, "page not found")
	if allowed := f.methods(c.r.URL.Path); len(allowed) > 0 {
		slices.Sort(allowed)
		e = atGateway(http.StatusMethodNotAllowed, "method not allowed")
		e.header = http.Header{"Allow": {strings.Join(allowed, ", ")}}
	}
	e.unknown = true
	return rt, e
}

// authenticate accepts a valid token and says in the call what it reaches.
func (f *fake) authenticate(c *call) error {
	blocked := f.count("anonymous-limit")
	if blocked > 0 && f.strange.used(c.now) >= blocked {
		return f.tooMany(c, f.strange.free(c.now), anonymousLimit)
	}
	scheme, value, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	t, ok := f.tokens[value]
	if !ok || !strings.EqualFold(scheme, "bearer") || !c.now.Before(t.expires) || !f.st.hasCID(t.cid) {
		f.strange.hit(c.now)
		e := atGateway(http.StatusUnauthorized, "access denied, invalid bearer token")
		e.limit = anonymousLimit
		c.remaining = anonymousLimit - f.strange.used(c.now)
		return e
	}
	c.cid, c.reach = t.cid, []string{t.cid}
	if t.cid == f.st.home() {
		for _, other := range f.st.CIDs[1:] {
			c.reach = append(c.reach, other.CID)
		}
	}
	return nil
}

func (f *fake) may(rt route) bool {
	switch {
	case rt.family == extraFamily:
		return f.is("extra-scopes", "on")
	case rt.write:
		return f.is("scope", "full")
	}
	return !f.is("scope", "none")
}

// perform does the operation, or what a switch puts in its place.
func (f *fake) perform(c *call, rt route) (reply, error) {
	when := f.switches["errors-on-2xx"]
	trouble := []fault{{Code: http.StatusInternalServerError, Message: "the operation could not be completed"}}
	if rt.write && when == "not-applied" {
		return reply{status: http.StatusOK, errors: trouble}, nil
	}
	rep, err := rt.serve(f, c)
	if err == nil && (rt.write && when == "applied" || !rt.write && when == "reads") {
		return reply{status: rep.status, errors: trouble}, nil
	}
	return rep, err
}

func atGateway(status int, message string) *refusal {
	return &refusal{status: status, message: message, poweredBy: gateway}
}

// throttle counts a call and refuses it beyond the limit of a switch.
func (f *fake) throttle(c *call, w *window, name string, usual int) error {
	limit := f.count(name)
	c.limit = usual
	if limit > 0 {
		c.limit = limit
		if w.used(c.now) >= limit {
			return f.tooMany(c, w.free(c.now), limit)
		}
	}
	w.hit(c.now)
	c.remaining = c.limit - w.used(c.now)
	return nil
}
