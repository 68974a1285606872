package crowdstrike

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"edrctl/internal/provision"
)

// legacyNewUser is the body of a create.
type legacyNewUser struct {
	UID       string `json:"uid"`
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	Password  string `json:"password,omitempty"`
}

// legacyName is the body of an update.
type legacyName struct {
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
}

// legacyGrant is the body of a grant.
type legacyGrant struct {
	RoleIDs []string `json:"roleIds"`
}

// validate can do no more than look whether the login is taken.
func (l legacy) validate(ctx context.Context, spec provision.UserSpec, _ string) error {
	ids, err := l.lookup(ctx, spec.Login)
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		return &provision.Error{
			Vendor: name, Op: l.op, Kind: provision.ErrExists, Message: "the login is taken: " + provision.FoldLogin(spec.Login),
		}
	}
	return nil
}

func (l legacy) create(ctx context.Context, spec provision.UserSpec, _ string) (provision.User, error) {
	list, env, err := fetch[legacyUser](ctx, l.api, call{
		op: l.op, kind: callCreate, method: http.MethodPost, path: pathLegacyUsers, change: true, hide: spec.Password.Reveal(),
		body: legacyNewUser{
			UID: spec.Login, FirstName: spec.FirstName, LastName: spec.LastName, Password: spec.Password.Reveal(),
		},
	})
	if err != nil {
		return provision.User{}, err
	}
	return theOne(env, list, func(u provision.User) bool { return provision.SameLogin(u.Login, spec.Login) })
}

func (l legacy) rename(ctx context.Context, u provision.User) (provision.User, error) {
	list, env, err := fetch[legacyUser](ctx, l.api, call{
		op: l.op, method: http.MethodPatch, path: pathLegacyUsers, query: ofUser(u.ID), change: true,
		body: legacyName{u.FirstName, u.LastName},
	})
	if err != nil {
		return provision.User{}, err
	}
	return theOne(env, list, func(now provision.User) bool { return now.ID == u.ID })
}

func (l legacy) remove(ctx context.Context, id string) error {
	_, err := l.api.do(ctx, call{op: l.op, method: http.MethodDelete, path: pathLegacyUsers, query: ofUser(id), change: true})
	return err
}

func (l legacy) grant(ctx context.Context, id, _ string, roles []string, _ time.Time) error {
	_, err := l.api.do(ctx, call{
		op: "grant roles", method: http.MethodPost, path: pathLegacyUserRoles, query: ofUser(id), change: true,
		body: legacyGrant{roles},
	})
	return err
}

func (l legacy) revoke(ctx context.Context, id, _ string, roles []string) error {
	query := ofUser(id)
	query["ids"] = roles
	_, err := l.api.do(ctx, call{
		op: "revoke roles", method: http.MethodDelete, path: pathLegacyUserRoles, query: query, change: true,
	})
	return err
}

func (l legacy) canReset() error {
	return &provision.Error{
		Vendor: name, Op: l.op, Kind: provision.ErrUnsupported, Message: "the legacy API resets nothing", Hint: "set api: modern",
	}
}

func (l legacy) reset(context.Context, string, provision.Credential) error { return l.canReset() }

func ofUser(id string) url.Values { return url.Values{"user_uuid": {id}} }
