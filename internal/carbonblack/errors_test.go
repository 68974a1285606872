package carbonblack

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

func TestClassify(t *testing.T) {
	create := func(status int, code string, says word) answer {
		return answer{kind: callCreate, change: true, status: status, code: code, says: says}
	}
	change := func(kind callKind, status int, says word) answer {
		return answer{kind: kind, change: true, status: status, says: says}
	}
	read := func(kind callKind, status int, says word) answer {
		return answer{kind: kind, status: status, says: says}
	}
	tests := []struct {
		name string
		give answer
		want provision.Kind // empty for success
	}{
		{"invited", create(201, codeSuccess, saysYes), ""},
		{"invited, 200", create(200, codeSuccess, saysYes), ""},
		{"invited, no code", create(201, "", saysYes), ""},
		{"invited, no word", create(201, codeSuccess, saysNothing), ""},
		{"invited, but failed", create(201, codeSuccess, saysNo), provision.ErrUncertain},
		{"neither code nor word", create(201, "", saysNothing), provision.ErrUncertain},
		{"a code nobody knows", create(201, "FAILURE", saysYes), provision.ErrUncertain},
		{"registered, 409", create(409, codeAdminRegistered, saysNo), provision.ErrExists},
		{"registered, 201", create(201, codeAdminRegistered, saysNo), provision.ErrExists},
		{"registered, 201, success", create(201, codeAdminRegistered, saysYes), provision.ErrExists},
		{"confirmed, 200", create(200, codeConfirmed, saysNo), provision.ErrExists},
		{"confirmed, 404", create(404, codeConfirmed, saysNo), provision.ErrExists},
		{"409 without a code", create(409, "", saysNothing), provision.ErrExists},
		{"device", create(409, codeDeviceRegistered, saysNo), provision.ErrConflict},
		{"company", create(201, codeCompanyRegistered, saysNo), provision.ErrConflict},
		{"address, 201", create(201, codeInvalidEmail, saysNo), provision.ErrInvalid},
		{"address, 400", create(400, codeInvalidEmail, saysNo), provision.ErrInvalid},
		{"domain", create(201, codeDomainProhibited, saysNo), provision.ErrInvalid},
		{"organisation, 404", create(404, codeInvalidOrganization, saysNo), provision.ErrInvalid},
		{"organisation, 201", create(201, codeInvalidOrganization, saysNo), provision.ErrInvalid},
		{"organisation, no code", create(404, "", saysNothing), provision.ErrInvalid},
		{"vendor's fault, 201", create(201, codeError, saysNo), provision.ErrUncertain},
		{"vendor's fault, 500", create(500, codeError, saysNo), provision.ErrUncertain},
		{"create malformed", create(400, "", saysNothing), provision.ErrInvalid},
		{"create forbidden", create(403, "", saysNothing), provision.ErrForbidden},
		{"create 500", create(500, "", saysNothing), provision.ErrUncertain},

		{"list", read(callUsers, 200, saysYes), ""},
		{"list, no word", read(callUsers, 200, saysNothing), ""},
		{"list, failed", read(callUsers, 200, saysNo), provision.ErrUnavailable},
		{"list, organisation", read(callUsers, 404, saysNothing), provision.ErrInvalid},
		{"list, elsewhere", read(callUsers, 302, saysNothing), provision.ErrInternal},
		{"list, key", read(callUsers, 401, saysNothing), provision.ErrUnauthenticated},
		{"list, permission", read(callUsers, 403, saysNothing), provision.ErrForbidden},
		{"list, 500", read(callUsers, 500, saysNothing), provision.ErrUnavailable},
		{"fetch", read(callFetch, 200, saysNothing), ""},
		{"fetch, address", read(callFetch, 404, saysNothing), provision.ErrInvalid},
		{"fetch, too many", read(callFetch, 400, saysNothing), provision.ErrInvalid},
		{"roles", read(callRoles, 200, saysNothing), ""},
		{"roles, key", read(callRoles, 404, saysNothing), provision.ErrInvalid},
		{"grant", read(callGrant, 200, saysNothing), ""},
		{"no grant", read(callGrant, 404, saysNothing), provision.ErrNotFound},

		{"modified", change(callModify, 200, saysYes), ""},
		{"modified, no word", change(callModify, 200, saysNothing), provision.ErrUncertain},
		{"modified, failed", change(callModify, 200, saysNo), provision.ErrUncertain},
		{"modified by another", answer{callModify, true, 200, codeModified, saysNo}, provision.ErrConflict},
		{"modified by another, success", answer{callModify, true, 200, codeModified, saysYes}, provision.ErrConflict},
		{"modified, nobody", change(callModify, 404, saysNothing), provision.ErrNotFound},
		{"deleted", change(callUser, 204, saysNothing), ""},
		{"deleted, failed", change(callUser, 200, saysNo), provision.ErrUncertain},
		{"deleted, nobody", change(callUser, 404, saysNothing), provision.ErrNotFound},
		{"deleted, grant in the way", change(callUser, 409, saysNo), provision.ErrConflict},
		{"grant made", change(callGrantCreate, 201, saysNothing), ""},
		{"grant is there", change(callGrantCreate, 409, saysNothing), provision.ErrConflict},
		{"grant of nobody", change(callGrantCreate, 404, saysNothing), provision.ErrNotFound},
		{"grant changed", change(callGrantChange, 200, saysNothing), ""},
		{"grant changed, gone", change(callGrantChange, 404, saysNothing), provision.ErrConflict},
		{"grant changed, failed", change(callGrantChange, 200, saysNo), provision.ErrUncertain},
		{"grant changed, 502", change(callGrantChange, 502, saysNothing), provision.ErrUncertain},
		{"grant removed, gone", change(callGrant, 404, saysNothing), provision.ErrNotFound},
		{"conflict", change(callGrantChange, 412, saysNothing), provision.ErrConflict},
		{"wrong type", change(callGrantChange, 415, saysNothing), provision.ErrInternal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, classify(tt.give).kind) })
	}
}

