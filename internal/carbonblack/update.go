package carbonblack

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"edrctl/internal/provision"
)

const opUpdate = "update user"

// UpdateUser implements provision.Provisioner. A user is replaced as a whole,
// with counters that show whether somebody else changed it since it was read;
// then it is read and tried once more. (Carbon Black Cloud User Management API,
// Modify User.)
func (a *adapter) UpdateUser(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
	for last := false; ; last = true {
		u, changed, err := a.update(ctx, login, p)
		var e *provision.Error
		if last || !errors.As(err, &e) || e.Code != codeModified {
			return u, changed, err
		}
	}
}

func (a *adapter) update(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
	rows, err := a.readRows(ctx, opUpdate)
	if err != nil {
		return provision.User{}, false, err
	}
	r, err := find(rows, opUpdate, login)
	if err != nil {
		return provision.User{}, false, err
	}
	g, err := a.fetchGrant(ctx, opUpdate, r)
	if err != nil {
		return provision.User{}, false, err
	}
	next := r.patched(p)
	if next.FirstName == r.FirstName && next.LastName == r.LastName && next.Phone == r.Phone && next.AuthMethod == r.AuthMethod {
		return a.user(r, g), false, nil
	}
	for _, field := range []string{"org_id", "login_id", "login_name", "role", "email", "contact_id"} {
		if !next.raw.has(field) {
			return provision.User{}, false, &provision.Error{
				Vendor: name, Op: opUpdate, Kind: provision.ErrInternal,
				Message: fmt.Sprintf("the user as listed has no %s, without which it would be overwritten", field),
			}
		}
	}
	_, err = a.api.do(ctx, call{
		op: opUpdate, kind: callModify, method: http.MethodPut, path: a.api.key.userPath(r.id()), body: next.raw,
		change: true, document: true,
	})
	if err != nil {
		return provision.User{}, false, err
	}
	return a.user(next, g), true, nil
}

// patched is a row with what a patch names, in its fields and as it is sent.
func (r row) patched(p provision.UserPatch) row {
	set := func(field string, value *string, to *string) {
		if value != nil {
			*to, r.raw = *value, r.raw.with(field, *value)
		}
	}
	set("first_name", p.FirstName, &r.FirstName)
	set("last_name", p.LastName, &r.LastName)
	set("phone", p.Phone, &r.Phone)
	if method := authMethod(p.Options, ""); method != "" {
		set("auth_method", &method, &r.AuthMethod)
	}
	return r
}

// Reset implements provision.Provisioner for the second factor. (Carbon Black
// Cloud User Management API, Reset Google Authenticator Registration.)
func (a *adapter) Reset(ctx context.Context, login string, what provision.Credential) error {
	if what != provision.CredentialMFA {
		return a.Base.Reset(ctx, login, what)
	}
	const op = "reset second factor"
	r, err := a.row(ctx, op, login)
	if err != nil {
		return err
	}
	_, err = a.api.do(ctx, call{
		op: op, kind: callUser, method: http.MethodDelete, path: a.api.key.userPath(r.id()) + "/google-auth", change: true,
	})
	return err
}
