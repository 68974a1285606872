package crowdstrike

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// api sends calls under the tenant's token.
type api struct {
	http     *transport.Client
	session  *session
	families *choice
}

// callKind tells calls apart whose failures mean something of their own.
type callKind string

const (
	callToken  callKind = "token"
	callCreate callKind = "create"
)

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
	// list is true for answers that grow with the number of users or roles.
	list bool
	// gaps is true where records that do not exist may be reported as errors
	// beside those that do.
	gaps bool
	// hide is a secret in the body, which no message may repeat.
	hide string
}

// envelope is what all answers come in. (CrowdStrike developer portal, User
// Management: msa.MetaInfo, msa.APIError.)
type envelope struct {
	Meta struct {
		TraceID    string `json:"trace_id"`
		PoweredBy  string `json:"powered_by"`
		Pagination struct {
			Total *number `json:"total"`
		} `json:"pagination"`
	} `json:"meta"`
	Resources json.RawMessage `json:"resources"`
	Errors    []fault         `json:"errors"`

	call *call
	resp *transport.Response
}

type fault struct {
	Code    number `json:"code"`
	Message string `json:"message"`
}

// number is an integer that some answers write as a string. What is neither is
// 0, since no number of these answers is worth failing for.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(data []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(data), `"`), 64)
	if err != nil || !(f > -1<<53 && f < 1<<53) {
		f = 0
	}
	*n = number(f)
	return nil
}

// do sends a call and returns a success, or an error with the vendor's message
// and trace id. A success that lists errors is none.
func (a *api) do(ctx context.Context, c call) (*envelope, error) {
	var body []byte
	if c.body != nil {
		var err error
		if body, err = json.Marshal(c.body); err != nil {
			return nil, &provision.Error{Vendor: name, Op: c.op, Kind: provision.ErrInternal, Err: err}
		}
	}
	resp, t, err := a.send(ctx, &c, body)
	if err != nil {
		return nil, err
	}
	if !resp.OK() {
		e := failure(&c, resp, a.session.secret(), t.Value, c.hide)
		if resp.Status == http.StatusUnauthorized {
			e.Hint = a.session.hint(t)
		}
		return nil, e
	}
	env := &envelope{call: &c, resp: resp}
	if err := resp.Decode(name, c.op, env); err != nil {
		return nil, withTrace(err, resp)
	}
	if resp.Status == http.StatusMultiStatus || len(env.Errors) > 0 {
		e := failure(&c, resp, a.session.secret(), t.Value, c.hide)
		if !c.gaps || e.Kind != provision.ErrNotFound {
			return nil, e
		}
	}
	if isModern(c.path) {
		a.families.settle(apiModern)
	}
	return env, nil
}

// send puts the token on a call. When the API does not take it, it is sent
// again under a new one, once: such a call was not carried out.
func (a *api) send(ctx context.Context, c *call, body []byte) (*transport.Response, *token, error) {
	limit := int64(transport.MaxObject)
	if c.list {
		limit = transport.MaxList
	}
	for again := false; ; again = true {
		t, err := a.session.token(ctx)
		if err != nil {
			return nil, nil, err
		}
		resp, err := a.http.At(a.session.origin(t)).Do(ctx, &transport.Request{
			Op: c.op, Method: c.method, Path: c.path, Query: c.query, Body: body,
			Change: c.change, JSON: true, MaxBytes: limit,
			Sign: func(r *http.Request) error {
				r.Header.Set("Authorization", "Bearer "+t.Value)
				return nil
			},
		})
		if err != nil {
			return nil, nil, err
		}
		if resp.Status != http.StatusUnauthorized {
			t.worked.Store(true)
			return resp, t, nil
		}
		a.session.rejected(ctx, t)
		if again {
			return resp, t, nil
		}
	}
}

// resources are the records of an answer. Absent, null and [] are the same.
func resources[T any](env *envelope) ([]T, error) {
	if len(env.Resources) == 0 {
		return nil, nil
	}
	var list []T
	if err := json.Unmarshal(env.Resources, &list); err != nil {
		e := env.fail(provision.ErrInternal, "the answer has an unexpected shape")
		if env.call.change {
			e.Kind = provision.ErrUncertain
		}
		e.Err = err
		return nil, e
	}
	return list, nil
}

// fetch sends a call and returns its records.
func fetch[T any](ctx context.Context, a *api, c call) ([]T, *envelope, error) {
	env, err := a.do(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	list, err := resources[T](env)
	return list, env, err
}

// fail is an error about an answer that arrived and claims success.
func (e *envelope) fail(kind provision.Kind, message string) *provision.Error {
	return &provision.Error{
		Vendor: name, Op: e.call.op, Kind: kind, Message: message, Status: e.resp.Status, RequestID: traceID(e.resp, e),
	}
}

// withTrace adds to an error which answer it is about.
func withTrace(err error, resp *transport.Response) error {
	var e *provision.Error
	if errors.As(err, &e) {
		e.RequestID = traceID(resp, nil)
	}
	return err
}

// traceID is what CrowdStrike's support asks for.
func traceID(resp *transport.Response, env *envelope) string {
	if id := resp.RequestID(); id != "" || env == nil {
		return id
	}
	return transport.Excerpt([]byte(env.Meta.TraceID), 80)
}
