package cybereason

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
)

func TestClassify(t *testing.T) {
	const ok = http.StatusOK
	for _, tt := range []struct {
		answer answer
		kind   provision.Kind
		text   string
	}{
		{answer{opCreate, true, ok, "userExists"}, provision.ErrExists, "the login is taken"},
		{answer{opCreate, true, 400, "userExists"}, provision.ErrExists, "the login is taken"},
		{answer{opCreate, true, 500, "userExists"}, provision.ErrExists, "the login is taken"},
		{answer{opDelete, true, ok, "userNotFound"}, provision.ErrNotFound, "the console knows no such user"},
		{answer{opDelete, true, 404, "userNotFound"}, provision.ErrNotFound, "the console knows no such user"},
		{answer{opCreate, true, ok, "badUsername"}, provision.ErrInvalid, "the console does not take the user name"},
		{answer{opCreate, true, ok, "badBasicPassword"}, provision.ErrInvalid, "the password is too weak"},
		{answer{opCreate, true, ok, "badStrictPassword"}, provision.ErrInvalid, "the password is too weak"},
		{answer{opRoles, true, ok, "badStrictPassword"}, provision.ErrInvalid, "this console wants a password with every change"},
		{answer{opUpdate, true, ok, "badBasicPassword"}, provision.ErrInvalid, "this console wants a password with every change"},
		{answer{opCreate, true, ok, "previousPassword"}, provision.ErrInvalid, "the password was used before"},
		{answer{opUpdate, true, ok, "incorrectPassword"}, provision.ErrInvalid, "the old password is wrong"},
		{answer{opRoles, true, ok, "staleUser"}, provision.ErrConflict, "somebody else has changed the user"},
		{answer{opRoles, true, ok, "actionNotAllowed"}, provision.ErrInvalid, "the console does not allow it"},
		{answer{opCreate, true, ok, "actionFailed"}, provision.ErrInvalid, "the console could not do it"},
		{answer{opUpdate, true, ok, "badTotpSid"}, provision.ErrInvalid, "the console does not take the second-factor key"},
		{answer{opUpdate, true, ok, "illegaleLocale"}, provision.ErrInvalid, "the console does not take the locale"},
		{answer{opUpdate, true, ok, "errorOccured"}, provision.ErrUncertain, "the console met an error"},
		{answer{opUpdate, true, ok, "licenceUsedUp"}, provision.ErrInternal, "the console answers with a result that is not known"},
		{answer{opCreate, true, 400, ""}, provision.ErrInvalid, ""},
		{answer{opRoles, true, 422, ""}, provision.ErrInvalid, ""},
		{answer{opRoles, true, 302, ""}, provision.ErrInternal, "the console sends us elsewhere, which is not followed"},
		{answer{opRoles, true, 401, ""}, provision.ErrUnauthenticated, ""},
		{answer{opRoles, true, 403, ""}, provision.ErrForbidden, ""},
		{answer{"get user", false, 404, ""}, provision.ErrInternal, "the console has no such operation"},
		{answer{opRoles, true, 409, ""}, provision.ErrConflict, ""},
		{answer{opRoles, true, 412, ""}, provision.ErrForbidden, ""},
		{answer{opRoles, true, 429, ""}, provision.ErrRateLimited, ""},
		{answer{opRoles, true, 500, ""}, provision.ErrUncertain, ""},
		{answer{opDelete, true, 504, ""}, provision.ErrUncertain, ""},
		{answer{"get user", false, 502, ""}, provision.ErrUnavailable, ""},
	} {
		got := classify(tt.answer)
		assert.Equal(t, tt.kind, got.kind, "%+v", tt.answer)
		assert.Equal(t, tt.text, got.text, "%+v", tt.answer)
	}
}

func TestResultCode(t *testing.T) {
	for body, want := range map[string]string{
		`"success"`: "success", "success": "success", " \"SUCCESS\"\n": "success", `"userNotChanged"`: "userNotChanged",
		"errorOccurred": "errorOccured", `"illegalLocale"`: "illegaleLocale", `"something else"`: "something else", "maybe": "maybe",
		`{"message":"staleUser"}`: "staleUser",
		"":                        "", " ": "", `""`: "", "7": "", "null": "", "true": "", "[]": "", `{"message":"success"}`: "", `{"message":"no"}`: "",
		"two words": "", "<html>": "", `"cut`: "", "{": "",
	} {
		assert.Equal(t, want, resultCode([]byte(body)), "%q", body)
	}
}
