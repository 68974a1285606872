package carbonblack

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// Codes that classify knows. All but the last are registration statuses.
// (Carbon Black Cloud User Management API, Admin Registration Response.)
const (
	codeSuccess             = "SUCCESS"
	codeAdminRegistered     = "ADMIN_ALREADY_REGISTERED"
	codeConfirmed           = "REGISTRATION_ALREADY_CONFIRMED"
	codeDeviceRegistered    = "DEVICE_ALREADY_REGISTERED"
	codeCompanyRegistered   = "COMPANY_ALREADY_REGISTERED"
	codeInvalidEmail        = "INVALID_EMAIL"
	codeDomainProhibited    = "DOMAIN_PROHIBITED"
	codeInvalidOrganization = "INVALID_ORGANIZATION"
	codeError               = "ERROR"

	// codeModified stands for modifiedByAnotherUser.
	codeModified = "modifiedByAnotherUser"
)

// word is what an answer says of its own success.
type word string

const (
	saysNothing word = ""
	saysYes     word = "success"
	saysNo      word = "failure"
)

// answer is what classify judges.
type answer struct {
	kind   callKind
	change bool
	status int
	code   string
	says   word
}

// verdict is what an answer means; no kind is success.
type verdict struct {
	kind provision.Kind
	// note adds to the vendor's message what it does not say.
	note, hint string
}

// rule is a row of the table that classify reads from the top. What a field
// leaves empty fits everything.
type rule struct {
	kinds    []callKind
	codes    []string
	statuses []int
	verdict
}

func rules() []rule {
	const (
		taken = "an invitation may be pending here, or the address may belong to another organisation"
		key   = "check api-secret and api-id, and that the key's access level is of type Custom"
		may   = `the API key needs "Manage Users", "Manage Roles" and every permission of the roles that it hands out or leaves in place`
		org   = "check org-key, and that url is the console of that organisation"
		orgID = "check org-key and api-id, and that url is the console of that organisation"
		again = "somebody else changed it at the same time; run it again"
		where = "check the tenant's url"
	)
	create := []callKind{callCreate}
	return []rule{
		{kinds: create, codes: []string{codeAdminRegistered, codeConfirmed}, verdict: verdict{provision.ErrExists, taken, ""}},
		{kinds: create, codes: []string{codeDeviceRegistered, codeCompanyRegistered}, verdict: verdict{provision.ErrConflict, "", ""}},
		{kinds: create, codes: []string{codeInvalidEmail}, verdict: verdict{provision.ErrInvalid, "", "check the spelling of the address"}},
		{
			kinds: create, codes: []string{codeDomainProhibited},
			verdict: verdict{provision.ErrInvalid, "the organisation does not accept addresses of this domain", ""},
		},
		{kinds: create, codes: []string{codeInvalidOrganization}, verdict: verdict{provision.ErrInvalid, "no such organisation", org}},
		{kinds: create, codes: []string{codeError}, verdict: verdict{kind: provision.ErrUncertain}},
		{kinds: create, statuses: []int{409}, verdict: verdict{provision.ErrExists, taken, ""}},
		{codes: []string{codeModified}, verdict: verdict{provision.ErrConflict, "", again}},
		{statuses: []int{301, 302, 303, 307, 308}, verdict: verdict{provision.ErrInternal, "not the API: it sends us elsewhere", where}},
		{statuses: []int{401}, verdict: verdict{provision.ErrUnauthenticated, "", key}},
		{statuses: []int{403}, verdict: verdict{provision.ErrForbidden, "", may}},
		{kinds: []callKind{callRoles}, statuses: []int{404}, verdict: verdict{provision.ErrInvalid, "no such organisation or API key", orgID}},
		{
			kinds: []callKind{callUsers, callCreate, callFetch}, statuses: []int{404},
			verdict: verdict{provision.ErrInvalid, "no such organisation", org},
		},
		{kinds: []callKind{callGrantChange}, statuses: []int{404}, verdict: verdict{provision.ErrConflict, "", again}},
	}
}

// classify says what an answer means. It takes both the status and the code
// into account, since the vendor does not document which go together.
func classify(a answer) verdict {
	for _, r := range rules() {
		if r.fits(a) {
			return r.verdict
		}
	}
	ok := a.status >= 200 && a.status < 300
	switch {
	case !ok:
		return verdict{kind: transport.StatusKind(a.status, a.change)}
	case a.success():
		return verdict{}
	case a.change:
		return verdict{kind: provision.ErrUncertain}
	default:
		return verdict{kind: provision.ErrUnavailable}
	}
}

func (r rule) fits(a answer) bool {
	return (len(r.kinds) == 0 || slices.Contains(r.kinds, a.kind)) &&
		(len(r.codes) == 0 || slices.Contains(r.codes, a.code)) &&
		(len(r.statuses) == 0 || slices.Contains(r.statuses, a.status))
}

// success judges the body under a 2xx status. Creating and modifying a user
// are done only where the answer says so.
func (a answer) success() bool {
	switch {
	case a.says == saysNo:
		return false
	case a.kind == callCreate:
		return a.code == codeSuccess || a.code == "" && a.says == saysYes
	case a.kind == callModify:
		return a.says == saysYes
	}
	return true
}

// failure is the error of an answer, nil for a success. Its message is the
// vendor's, without the key.
func failure(c call, resp *transport.Response, k key) error {
	var body object
	_ = json.Unmarshal(resp.Body, &body) // what is no object has no fields
	a := answer{
		kind: c.kind, change: c.change, status: resp.Status, code: body.text("registration_status"), says: says(resp.Body, body),
	}
	if string(body[codeModified]) == "true" {
		a.code = codeModified
	}
	v := classify(a)
	if v.kind == "" {
		return nil
	}
	e := &provision.Error{
		Vendor: name, Op: c.op, Kind: v.kind, Status: resp.Status, Code: a.code, RequestID: resp.RequestID(),
		Message: k.clean(message(resp.Body, body)), Hint: v.hint,
	}
	if e.Code == "" {
		e.Code = k.clean(body.text("error_code"))
	}
	if e.Message != "" && v.note != "" {
		e.Message += ": "
	}
	e.Message += v.note
	if e.Kind == provision.ErrUncertain {
		e.Hint = "look at the user before asking again"
	}
	return e
}

// says reads what an answer says of its success. Text that is no JSON stems
// from something between us and the API.
func says(raw []byte, body object) word {
	switch {
	case len(bytes.TrimSpace(raw)) > 0 && !json.Valid(raw), body.has("errorMessage"), string(body["success"]) == "false":
		return saysNo
	case string(body["success"]) == "true":
		return saysYes
	}
	return saysNothing
}

// message finds the text of an error, whose place the vendor does not document.
func message(raw []byte, body object) string {
	for _, field := range []string{"message", "description", "error_code", "errorMessage", "error"} {
		if text := body.text(field); text != "" {
			return text
		}
	}
	if title := transport.Title(raw); title != "" {
		return title
	}
	return string(raw)
}

// clean makes a vendor's text fit to be shown.
func (k key) clean(text string) string {
	if secret := k.secret.Reveal(); secret != "" {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return transport.Excerpt([]byte(text), 200)
}
