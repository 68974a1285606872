package cortex

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// answer makes the checks in the vendor's order: the route, who is asking,
// whether that was paid for, whether the key may, whether it is JSON. The rest
// is up to the route.
func (f *fake) answer(r *http.Request, body []byte) answer {
	rt, vars, ok := f.find(r, true)
	if !ok {
		return f.unknown(r)
	}
	iam := strings.HasPrefix(rt.path, iamPrefix)
	if iam && f.is(swGeneration, genXDR3) {
		return f.noIAM()
	}
	k, err := f.authenticate(r)
	if err != nil {
		// The vendor does not say why; whoever reads the log wants to know.
		return f.refuse(r, http.StatusUnauthorized, nil).with(headerNote, err.Error())
	}
	q := request{Request: r, vars: vars, key: k}
	if rt.need == needKey {
		return rt.handle(f, q)
	}
	if f.is(swLicence, off) {
		return f.refuse(r, http.StatusPaymentRequired, "")
	}
	if why := f.lacks(k, rt.need); why != "" {
		return f.forbidden(q, why)
	}
	if n := f.number(swBusy); n > 0 {
		f.st.Switches[swBusy] = strconv.Itoa(n - 1)
		return f.broken(q, extraBusy)
	}
	if rt.body {
		if q.fields, err = fieldsOf(body, iam); err != nil {
			return f.refuse(r, http.StatusBadRequest, err.Error())
		}
	}
	return rt.handle(f, q)
}

// lacks says what a key is missing, or nothing.
func (f *fake) lacks(k key, n need) string {
	if n == needOwner && !f.isOwner(k) {
		return extraOwner
	}
	look := len(k.Roles) > 0 && !f.is(swPermission, "none")
	change := f.is(swPermission, "full") && slices.ContainsFunc(k.Roles, administrative)
	if !look || n != needRead && !change {
		return "the roles of the API key do not permit this call"
	}
	return ""
}

// isOwner reports whether a key may touch what holds Instance Administrator.
func (f *fake) isOwner(k key) bool {
	return f.is(swInstanceAdmin, on) && slices.Contains(k.Roles, roleInstanceAdmin)
}

func administrative(roleID string) bool {
	return slices.Contains([]string{roleAdministrator, roleInstanceAdmin, roleAccountAdmin}, roleID)
}

// fieldsOf takes the top level of a body apart. The older calls accept none
// and ignore what they do not know; the newer ones are strict.
func fieldsOf(body []byte, strict bool) (map[string]json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(body)) == 0 && !strict {
		return fields, nil
	}
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, parseError(body, err)
	}
	if !strict {
		return fields, nil
	}
	for name := range fields {
		if name != "request_data" {
			return nil, fmt.Errorf("additional property %s is not allowed", name)
		}
	}
	if !bytes.HasPrefix(bytes.TrimSpace(fields["request_data"]), []byte("{")) {
		return nil, errors.New("request_data is a required object")
	}
	return fields, nil
}

// parseError words an error as the vendor's parser does, position included.
func parseError(body []byte, err error) error {
	what, at := "Expecting value", 0
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = min(max(int(syntax.Offset)-1, 0), len(body))
		if strings.Contains(syntax.Error(), "after top-level value") {
			what = "Extra data"
		}
		if strings.Contains(syntax.Error(), "unexpected end") {
			at = len(body)
		}
	}
	before := body[:at]
	line := bytes.Count(before, []byte("\n")) + 1
	column := at - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("%s: line %d column %d (char %d)", what, line, column, at)
}

// data is what the older calls find under request_data; nothing when it is
// missing.
func (q request) data() (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	raw := q.fields["request_data"]
	if len(raw) == 0 {
		return out, nil
	}
	return out, json.Unmarshal(raw, &out)
}

// into decodes request_data for the newer calls. A field that is null counts
// as not sent.
func (q request) into(value any) error {
	dec := json.NewDecoder(bytes.NewReader(q.fields["request_data"]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(value); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
