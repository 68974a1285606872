package crowdstrike

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
)

func TestClassify(t *testing.T) {
	const change = true
	tests := []struct {
		name string
		is   answer
		kind provision.Kind
		hint string
	}{
		{"token: unknown client", answer{callToken, false, 400, false, "failed to generate access token for clientid=x"}, provision.ErrUnauthenticated, "client-id"},
		{"token: wrong secret", answer{callToken, false, 403, false, "failed to issue access token - client authentication failed"}, provision.ErrUnauthenticated, "client-secret"},
		{"token: address not allowed", answer{callToken, false, 403, false, "access denied, authorization failed"}, provision.ErrUnauthenticated, "IP allowlist"},
		{"token: 401", answer{callToken, false, 401, false, ""}, provision.ErrUnauthenticated, "client-id"},
		{"token: not JSON", answer{callToken, false, 404, true, ""}, provision.ErrUnauthenticated, "region"},
		{"token: redirect", answer{callToken, false, 308, false, ""}, provision.ErrUnauthenticated, "region"},
		{"token: throttled", answer{callToken, false, 429, false, ""}, provision.ErrRateLimited, ""},
		{"token: out of order", answer{callToken, false, 500, false, ""}, provision.ErrUnavailable, ""},

		{"token not taken", answer{"", false, 401, true, "access denied, invalid bearer token"}, provision.ErrUnauthenticated, ""},
		{"no scope", answer{"", false, 403, true, "access denied, scope not permitted"}, provision.ErrForbidden, "User management: Read"},
		{"no scope for a change", answer{"", change, 403, true, "access denied, scope not permitted"}, provision.ErrForbidden, "User management: Write"},
		{"parent and child, licence or allowlist", answer{"", false, 403, true, "access denied, authorization failed"}, provision.ErrForbidden, "member-cid"},
		{"403 without a word", answer{"", change, 403, false, ""}, provision.ErrForbidden, "scope"},

		{"route missing, by the gateway", answer{"", false, 404, true, ""}, provision.ErrInternal, "api"},
		{"not found", answer{"", change, 404, false, "user not found"}, provision.ErrNotFound, ""},
		{"not found, as 400", answer{"", change, 400, false, "invalid user uuid='' specified"}, provision.ErrNotFound, ""},
		{"not found, in a success", answer{"", false, 200, false, "invalid user uuid='x' specified"}, provision.ErrNotFound, ""},
		{"unknown role", answer{"", change, 400, false, "invalid roleid='no_such_role' specified"}, provision.ErrNotFound, "role list"},

		{"taken", answer{callCreate, change, 409, false, "any text"}, provision.ErrExists, ""},
		{"taken, as 400", answer{callCreate, change, 400, false, "user with uid x already exists"}, provision.ErrExists, ""},
		{"taken, in a success", answer{callCreate, change, 200, false, "user already exists"}, provision.ErrExists, ""},
		{"not taken", answer{callCreate, change, 400, false, "customer does not exist"}, provision.ErrInvalid, ""},
		{"foreign domain", answer{callCreate, change, 400, false, "email domain not permitted for this customer"}, provision.ErrInvalid, "list of domains"},
		{"weak password", answer{callCreate, change, 400, false, "password is too weak"}, provision.ErrInvalid, "12 characters"},
		{"weak password, as 500", answer{callCreate, change, 500, false, "password does not meet the policy"}, provision.ErrInvalid, "12 characters"},
		{"create: out of order", answer{callCreate, change, 500, false, "internal server error: please provide trace-id"}, provision.ErrUncertain, ""},
		{"create: a page of a proxy", answer{callCreate, change, 502, true, "bad gateway"}, provision.ErrUncertain, ""},

		{"409 elsewhere", answer{"", change, 409, false, ""}, provision.ErrConflict, ""},
		{"400 elsewhere", answer{"", change, 400, false, "user already exists"}, provision.ErrInvalid, ""},
		{"change: out of order", answer{"", change, 503, true, ""}, provision.ErrUncertain, ""},
		{"read: out of order", answer{"", false, 503, true, ""}, provision.ErrUnavailable, ""},
		{"read: throttled", answer{"", false, 429, false, ""}, provision.ErrRateLimited, ""},
		{"some of several", answer{"", change, 207, false, "one failed"}, provision.ErrPartial, ""},
		{"change: success with an error", answer{"", change, 200, false, "something"}, provision.ErrUncertain, ""},
		{"read: success with an error", answer{"", false, 200, false, "something"}, provision.ErrInternal, ""},
		{"redirect", answer{"", change, 302, true, ""}, provision.ErrInternal, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := classify(tt.is)
			assert.Equal(t, tt.kind, got.kind)
			assert.Contains(t, got.hint, tt.hint)
		})
	}
}

// What a request meets as a whole: message, trace id and code are kept, secrets
// are not.
func TestFailures(t *testing.T) {
	withHeader := no(403, "access denied, scope not permitted")
	withHeader.header = map[string]string{"X-Cs-Traceid": "trace-of-header"}
	tests := []struct {
		name    string
		is      reply
		kind    provision.Kind
		message string
		trace   string
		code    string
	}{
		{"header wins", withHeader, provision.ErrForbidden, "access denied, scope not permitted", "trace-of-header", "403"},
		{"trace of meta", no(409, "taken"), provision.ErrExists, "taken", "trace-of-meta", "409"},
		{"code as a string", reply{status: 201, body: `{"meta":{"trace_id":"t"},"errors":[{"code":"409","message":"taken"}]}`}, provision.ErrExists, "taken", "t", "409"},
		{"success without the user", made(), provision.ErrUncertain, "success without the user", "trace-of-meta", ""},
		{"success with null for lists", reply{status: 201, body: `{"meta":null,"resources":null,"errors":null}`}, provision.ErrUncertain, "success without the user", "", ""},
		{"success of another shape", reply{status: 201, body: `{"resources":{"uuid":"x"}}`}, provision.ErrUncertain, "unexpected shape", "", ""},
		{"success of no shape", reply{status: 201, body: `["x"]`}, provision.ErrUncertain, "unexpected shape", "", ""},
		{"success of somebody else", made(person(testUUID, "other@acme.example")), provision.ErrUncertain, "without the user", "trace-of-meta", ""},
		{"page of a proxy", reply{status: 502, body: "<html><title>Bad\x1b gateway</title>"}, provision.ErrUncertain, "Bad gateway", "", ""},
		{"success of a portal", reply{status: 200, body: "<html><title>Sign in</title>"}, provision.ErrUncertain, "lost", "", ""},
		{"secrets repeated", no(400, "no "+testSecret+" and canary-token-1 and Canary-Pass-1!"), provision.ErrInvalid, "no [redacted] and [redacted] and [redacted]", "trace-of-meta", "400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newConsole(t).always("POST "+pathUsers, tt.is)
			u, err := c.connect().CreateUser(t.Context(), provision.UserSpec{Login: testLogin, Password: provision.NewSecret("Canary-Pass-1!")})
			e := problem(t, err)
			assert.Zero(t, u)
			assert.Equal(t, tt.kind, e.Kind, "%v", err)
			assert.Contains(t, err.Error(), tt.message)
			assert.Equal(t, tt.trace, e.RequestID)
			assert.Equal(t, tt.code, e.Code)
			assert.Len(t, c.asked(), 1, "a create is sent once")
		})
	}
}
