package carbonblack

import (
	"context"
	"net/http"
	"strings"
	"time"

	"edrctl/internal/provision"
)

const (
	opCreate = "create user"

	// roleField is what the API wants in the field role, which lost its
	// meaning to role_urn and grants.
	roleField = "DEPRECATED"

	defaultAuthMethod = "PASSWORD"
)

// invitation is the body of a create call. (Carbon Black Cloud User Management
// API, Create User.)
type invitation struct {
	Email      string       `json:"email"`
	Role       string       `json:"role"`
	RoleURN    string       `json:"role_urn,omitempty"`
	Profiles   []newProfile `json:"profiles,omitempty"`
	FirstName  string       `json:"first_name"`
	LastName   string       `json:"last_name"`
	Phone      string       `json:"phone"`
	AuthMethod string       `json:"auth_method"`
}

// CreateUser implements provision.Provisioner. The user has no id, and so no
// grant, before the invitation is taken up; the roles therefore travel with it.
func (a *adapter) CreateUser(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
	spec.Login, spec.Expires = strings.TrimSpace(spec.Login), wholeSeconds(spec.Expires)
	if err := a.ahead(opCreate, spec.Expires); err != nil {
		return provision.User{}, err
	}
	inv := invitation{
		Email: spec.Login, Role: roleField, FirstName: spec.FirstName, LastName: spec.LastName, Phone: spec.Phone,
		AuthMethod: authMethod(spec.Options, defaultAuthMethod),
	}
	roles := add(nil, spec.Roles)
	if len(roles) > 0 {
		inv.RoleURN, inv.Profiles = roles[0], []newProfile{a.api.key.profile(roles, expiry{spec.Expires})}
	}
	_, err := a.api.do(ctx, call{
		op: opCreate, kind: callCreate, method: http.MethodPost, path: a.api.key.usersPath(), body: inv, change: true, document: true,
	})
	if err != nil {
		return provision.User{}, a.explain(ctx, err, roles)
	}
	return a.invited(ctx, inv, roles, expiry{spec.Expires})
}

// authMethod is the option of that name; the vendor writes values in capitals.
func authMethod(o provision.Options, otherwise string) string {
	if value := strings.ToUpper(strings.TrimSpace(o[optAuthMethod])); value != "" {
		return value
	}
	return otherwise
}

// invited looks once whether somebody who was invited is listed already: an
// address known to the vendor's sign-in service is linked without a mail. The
// invitation stands, whatever the look finds.
func (a *adapter) invited(ctx context.Context, inv invitation, roles []string, end expiry) (provision.User, error) {
	u := provision.User{
		Login: inv.Email, FirstName: inv.FirstName, LastName: inv.LastName, Phone: inv.Phone,
		Status: provision.StatusInvited, Extra: map[string]any{optAuthMethod: inv.AuthMethod},
	}
	for _, id := range roles {
		u.Roles = append(u.Roles, provision.HeldRole{
			ID: id, Name: a.roleName(id), Direct: true, Scope: a.api.key.org, ExpiresAt: end.pointer(),
		})
	}
	provision.SortRoles(u.Roles)
	if provision.LooksLater(ctx) {
		return u, nil
	}
	rows, err := a.readRows(ctx, opCreate)
	if err != nil {
		a.cfg.Log.InfoContext(ctx, "invited; cannot look whether the user is active already", "tenant", a.cfg.Tenant, "error", err)
		return u, nil
	}
	r, err := find(rows, opCreate, inv.Email)
	if err != nil {
		return u, nil //nolint:nilerr // not listed, which is the rule
	}
	listed := a.user(r, nil)
	if listed.Roles = u.Roles; len(roles) == 0 {
		return listed, nil
	}
	g, err := a.fetchGrant(ctx, opCreate, r)
	if err != nil {
		a.cfg.Log.InfoContext(ctx, "created; cannot look whether the roles are there", "tenant", a.cfg.Tenant, "error", err)
		return listed, nil
	}
	listed.Roles = a.held(g)
	if err := compare(listed, provision.RoleDiff{Grant: roles}, provision.RoleChange{Expires: end.Time}); err != nil {
		return listed, &provision.Error{
			Vendor: name, Op: opCreate, Kind: provision.ErrPartial, Message: "the account was made", Err: err,
		}
	}
	return listed, nil
}

// ahead refuses an end that has passed: what it is for would never be held.
func (a *adapter) ahead(op string, end time.Time) error {
	if (expiry{end}).over(a.cfg.Now()) {
		return &provision.Error{
			Vendor: name, Op: op, Kind: provision.ErrInvalid, Message: "the roles would end at " + end.Format(time.RFC3339) + ", which has passed",
		}
	}
	return nil
}
