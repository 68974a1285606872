package cybereason

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// The results of changes that are more than an error.
const (
	codeSuccess    = "success"
	codeNotChanged = "userNotChanged"
	codeStale      = "staleUser"
)

// codes are the results of changes. (Cybereason API documentation, Delete a
// User, which lists those of all operations, two of them misspelt.)
func codes() []string {
	return []string{
		codeSuccess, codeNotChanged, codeStale, "userExists", "userNotFound", "badUsername", "badBasicPassword", "badStrictPassword",
		"previousPassword", "incorrectPassword", "actionNotAllowed", "actionFailed", "badTotpSid", "illegaleLocale", "errorOccured",
	}
}

// knownCode is a result in the vendor's spelling.
func knownCode(word string) (string, bool) {
	switch word = strings.ToLower(word); word {
	case "erroroccurred":
		word = "erroroccured"
	case "illegallocale":
		word = "illegalelocale"
	}
	list := codes()
	i := slices.IndexFunc(list, func(code string) bool { return strings.ToLower(code) == word })
	if i < 0 {
		return "", false
	}
	return list[i], true
}

// maxResult is the size of a body that may be one word.
const maxResult = 64 << 10

// resultCode is the word that a body says: a JSON string, the bare word, or the
// message of an object. It is empty where the body says something else. A string
// that is not known is a result all the same.
func resultCode(body []byte) string {
	if len(body) > maxResult {
		return ""
	}
	text := string(bytes.TrimSpace(body))
	switch {
	case strings.HasPrefix(text, "{"):
		var object struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(body, &object) != nil {
			return ""
		}
		code, _ := knownCode(object.Message)
		if code == codeSuccess {
			return "" // that has one form only
		}
		return code
	case strings.HasPrefix(text, `"`):
		if json.Unmarshal(body, &text) != nil {
			return ""
		}
	case json.Valid(body), !regexp.MustCompile(`^[A-Za-z]{1,40}$`).MatchString(text):
		return ""
	}
	if code, ok := knownCode(text); ok {
		return code
	}
	return transport.Excerpt([]byte(text), 80)
}

// answer is what classify judges.
type answer struct {
	op     string
	change bool
	status int
	// code is the result in the body, empty without one.
	code string
}

// verdict is what an answer means. No kind leaves it to the status.
type verdict struct {
	kind       provision.Kind
	text, hint string
}

// rule is a row of the table that classify reads from the top. What a field
// leaves empty fits everything.
type rule struct {
	ops      []string
	statuses []int
	codes    []string
	verdict
}

// rules are the results of Cybereason API documentation, Delete a User, and the
// statuses of Responses there.
func rules() []rule {
	const (
		ruledOut = "likely causes: roles that exclude each other, a second factor that is missing or switched off for the console, " +
			"your own account, or the last administrator"
		sendsNone  = "edrctl sends none, since it would become the user's password: change this user in the console"
		permission = "the account needs the role user_admin"
		address    = "the user name must be an e-mail address with a public top-level domain"
		route      = "check the tenant's url; a console of an older version may lack this operation"
	)
	rewrites := []string{opUpdate, opRoles}
	bad := []int{http.StatusBadRequest, http.StatusUnprocessableEntity}
	weak := []string{"badBasicPassword", "badStrictPassword"}
	return []rule{
		{codes: []string{"userExists"}, verdict: verdict{provision.ErrExists, "the login is taken", ""}},
		{codes: []string{"userNotFound"}, verdict: verdict{provision.ErrNotFound, "the console knows no such user", ""}},
		{codes: []string{"badUsername"}, verdict: verdict{provision.ErrInvalid, "the console does not take the user name", address}},
		{codes: weak, ops: rewrites, verdict: verdict{provision.ErrInvalid, "this console wants a password with every change", sendsNone}},
		{codes: weak[:1], verdict: verdict{provision.ErrInvalid, "the password is too weak", "this console's policy: 8 to 64 characters"}},
		{codes: weak[1:], verdict: verdict{provision.ErrInvalid, "the password is too weak", "this console's policy: " + passwordRule().Help}},
		{codes: []string{"previousPassword"}, verdict: verdict{provision.ErrInvalid, "the password was used before", ""}},
		{codes: []string{"incorrectPassword"}, verdict: verdict{provision.ErrInvalid, "the old password is wrong", ""}},
		{codes: []string{codeStale}, verdict: verdict{provision.ErrConflict, "somebody else has changed the user", "run it again"}},
		{codes: []string{"actionNotAllowed"}, verdict: verdict{provision.ErrInvalid, "the console does not allow it", ruledOut}},
		{codes: []string{"actionFailed"}, verdict: verdict{provision.ErrInvalid, "the console could not do it", ruledOut}},
		{codes: []string{"badTotpSid"}, verdict: verdict{provision.ErrInvalid, "the console does not take the second-factor key", ""}},
		{codes: []string{"illegaleLocale"}, verdict: verdict{provision.ErrInvalid, "the console does not take the locale", ""}},
		{codes: []string{"errorOccured"}, verdict: verdict{provision.ErrUncertain, "the console met an error", ""}},

		{statuses: bad, ops: rewrites, verdict: verdict{provision.ErrInvalid, "", "if it is about a password: " + sendsNone}},
		{statuses: []int{http.StatusForbidden, http.StatusPreconditionFailed}, verdict: verdict{provision.ErrForbidden, "", permission}},
		{statuses: []int{http.StatusNotFound}, verdict: verdict{provision.ErrInternal, "the console has no such operation", route}},
		{statuses: []int{301, 302, 303, 307, 308}, verdict: verdict{provision.ErrInternal, "the console sends us elsewhere, which is not followed", route}},
	}
}