func TestFailure(t *testing.T) {
	const secret = "CANARY0SECRET0CANARY0SEC"
	k := key{org: "7KQ2M9XD", id: "Q7W8E9R0TY", secret: provision.NewSecret(secret)}
	tests := []struct {
		name string
		body string
		want string
	}{
		{"message", `{"description":"b","message":"a"}`, "a"},
		{"description", `{"description":"b","error_code":"C"}`, "b"},
		{"error_code", `{"error_code":"C","errorMessage":"d"}`, "C"},
		{"errorMessage", `{"errorMessage":"d","error":"e"}`, "d"},
		{"error", `{"error":"e"}`, "e"},
		{"an object for a text", `{"message":{"text":"a"},"error":"e"}`, "e"},
		{"a page", `<html><title>Gate</title><p>closed</p>`, "Gate"},
		{"text", "out of\x1b[31m order", "out of [31m order"},
		{"a list", `["x"]`, `["x"]`},
		{"nothing", ``, ""},
		{"the key", `{"message":"token ` + secret + `/Q7W8E9R0TY is wrong"}`, "token [redacted]/Q7W8E9R0TY is wrong"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := failure(call{op: "list users", kind: callUsers}, &transport.Response{Status: 400, Body: []byte(tt.body)}, k)
			var e *provision.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tt.want, e.Message)
			assert.Equal(t, provision.ErrInvalid, e.Kind)
			assert.NotContains(t, err.Error(), secret)
		})
	}
}

// TestFailureUnderSuccess is about bodies that belie their status.
func TestFailureUnderSuccess(t *testing.T) {
	tests := []struct {
		name string
		call call
		body string
		want provision.Kind
	}{
		{"an empty body", call{kind: callUser, change: true}, "", ""},
		{"a document", call{kind: callGrant, change: true}, `{"principal":"x"}`, ""},
		{"errorMessage", call{kind: callGrant, change: true}, `{"errorMessage":"no"}`, provision.ErrUncertain},
		{"errorMessage is null", call{kind: callGrant, change: true}, `{"errorMessage":null}`, ""},
		{"success is false", call{kind: callUser, change: true}, `{"success":false}`, provision.ErrUncertain},
		{"a page for a change", call{kind: callUser, change: true}, "<html>", provision.ErrUncertain},
		{"errorMessage for a read", call{kind: callFetch}, `{"errorMessage":"no"}`, provision.ErrUnavailable},
		{"modified by another", call{kind: callModify, change: true}, `{"modifiedByAnotherUser":true,"success":false}`, provision.ErrConflict},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := failure(tt.call, &transport.Response{Status: http.StatusOK, Body: []byte(tt.body), Change: tt.call.change}, key{})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			assert.Equal(t, tt.want, provision.KindOf(err))
		})
	}
}

func TestFailureHints(t *testing.T) {
	hint := func(c call, status int, body string) string {
		var e *provision.Error
		require.ErrorAs(t, failure(c, &transport.Response{Status: status, Body: []byte(body)}, key{}), &e)
		return e.Message + "; " + e.Hint
	}
	forbidden := hint(call{kind: callCreate, change: true}, 403, "")
	for _, needs := range []string{"Manage Users", "Manage Roles", "every permission of the roles"} {
		assert.Contains(t, forbidden, needs)
	}
	refused := hint(call{kind: callUsers}, 401, "")
	for _, needs := range []string{"api-secret", "api-id", "Custom"} {
		assert.Contains(t, refused, needs)
	}
	taken := hint(call{kind: callCreate, change: true}, 201, `{"success":false,"registration_status":"ADMIN_ALREADY_REGISTERED"}`)
	assert.Contains(t, taken, "pending here")
	assert.Contains(t, taken, "another organisation")
	assert.Contains(t, hint(call{kind: callUsers}, 404, ""), "org-key")
}

func TestObject(t *testing.T) {
	var o object
	require.NoError(t, json.Unmarshal([]byte(`{"a":1,"b":null,"c":"text","d":{"unknown":[1.50]}}`), &o))
	changed := o.with("a", []string{"x"})
	encoded, err := json.Marshal(changed)
	require.NoError(t, err)
	assert.JSONEq(t, `{"a":["x"],"b":null,"c":"text","d":{"unknown":[1.50]}}`, string(encoded))
	assert.Contains(t, string(encoded), "1.50", "numbers keep their form")
	assert.Equal(t, "1", string(o["a"]), "the original stays")
	assert.True(t, o.has("a"))
	assert.False(t, o.has("b"))
	assert.False(t, o.has("z"))
	assert.Equal(t, "text", o.text("c"))
	assert.Empty(t, o.text("d"))
}
