package crowdstrike

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// answer is what classify judges.
type answer struct {
	call   callKind
	change bool
	// status is that of HTTP, or under a success the code of the first error.
	status int
	// foreign is true when not the service answered but the gateway, or
	// something that does not speak the API.
	foreign bool
	text    string
}

// verdict is what an answer means. No kind leaves it to the status.
type verdict struct {
	kind provision.Kind
	hint string
	// noRoute is true where the API has no such operation.
	noRoute bool
}

// rule is a row of the table that classify reads from the top. What a field
// leaves empty fits everything.
type rule struct {
	call     callKind
	statuses []int
	foreign  bool
	says     []string // one of these, in lower case
	verdict
}

// rules are the situations of CrowdStrike developer portal, User Management and
// OAuth2, and those that the gateway before them makes.
func rules() []rule {
	const (
		client = "check client-id and client-secret, and that the API client lives in this region"
		scope  = `the API client lacks a scope: give it "User management: Read", and "User management: Write" to change anything`
		other  = "more scopes will not help: check the tenant's IP allowlist and licence; an API client of a parent CID may need member-cid"
		domain = "the domain of the address must be on the tenant's list of domains, which CrowdStrike's support keeps"
		secret = "12 characters or more with upper and lower case, a digit and a special one; or leave the password out"
		role   = "`edrctl role list` shows the roles that can be given; a custom role can be given only to users of its own CID"
		route  = "check the tenant's url, and its setting api"
	)
	refused := []int{400, 401, 402, 403, 404, 405, 406, 409, 410, 415, 422}
	bad := []int{400, 404, 422}
	return []rule{
		{call: callToken, statuses: []int{403}, says: []string{"authorization failed"}, verdict: verdict{provision.ErrUnauthenticated, other, false}},
		{call: callToken, statuses: refused, verdict: verdict{provision.ErrUnauthenticated, client, false}},
		{call: callToken, statuses: []int{301, 302, 303, 307, 308}, verdict: verdict{provision.ErrUnauthenticated, "check the tenant's region or url", false}},
		{statuses: []int{207}, verdict: verdict{provision.ErrPartial, "", false}},
		{statuses: []int{403}, says: []string{"scope"}, verdict: verdict{provision.ErrForbidden, scope, false}},
		{statuses: []int{403}, says: []string{"authorization failed"}, verdict: verdict{provision.ErrForbidden, other, false}},
		{statuses: []int{403}, verdict: verdict{provision.ErrForbidden, scope + "; or " + other, false}},
		{statuses: []int{404}, foreign: true, verdict: verdict{provision.ErrInternal, route, true}},
		{statuses: bad, says: []string{"invalid user uuid"}, verdict: verdict{provision.ErrNotFound, "", false}},
		{statuses: bad, says: []string{"invalid roleid", "invalid role id"}, verdict: verdict{provision.ErrNotFound, role, false}},
		{call: callCreate, statuses: []int{409}, verdict: verdict{provision.ErrExists, "", false}},
		{
			call: callCreate, statuses: []int{400, 422},
			says:    []string{"already exist", "already in use", "already used", "already registered", "already taken", "exists", "duplicate"},
			verdict: verdict{provision.ErrExists, "", false},
		},
		{call: callCreate, statuses: []int{400, 422, 500}, says: []string{"password"}, verdict: verdict{provision.ErrInvalid, secret, false}},
		{call: callCreate, statuses: []int{400, 422}, says: []string{"domain"}, verdict: verdict{provision.ErrInvalid, domain, false}},
	}
}

// classify says what an answer that is no success means.
func classify(a answer) verdict {
	for _, r := range rules() {
		if r.fits(a) {
			return r.verdict
		}
	}
	if a.status < 300 {
		if a.change {
			return verdict{kind: provision.ErrUncertain}
		}
		return verdict{kind: provision.ErrInternal}
	}
	return verdict{kind: transport.StatusKind(a.status, a.change)}
}

// fits reports whether a rule is about an answer. A success whose error has no
// code of its own is judged by what it says.
func (r rule) fits(a answer) bool {
	uncoded := a.status >= 200 && a.status < 300 && len(r.says) > 0
	return (r.call == "" || r.call == a.call) &&
		(uncoded || slices.Contains(r.statuses, a.status)) &&
		(!r.foreign || a.foreign) &&
		(len(r.says) == 0 || slices.ContainsFunc(r.says, func(s string) bool { return strings.Contains(a.text, s) }))
}

// failure is the error of an answer that is no success. Its message is the
// vendor's, without the secrets that are named.
func failure(c *call, resp *transport.Response, secrets ...string) *provision.Error {
	env := &envelope{}
	// Whatever can be read of a failure is used; it need not have the form.
	_ = json.Unmarshal(resp.Body, env)
	message, code := "", resp.Status
	if len(env.Errors) > 0 {
		first := env.Errors[0]
		message = first.Message
		if resp.OK() && resp.Status != http.StatusMultiStatus && first.Code >= 400 && first.Code < 600 {
			code = int(first.Code)
		}
	} else if !isObject(resp.Body) {
		message = transport.Title(resp.Body)
	}
	v := classify(answer{
		call: c.kind, change: c.change, status: code, text: strings.ToLower(message),
		foreign: !isObject(resp.Body) || env.Meta.PoweredBy == "crowdstrike-api-gateway",
	})
	e := &provision.Error{
		Vendor: name, Op: c.op, Kind: v.kind, Status: resp.Status, Message: clean(message, secrets),
		RequestID: traceID(resp, env), Hint: v.hint,
	}
	if len(env.Errors) > 0 && env.Errors[0].Code != 0 {
		e.Code = strconv.FormatInt(int64(env.Errors[0].Code), 10)
	}
	if v.noRoute {
		e.Message, e.Err = c.method+" "+c.path, noRoute{}
	}
	if v.kind == provision.ErrUncertain && e.Hint == "" {
		e.Hint = "look at the user before asking again"
	}
	return e
}

// noRoute marks the error of an operation that the API does not have.
type noRoute struct{}

// Error implements error.
func (noRoute) Error() string { return "there is no such operation" }

func isNoRoute(err error) bool { return errors.Is(err, noRoute{}) }

func isObject(body []byte) bool {
	return json.Valid(body) && strings.HasPrefix(strings.TrimSpace(string(body)), "{")
}

// clean makes a vendor's text fit to be shown.
func clean(message string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			message = strings.ReplaceAll(message, s, "[redacted]")
		}
	}
	return transport.Excerpt([]byte(message), 300)
}
