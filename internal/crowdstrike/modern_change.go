package crowdstrike

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"edrctl/internal/provision"
)

// newUser is the body of a create. Roles cannot be given with it.
type newUser struct {
	UID       string `json:"uid"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Password  string `json:"password,omitempty"`
	CID       string `json:"cid,omitempty"`
}

// newName is the body of an update. Both names are always sent: the call
// replaces both, and blanks one that is missing.
type newName struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

// userAction is the body of a reset.
type userAction struct {
	IDs    []string `json:"ids"`
	Action struct {
		Name string `json:"action_name"`
	} `json:"action"`
}

// roleAction is the body of a grant or revoke. Its key for the user is "uuid",
// unlike that of all other operations.
type roleAction struct {
	Action    string   `json:"action"`
	UUID      string   `json:"uuid"`
	CID       string   `json:"cid"`
	RoleIDs   []string `json:"role_ids"`
	ExpiresAt string   `json:"expires_at,omitempty"`
}

func (m modern) creation(spec provision.UserSpec, cid string) call {
	return call{
		op: m.op, kind: callCreate, method: http.MethodPost, path: pathUsers, hide: spec.Password.Reveal(),
		body: newUser{
			UID: spec.Login, FirstName: spec.FirstName, LastName: spec.LastName, Password: spec.Password.Reveal(), CID: cid,
		},
	}
}

func (m modern) create(ctx context.Context, spec provision.UserSpec, cid string) (provision.User, error) {
	c := m.creation(spec, cid)
	c.change = true
	list, env, err := fetch[modernUser](ctx, m.api, c)
	if err != nil {
		return provision.User{}, err
	}
	return theOne(env, list, func(u provision.User) bool { return provision.SameLogin(u.Login, spec.Login) })
}

// validate asks for a create to be checked only. What a success returns is not
// documented, and does not matter.
func (m modern) validate(ctx context.Context, spec provision.UserSpec, cid string) error {
	c := m.creation(spec, cid)
	c.query = url.Values{"validate_only": {"true"}}
	_, err := m.api.do(ctx, c)
	return err
}

func (m modern) rename(ctx context.Context, u provision.User) (provision.User, error) {
	list, env, err := fetch[modernUser](ctx, m.api, call{
		op: m.op, method: http.MethodPatch, path: pathUsers, query: url.Values{"user_uuid": {u.ID}}, change: true,
		body: newName{u.FirstName, u.LastName},
	})
	if err != nil {
		return provision.User{}, err
	}
	return theOne(env, list, func(now provision.User) bool { return now.ID == u.ID })
}

// theOne is the record a create or update returns. An answer without it proves
// nothing, whatever its status.
func theOne[T interface{ user() provision.User }](env *envelope, list []T, fits func(provision.User) bool) (provision.User, error) {
	for _, r := range list {
		if u := r.user(); u.ID != "" && fits(u) {
			return u, nil
		}
	}
	e := env.fail(provision.ErrUncertain, "the answer reports success without the user")
	e.Hint = "look at the user before asking again"
	return provision.User{}, e
}

func (m modern) remove(ctx context.Context, id string) error {
	_, err := m.api.do(ctx, call{
		op: m.op, method: http.MethodDelete, path: pathUsers, query: url.Values{"user_uuid": {id}}, change: true,
	})
	return err
}

func (m modern) grant(ctx context.Context, id, cid string, roles []string, expires time.Time) error {
	action := roleAction{Action: "grant", UUID: id, CID: cid, RoleIDs: roles}
	if !expires.IsZero() {
		action.ExpiresAt = expires.UTC().Format("2006-01-02T15:04:05Z")
	}
	return m.act(ctx, "grant roles", action)
}

func (m modern) revoke(ctx context.Context, id, cid string, roles []string) error {
	return m.act(ctx, "revoke roles", roleAction{Action: "revoke", UUID: id, CID: cid, RoleIDs: roles})
}

func (m modern) act(ctx context.Context, op string, action roleAction) error {
	if action.CID == "" {
		return &provision.Error{
			Vendor: name, Op: op, Kind: provision.ErrInternal, Message: "the user's record does not tell the home CID",
			Hint: "name the CID with --set crowdstrike.cid=...",
		}
	}
	_, err := m.api.do(ctx, call{op: op, method: http.MethodPost, path: pathRoleActions, body: action, change: true})
	return err
}

func (m modern) canReset() error { return nil }

func (m modern) reset(ctx context.Context, id string, what provision.Credential) error {
	action := userAction{IDs: []string{id}}
	action.Action.Name = "reset_2fa"
	if what == provision.CredentialPassword {
		action.Action.Name = "reset_password"
	}
	_, err := m.api.do(ctx, call{op: m.op, method: http.MethodPost, path: pathUserActions, body: action, change: true})
	return err
}