// classify says what an answer means that is not a success.
func classify(a answer) verdict {
	for _, r := range rules() {
		if (len(r.ops) == 0 || slices.Contains(r.ops, a.op)) &&
			(len(r.statuses) == 0 || slices.Contains(r.statuses, a.status)) &&
			(len(r.codes) == 0 || slices.Contains(r.codes, a.code)) {
			return r.verdict
		}
	}
	if a.code != "" {
		return verdict{provision.ErrInternal, "the console answers with a result that is not known", ""}
	}
	return verdict{kind: transport.StatusKind(a.status, a.change)}
}

// failure is an error with the console's words. A status of failure that comes
// with the word for success leaves it open what happened.
func failure(c call, resp *transport.Response) *provision.Error {
	code := resultCode(resp.Body)
	if _, known := knownCode(code); !resp.OK() && (!known || code == codeSuccess) {
		code = ""
	}
	v := classify(answer{op: c.op, change: c.change, status: resp.Status, code: code})
	said := code
	if said == "" {
		said = words(resp.Body)
	}
	if v.text != "" && said != "" {
		said = ": " + said
	}
	e := &provision.Error{
		Vendor: name, Op: c.op, Kind: v.kind, Status: resp.Status, Code: code,
		Message: v.text + said, RequestID: resp.RequestID(), Hint: v.hint,
	}
	if c.hide != "" {
		e.Message, e.Code = strings.ReplaceAll(e.Message, c.hide, "[redacted]"), strings.ReplaceAll(e.Code, c.hide, "[redacted]")
	}
	return e
}

// words are what the body of an error says, in one line.
func words(body []byte) string {
	var object struct {
		Message      string   `json:"message"`
		FailedValues []string `json:"failedValues"`
	}
	if json.Unmarshal(body, &object) == nil && object.Message != "" {
		text := object.Message
		if len(object.FailedValues) > 0 {
			text += " (" + strings.Join(object.FailedValues, ", ") + ")"
		}
		return transport.Excerpt([]byte(text), 200)
	}
	if title := pageTitle(body); title != "" {
		return title
	}
	return transport.Excerpt(body, 200)
}

// notTheAPI reports a success that is not the API's. Whether a change was
// carried out, nobody knows.
func notTheAPI(c call, resp *transport.Response) *provision.Error {
	e := failure(c, resp)
	e.Kind, e.Code = provision.ErrInternal, ""
	if c.change {
		e.Kind = provision.ErrUncertain
	}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	e.Message = fmt.Sprintf("not the API: the answer is %q", kind)
	if title := pageTitle(resp.Body); title != "" {
		e.Message += fmt.Sprintf(" titled %q", title)
	}
	e.Hint = "check the tenant's url, and proxies or portals on the way"
	return e
}

// signInFailure reports a sign-in that was neither accepted nor refused.
func signInFailure(resp *transport.Response) *provision.Error {
	e := &provision.Error{
		Vendor: name, Op: opSignIn, Kind: transport.StatusKind(resp.Status, false), Status: resp.Status,
		Message: pageTitle(resp.Body), RequestID: resp.RequestID(),
	}
	switch resp.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusPreconditionFailed:
		e.Kind = provision.ErrForbidden
		e.Hint = "that is not about the password; the console, or something in front of it, may admit certain source addresses only"
	case http.StatusNotFound:
		e.Kind, e.Hint = provision.ErrInternal, "there is no console here: check the tenant's url"
	}
	return e
}
