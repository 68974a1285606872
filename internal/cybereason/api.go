package cybereason

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// api sends calls under the tenant's session.
type api struct {
	http    *transport.Client
	session *session
}

// call is one operation of the API.
type call struct {
	// op is what a person would call it.
	op     string
	method string
	path   string
	change bool
	// list is true for answers that grow with the number of users.
	list bool
	// document is true where a success is a JSON document.
	document bool
	// hide is a secret in the body, which no message may repeat.
	hide string
}

// restRequest is a request under /rest. All of them need a content type.
// (Cybereason API documentation, Requests.) The answer is judged here and not
// by transport: a login page means that the session is gone.
func restRequest(op, method, path, cookie string) *transport.Request {
	return &transport.Request{
		Op: op, Method: method, Path: path, MaxBytes: transport.MaxList, Sign: signer(cookie),
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// send sends a call and returns its answer, whatever its status. When the
// session is gone it signs in and sends it again, once: such a call was not
// carried out.
func (a *api) send(ctx context.Context, c call, body []byte) (*transport.Response, error) {
	for again := false; ; again = true {
		t, err := a.session.ticket(ctx)
		if err != nil {
			return nil, err
		}
		req := restRequest(c.op, c.method, c.path, t.Cookie)
		req.Body, req.Change = body, c.change
		if !c.list {
			req.MaxBytes = transport.MaxObject
		}
		if c.document {
			req.Transient = transient
		}
		resp, err := a.http.Do(ctx, req)
		if err != nil {
			return nil, unreached(err)
		}
		if !signedOut(resp) {
			t.served.Store(true)
			return resp, nil
		}
		a.session.ended(ctx, t)
		if again {
			e := failure(c, resp)
			e.Kind, e.Message = provision.ErrUnauthenticated, "the session has ended again"
			return nil, e
		}
	}
}

// signedOut reports the answers of a console that knows no session: a redirect
// to the login page, that page itself, or 401. A missing permission is 403, and
// signing in again does not help. (Cybereason API documentation, Responses.)
func signedOut(r *transport.Response) bool {
	switch {
	case r.Status == http.StatusUnauthorized, loginPage(r.Body):
		return true
	case r.OK():
		return strings.HasPrefix(pageTitle(r.Body), "Cybereason")
	case r.Status >= 300 && r.Status < 400:
		u, err := url.Parse(r.Header.Get("Location"))
		return err == nil && strings.Contains(strings.ToLower(u.Path), "login")
	}
	return false
}

// pageTitle is the title of a page where JSON was expected, empty for no page.
func pageTitle(body []byte) string {
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return ""
	}
	return transport.Title(body)
}

// transient tells the answers to reads that are worth another attempt: those of
// a server in trouble, and a success that is not the API's, such as the page of
// a portal. A login page means that the session is gone.
func transient(r *transport.Response) bool {
	if r.OK() {
		return !json.Valid(r.Body) && !signedOut(r)
	}
	return r.Status >= 500 && r.Status != http.StatusNotImplemented && r.Status != http.StatusHTTPVersionNotSupported
}

// read sends a read and returns a success whose body is JSON.
func (a *api) read(ctx context.Context, c call) (*transport.Response, error) {
	c.document = true
	resp, err := a.send(ctx, c, nil)
	switch {
	case err != nil:
		return nil, err
	case !resp.OK():
		return nil, failure(c, resp)
	case !json.Valid(resp.Body):
		return nil, notTheAPI(c, resp)
	}
	return resp, nil
}

// reply is how the console answered a change that it did not refuse.
type reply string

const (
	// done is the vendor's own word for it, "success".
	done reply = "done"
	// same says that there was nothing to change.
	same reply = "same"
	// open says nothing: only reading can tell.
	open reply = "open"
)

// write sends a change. A status of success is none: the word in the body is.
func (a *api) write(ctx context.Context, c call, body any) (reply, error) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return "", &provision.Error{Vendor: name, Op: c.op, Kind: provision.ErrInternal, Err: err}
		}
	}
	c.change = true
	resp, err := a.send(ctx, c, data)
	if err != nil {
		return "", err
	}
	switch code := resultCode(resp.Body); {
	case !resp.OK():
		return "", failure(c, resp)
	case code == codeSuccess:
		return done, nil
	case code == codeNotChanged:
		return same, nil
	case code != "":
		return "", failure(c, resp)
	case bytes.HasPrefix(bytes.TrimSpace(resp.Body), []byte("<")):
		return "", notTheAPI(c, resp)
	}
	return open, nil
}

// userPath is the path of one user. (Cybereason API documentation, Update User
// Details.) Names without "@" are other endpoints, such as users/current and
// users/reset.
func userPath(op, login string) (string, error) {
	if !strings.Contains(login, "@") {
		return "", &provision.Error{
			Vendor: name, Op: op, Kind: provision.ErrInvalid, Message: fmt.Sprintf("the user %q cannot be addressed by the API", login),
		}
	}
	return usersPath + "/" + transport.Segment(login), nil
}

// unreached adds what is particular about consoles in the vendor's cloud.
func unreached(err error) error {
	var e *provision.Error
	if errors.As(err, &e) && e.Kind == provision.ErrUnavailable {
		e.Hint += "; a console may admit certain source addresses only"
	}
	return err
}
