package carbonblack

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// api sends calls under the tenant's key.
type api struct {
	http *transport.Client
	key  key
	// wrote is called after each change that was sent, whatever came of it.
	wrote func(ctx context.Context, users bool)
}

// callKind tells calls apart whose answers mean something of their own.
type callKind string

const (
	callUsers       callKind = "users"        // the list
	callCreate      callKind = "create"       // an invitation
	callModify      callKind = "modify"       // a row of the list
	callUser        callKind = "user"         // anything else done to one user
	callRoles       callKind = "roles"        // those the key may hand out
	callFetch       callKind = "fetch"        // grants of many
	callGrant       callKind = "grant"        // reading or removing a grant or a profile
	callGrantCreate callKind = "grant-create" // the first grant of somebody
	callGrantChange callKind = "grant-change" // an existing grant or profile
)

// ofUsers reports a kind of call that is about the list of users.
func (k callKind) ofUsers() bool {
	return k == callUsers || k == callCreate || k == callModify || k == callUser
}

// call is one operation of the API.
type call struct {
	// op is what a person would call it.
	op     string
	kind   callKind
	method string
	path   string
	query  url.Values
	body   any
	change bool
	// document is true where a success is a JSON document. The answers to
	// other calls are documented to have none, or not at all.
	document bool
}

// do sends a call and returns a success, or an error with the vendor's message.
func (a *api) do(ctx context.Context, c call) (*transport.Response, error) {
	var body []byte
	if c.body != nil {
		var err error
		if body, err = json.Marshal(c.body); err != nil {
			return nil, &provision.Error{Vendor: name, Op: c.op, Kind: provision.ErrInternal, Err: err}
		}
	}
	if c.change {
		defer a.wrote(ctx, c.kind.ofUsers())
	}
	resp, err := a.http.Do(ctx, &transport.Request{
		Op: c.op, Method: c.method, Path: c.path, Query: c.query, Body: body,
		Change: c.change, JSON: c.document, Sign: a.key.sign, MaxBytes: transport.MaxList,
	})
	if err != nil {
		return nil, err
	}
	return resp, failure(c, resp, a.key)
}

// list reads a call whose answer holds a list under a key. An answer without
// that key is not the API's, while null is an empty list.
func list[T any](ctx context.Context, a *api, c call, field string) ([]T, error) {
	resp, err := a.do(ctx, c)
	if err != nil {
		return nil, err
	}
	var answer object
	if err := resp.Decode(name, c.op, &answer); err != nil {
		return nil, err
	}
	raw, ok := answer[field]
	if !ok {
		return nil, &provision.Error{
			Vendor: name, Op: c.op, Kind: provision.ErrInternal, Status: resp.Status,
			Message: "the answer has no " + field, Hint: "check the tenant's url, and proxies on the way",
		}
	}
	var items []T
	inner := &transport.Response{Status: resp.Status, Body: raw}
	return items, inner.Decode(name, c.op, &items)
}

// users reads all users; there is no call for one. (Carbon Black Cloud User
// Management API, List All Users.)
func (a *api) users(ctx context.Context, op string) ([]row, error) {
	return list[row](ctx, a, call{op: op, kind: callUsers, method: http.MethodGet, path: a.key.usersPath(), document: true}, "users")
}

// perFetch is how many grants are asked for at once. The vendor tells no limit.
const perFetch = 100

// grants reads the grants of up to perFetch users by their ids. Who has none is
// not in the result. (Carbon Black Cloud Access Profiles and Grants API, Bulk
// Fetch Grants.)
func (a *api) grants(ctx context.Context, op string, ids []string) (map[string]*grant, error) {
	type query struct {
		Principal string `json:"principal"`
		OrgRef    string `json:"org_ref"`
	}
	var queries []query
	byURN := map[string]string{}
	for _, id := range ids {
		queries = append(queries, query{a.key.userURN(id), a.key.orgURN()})
		byURN[a.key.userURN(id)] = id
	}
	found, err := list[grant](ctx, a, call{
		op: op, kind: callFetch, method: http.MethodPost, path: fetchPath, body: queries, document: true,
	}, "results")
	if err != nil {
		return nil, err
	}
	byID := map[string]*grant{}
	for i, g := range found {
		if id, ok := byURN[g.Principal]; ok {
			byID[id] = &found[i]
		}
	}
	return byID, nil
}

// object is a JSON object as the vendor sent it. A change goes into a copy, so
// that all that is not understood here is sent back as it came.
type object map[string]json.RawMessage

// with is a copy with one value changed. The value is of a kind that always
// has a JSON form.
func (o object) with(field string, value any) object {
	changed := object{}
	for k, v := range o {
		changed[k] = v
	}
	changed[field], _ = json.Marshal(value) //nolint:errchkjson // see above
	return changed
}

// has reports a value that is there and not null.
func (o object) has(field string) bool {
	return len(o[field]) > 0 && !bytes.Equal(o[field], []byte("null"))
}

// text is a value that is a string, else empty.
func (o object) text(field string) string {
	var s string
	_ = json.Unmarshal(o[field], &s) // what is no string is no text
	return s
}
