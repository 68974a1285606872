package carbonblack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// row is an entry of the list of users. It has no roles, and nothing in it
// tells whether the person has ever signed in. (Carbon Black Cloud User
// Management API, Admin Summary.)
type row struct {
	raw        object
	LoginID    json.Number `json:"login_id"`
	LoginName  string      `json:"login_name"`
	Email      string      `json:"email"`
	FirstName  string      `json:"first_name"`
	LastName   string      `json:"last_name"`
	Phone      string      `json:"phone"`
	AuthMethod string      `json:"auth_method"`
}

// UnmarshalJSON implements json.Unmarshaler. A user without an id is an error:
// nothing could be done with it.
func (r *row) UnmarshalJSON(data []byte) error {
	type plain row
	if err := json.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	if _, err := r.LoginID.Int64(); err != nil {
		return fmt.Errorf("login_id %q is no number", r.LoginID)
	}
	return json.Unmarshal(data, &r.raw)
}

// id is the user's id, a number on the wire.
func (r row) id() string { return r.LoginID.String() }

// fullName is what a grant calls its principal.
func (r row) fullName() string {
	if full := strings.TrimSpace(r.FirstName + " " + r.LastName); full != "" {
		return full
	}
	return r.Email
}

// user is somebody who is listed, with the roles of their grant. Whoever is
// listed has taken up the invitation.
func (a *adapter) user(r row, g *grant) provision.User {
	u := provision.User{
		ID: r.id(), Login: r.Email, FirstName: r.FirstName, LastName: r.LastName, Phone: r.Phone,
		Status: provision.StatusActive, Roles: a.held(g), Extra: map[string]any{optAuthMethod: r.AuthMethod},
	}
	if u.Login == "" {
		u.Login = r.LoginName
	} else if !provision.SameLogin(r.LoginName, r.Email) {
		u.Extra["login-name"] = r.LoginName
	}
	return u
}

// held are the roles a grant gives now.
func (a *adapter) held(g *grant) []provision.HeldRole {
	roles := g.held(a.api.key.orgURN(), a.cfg.Now())
	for i := range roles {
		roles[i].Name, roles[i].Scope = a.roleName(roles[i].ID), a.api.key.org
	}
	return roles
}

// find is the one row of a login: that of its e-mail address, else that of its
// login name, which may differ.
func find(rows []row, op, login string) (row, error) {
	for _, field := range []func(row) string{
		func(r row) string { return r.Email },
		func(r row) string { return r.LoginName },
	} {
		var hits []row
		for _, r := range rows {
			if provision.SameLogin(field(r), login) {
				hits = append(hits, r)
			}
		}
		switch len(hits) {
		case 0:
			continue
		case 1:
			return hits[0], nil
		}
		var ids []string
		for _, r := range hits {
			ids = append(ids, r.id())
		}
		return row{}, &provision.Error{
			Vendor: name, Op: op, Kind: provision.ErrConflict,
			Message: fmt.Sprintf("%d users have the login %s: %s", len(hits), login, strings.Join(ids, ", ")),
			Hint:    "change or remove all but one in the console",
		}
	}
	return row{}, &provision.Error{
		Vendor: name, Op: op, Kind: provision.ErrNotFound, Message: "no user " + login,
		Hint: "perhaps invited and not activated yet: such people are in no list",
	}
}

// row finds a user without reading the list again if it was read a moment ago.
func (a *adapter) row(ctx context.Context, op, login string) (row, error) {
	rows, fresh, err := a.recentRows(ctx, op)
	if err != nil {
		return row{}, err
	}
	r, err := find(rows, op, login)
	if err == nil || fresh {
		return r, err
	}
	if rows, err = a.readRows(ctx, op); err != nil {
		return row{}, err
	}
	return find(rows, op, login)
}

// Check implements provision.Provisioner by reading the list of users. The key
// is no user of the organisation.
func (a *adapter) Check(ctx context.Context) (provision.Identity, error) {
	id := provision.Identity{Name: a.api.key.id, MayManage: true, Note: "organisation " + a.api.key.org}
	_, err := a.readRows(ctx, "check")
	var e *provision.Error
	if errors.As(err, &e) && e.Kind == provision.ErrForbidden {
		id.MayManage, id.Note = false, fmt.Sprintf("%v; %s", e, e.Hint)
		return id, nil
	}
	if err != nil {
		return provision.Identity{}, err
	}
	return id, nil
}

// Users implements provision.Provisioner.
func (a *adapter) Users(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error] {
	const op = "list users"
	return func(yield func(provision.User, error) bool) {
		rows, err := a.readRows(ctx, op)
		if f.Only != nil && !f.NoRoles {
			rows = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !f.Only(r.Email) && !f.Only(r.LoginName) })
		}
		for batch := range slices.Chunk(rows, perFetch) {
			var grants map[string]*grant
			if !f.NoRoles {
				if grants, err = a.api.grants(ctx, op, ids(batch)); err != nil {
					break
				}
			}
			for _, r := range batch {
				if !yield(a.user(r, grants[r.id()]), nil) {
					return
				}
			}
		}
		if err != nil {
			yield(provision.User{}, err)
		}
	}
}

func ids(rows []row) []string {
	var list []string
	for _, r := range rows {
		list = append(list, r.id())
	}
	return list
}

// User implements provision.Provisioner.
func (a *adapter) User(ctx context.Context, login string) (provision.User, error) {
	const op = "get user"
	rows, err := a.readRows(ctx, op)
	if err != nil {
		return provision.User{}, err
	}
	r, err := find(rows, op, login)
	if err != nil {
		return provision.User{}, err
	}
	g, err := a.fetchGrant(ctx, op, r)
	if err != nil {
		return provision.User{}, err
	}
	return a.user(r, g), nil
}
