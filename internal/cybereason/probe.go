package cybereason

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

const (
	usersPath   = "/rest/users"
	currentPath = "/rest/users/current"
)

// identity is who we are, as far as the console tells.
type identity struct {
	login string
	// manages is false when we may not manage users for sure.
	manages bool
}

// ask sends a read of the API and returns its answer, whatever its status.
type ask func(ctx context.Context, path string) (*transport.Response, error)

// probe asks the API whether the sign-in worked.
func (v *visit) probe(ctx context.Context) (*identity, error) {
	return whoAmI(ctx, func(ctx context.Context, path string) (*transport.Response, error) {
		resp, err := v.http.Do(ctx, restRequest(opSignIn, http.MethodGet, path, v.cookie))
		if err != nil {
			return nil, err
		}
		if signedOut(resp) {
			return nil, v.refused(atLogin)
		}
		return resp, nil
	})
}

// whoAmI asks for the current user or, where the console has no such question,
// for the list of all. A missing permission is an answer too.
func whoAmI(ctx context.Context, get ask) (*identity, error) {
	resp, err := get(ctx, currentPath)
	if err != nil {
		return nil, err
	}
	var u wireUser
	switch {
	case resp.Status == http.StatusForbidden:
		return &identity{}, nil
	case resp.OK() && json.Unmarshal(resp.Body, &u) == nil && u.Username != "":
		return &identity{login: u.Username, manages: mayManage(&u)}, nil
	case !resp.OK() && resp.Status != http.StatusNotFound:
		return nil, failure(call{op: opSignIn}, resp)
	}
	if resp, err = get(ctx, usersPath); err != nil {
		return nil, err
	}
	switch {
	case resp.Status == http.StatusForbidden:
		return &identity{}, nil
	case !resp.OK():
		return nil, failure(call{op: opSignIn}, resp)
	case !json.Valid(resp.Body):
		return nil, notTheAPI(call{op: opSignIn}, resp)
	}
	return &identity{manages: true}, nil
}

// mayManage reads it from the roles. One that edrctl does not know, such as
// that of a super user, may include it.
func mayManage(u *wireUser) bool {
	roles, err := u.roles()
	return err != nil || slices.ContainsFunc(roles, func(id string) bool {
		return id == userAdmin || !published(id)
	})
}

// Check implements provision.Provisioner.
func (a *adapter) Check(ctx context.Context) (provision.Identity, error) {
	t, err := a.session.ticket(ctx)
	if err != nil {
		return provision.Identity{}, err
	}
	me := t.me
	if me == nil || t.served.Load() { // else it was asked a moment ago
		me, err = whoAmI(ctx, func(ctx context.Context, path string) (*transport.Response, error) {
			return a.api.send(ctx, call{op: "check", method: http.MethodGet, path: path, list: true}, nil)
		})
		if err != nil {
			return provision.Identity{}, err
		}
	}
	id := provision.Identity{Name: a.session.account(), Account: provision.FoldLogin(a.session.account()), MayManage: me.manages}
	if me.login != "" {
		id.Name, id.Account = me.login, provision.FoldLogin(me.login)
	}
	if version := a.version(ctx); version != "" {
		id.Note = "version " + version
	}
	return id, nil
}

// version is the console's version, empty where it cannot be read.
func (a *adapter) version(ctx context.Context) string {
	resp, err := a.api.send(ctx, call{op: "check", method: http.MethodGet, path: "/rest/monitor/global/server/version/all"}, nil)
	if err != nil || !resp.OK() {
		return ""
	}
	var body struct {
		Data struct {
			Version string `json:"version"`
		} `json:"data"`
	}
	if json.Unmarshal(resp.Body, &body) != nil {
		return ""
	}
	return transport.Excerpt([]byte(body.Data.Version), 40)
}
