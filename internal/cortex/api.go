package cortex

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// api sends calls under the tenant's key.
type api struct {
	http   *transport.Client
	key    key
	chosen *choice
}

// call is one operation of the API.
type call struct {
	// op is what a person would call it.
	op     string
	method string
	path   string
	// data is sent as request_data; nil for no body.
	data   any
	change bool
}

// do sends a call and returns what is in its answer: what is under "reply" in
// the calls of Cortex XDR 3.x, and under "data" in those of the platform.
func (a *api) do(ctx context.Context, c call) (json.RawMessage, error) {
	req := &transport.Request{
		Op: c.op, Method: c.method, Path: c.path, Change: c.change, JSON: true, Sign: a.key.sign, Transient: transient,
	}
	if !c.change {
		req.MaxBytes = transport.MaxList
	}
	if c.data != nil {
		var err error
		if req.Body, err = json.Marshal(map[string]any{"request_data": c.data}); err != nil {
			return nil, &provision.Error{Vendor: name, Op: c.op, Kind: provision.ErrInternal, Err: err}
		}
	}
	resp, err := a.http.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	if !resp.OK() {
		return nil, a.failure(c, resp)
	}
	var answer struct {
		Reply json.RawMessage `json:"reply"`
		Data  json.RawMessage `json:"data"`
	}
	if err := resp.Decode(name, c.op, &answer); err != nil {
		return nil, err
	}
	a.chosen.settle(ctx, c.path)
	if answer.Data != nil {
		return answer.Data, nil
	}
	return answer.Reply, nil
}

// failure is the error of an answer that is no success.
func (a *api) failure(c call, resp *transport.Response) *provision.Error {
	f := readFault(resp.Body)
	v := classify(resp.Status, c.change, f.text())
	e := &provision.Error{
		Vendor: name, Op: c.op, Kind: v.kind, Status: resp.Status, Code: f.code,
		Message: clean(f.text(), a.key.secret.Reveal()), Hint: v.hint,
	}
	switch e.Kind {
	case provision.ErrUnauthenticated:
		e.Hint = a.key.hint(a.http.Skew())
	case provision.ErrUncertain:
		e.Hint = "look at the user before asking again"
	}
	return e
}

// transient tells the answers to reads that are worth another attempt. The API
// says 500 for almost everything, so that its text decides.
func transient(resp *transport.Response) bool {
	switch resp.Status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusInternalServerError:
		return says(readFault(resp.Body).text(), saysBusy)
	}
	return false
}

// throttle recognises a refusal for lack of capacity that comes as a 500. It
// does not say how long to wait.
func throttle(resp *transport.Response, now time.Time) (time.Duration, bool) {
	if resp.Status != http.StatusInternalServerError || !says(readFault(resp.Body).text(), saysTooMany) {
		return 0, false
	}
	if wait, ok := transport.RetryAfter(resp.Header, now); ok {
		return wait, true
	}
	return 2 * time.Second, true
}

// list sends a call that reads and returns its records.
func list[T any](ctx context.Context, a *api, c call) ([]T, error) {
	content, err := a.do(ctx, c)
	if err != nil {
		return nil, err
	}
	records, err := rows(content)
	var out []T
	for _, raw := range records {
		var one T
		if err == nil {
			err = json.Unmarshal(raw, &one)
		}
		out = append(out, one)
	}
	if err != nil {
		return nil, &provision.Error{
			Vendor: name, Op: c.op, Kind: provision.ErrInternal, Message: "the answer has an unexpected shape", Err: err,
		}
	}
	return out, nil
}

// rows are the records of a list, which comes plain, as a list of lists, or
// under "data". No list at all is an error, and not a list of nothing: that
// would mean that nobody is there.
func rows(content json.RawMessage) ([]json.RawMessage, error) {
	var wrapped struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(content, &wrapped) == nil && wrapped.Data != nil {
		content = wrapped.Data
	}
	if !isList(content) {
		return nil, errors.New("there is no list in it")
	}
	var records []json.RawMessage
	if err := json.Unmarshal(content, &records); err != nil {
		return nil, err
	}
	var flat []json.RawMessage
	for _, raw := range records {
		if !isList(raw) {
			flat = append(flat, raw)
			continue
		}
		inner, err := rows(raw)
		if err != nil {
			return nil, err
		}
		flat = slices.Concat(flat, inner)
	}
	return flat, nil
}

func isList(raw json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) }
