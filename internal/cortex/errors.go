package cortex

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// What the vendor says where the status alone does not tell, in lower case.
const (
	saysBusy    = "reached max number of retries"
	saysTooMany = "too many requests"
)

// says reports whether a text has all of these in it, in whatever case.
func says(text string, what ...string) bool {
	text = strings.ToLower(text)
	return !slices.ContainsFunc(what, func(w string) bool { return !strings.Contains(text, w) })
}

// verdict is what an answer means. No kind leaves it to the status.
type verdict struct {
	kind provision.Kind
	hint string
}

// rule is a row of the table that classify reads from the top.
type rule struct {
	statuses []int
	says     []string // all of these
	verdict
}

// rules are what is special about failures here. A 500 is above all the answer
// to values that are wrong. (Cortex XDR REST API, Set a User Role and Get
// Roles; Cortex XSIAM Platform APIs, Edit an existing user.)
func rules() []rule {
	const (
		licence = "the tenant's licence does not include this call; for Cortex XDR 3.x it takes XDR Pro"
		owner   = "only an API key with the role Instance Administrator may touch what holds that role"
		weak    = "the roles of the API key do not permit this: give the key the role Instance Administrator"
		gateway = "Account Admin is given and taken in the Cortex Gateway"
		listed  = "`edrctl role list` shows the roles that can be given"
		route   = "check the tenant's fqdn or url (the console has a button Copy API URL) and its generation"
	)
	wrong := []int{http.StatusBadRequest, http.StatusInternalServerError}
	return []rule{
		{[]int{401}, nil, verdict{provision.ErrUnauthenticated, ""}},
		{[]int{402}, nil, verdict{provision.ErrForbidden, licence}},
		{[]int{403}, []string{"instance admin"}, verdict{provision.ErrForbidden, owner}},
		{[]int{403}, nil, verdict{provision.ErrForbidden, weak}},
		{[]int{301, 302, 303, 307, 308, 404, 405}, nil, verdict{provision.ErrInternal, route}},
		{[]int{500}, []string{saysTooMany}, verdict{provision.ErrRateLimited, ""}},
		{wrong, []string{"account admin"}, verdict{provision.ErrUnsupported, gateway}},
		{wrong, []string{"role", "was not found"}, verdict{provision.ErrNotFound, listed}},
		{wrong, []string{"role", "does not exist"}, verdict{provision.ErrNotFound, listed}},
		{wrong, []string{"was not found"}, verdict{provision.ErrNotFound, ""}},
		{wrong, []string{"does not exist"}, verdict{provision.ErrNotFound, ""}},
		{wrong, []string{"param is missing"}, verdict{provision.ErrInvalid, ""}},
	}
}

// classify says what an answer that is no success means.
func classify(status int, change bool, text string) verdict {
	for _, r := range rules() {
		if slices.Contains(r.statuses, status) && says(text, r.says...) {
			return r.verdict
		}
	}
	return verdict{kind: transport.StatusKind(status, change)}
}

// fault is what the body of a failure says.
type fault struct {
	code string
	// message is often the same for everything; extra has the cause.
	message, extra string
}

// text is both, without repeating.
func (f fault) text() string {
	switch {
	case f.extra == "" || strings.Contains(f.message, f.extra):
		return f.message
	case f.message == "":
		return f.extra
	}
	return strings.TrimSuffix(f.message, ".") + ": " + f.extra
}

// readFault finds the vendor's words in the body of a failure, which has one
// of five forms: under "reply" (Cortex XDR REST API in practice, and 403 of the
// platform), at the top level (as its pages have it), under "data" with the
// cause under "metadata" (Cortex XSIAM Platform APIs), in fields of other
// families and proxies, or as text.
func readFault(body []byte) fault {
	var top map[string]json.RawMessage
	if json.Unmarshal(body, &top) != nil {
		if title := transport.Title(body); title != "" {
			return fault{message: title}
		}
		return fault{message: transport.Excerpt(body[:min(len(body), 512)], 300)}
	}
	for _, part := range []json.RawMessage{top["reply"], top["data"], body} {
		if f := errFields(part); f != (fault{}) {
			return f
		}
	}
	return otherFields(top)
}

// errFields reads the vendor's own fields of an object.
func errFields(object json.RawMessage) fault {
	type fields struct {
		Code  text            `json:"err_code"`
		Msg   json.RawMessage `json:"err_msg"`
		Extra json.RawMessage `json:"err_extra"`
	}
	var w struct {
		fields
		Metadata fields `json:"metadata"`
	}
	if json.Unmarshal(object, &w) != nil {
		return fault{}
	}
	f := fault{code: string(w.Code), message: words(w.Msg), extra: words(w.Extra)}
	if f.code == "" {
		f.code = string(w.Metadata.Code)
	}
	if f.extra == "" {
		f.extra = words(w.Metadata.Extra)
	}
	return f
}

// otherFields reads what other families of calls, and servers in front of the
// API, say.
func otherFields(top map[string]json.RawMessage) fault {
	f := fault{code: words(top["errorCode"])}
	for _, name := range []string{"error", "message", "description"} {
		if f.message == "" {
			f.message = words(top[name])
		}
	}
	for _, name := range []string{"details", "errors"} {
		if f.extra == "" {
			f.extra = words(top[name])
		}
	}
	return f
}

// words make one line of a value that is a string, an object with a message,
// either of them as JSON within a string, or a list.
func words(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		if inner := []byte(s); bytes.HasPrefix(inner, []byte("{")) && json.Valid(inner) {
			return words(inner)
		}
		return strings.TrimSpace(s)
	}
	var object struct {
		Field   text            `json:"field"`
		Message json.RawMessage `json:"message"`
	}
	if json.Unmarshal(raw, &object) == nil && len(object.Message) > 0 {
		return strings.TrimPrefix(string(object.Field)+": "+words(object.Message), ": ")
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		var parts []string
		for _, one := range list {
			parts = append(parts, words(one))
		}
		return strings.Join(parts, "; ")
	}
	return string(raw)
}

// clean makes a vendor's text fit to be shown.
func clean(message, secret string) string {
	return transport.Excerpt([]byte(strings.ReplaceAll(message, secret, "[redacted]")), 300)
}
