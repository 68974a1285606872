package crowdstrike

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// CreateUser implements provision.Provisioner. The roles follow in a request of
// their own, so that one Falcon does not accept leaves the account without any.
func (a *adapter) CreateUser(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
	spec, cid, err := normal(spec)
	if err != nil {
		return provision.User{}, err
	}
	var u provision.User
	err = a.with(ctx, "create user", func(f family) (err error) {
		if err := f.carries(cid, "", spec.Expires); err != nil {
			return err
		}
		if u, err = f.create(ctx, spec, cid); err != nil {
			return err
		}
		done, err := carryOut(ctx, f, u, []step{{cid: first(cid, home(u)), grant: spec.Roles}}, spec.Expires)
		if u = done.User; err != nil {
			return a.partial(u, spec, cid, err)
		}
		return nil
	})
	return u, err
}

// ValidateCreate implements provision.CreateValidator. Falcon checks the
// account only, not its roles.
func (a *adapter) ValidateCreate(ctx context.Context, spec provision.UserSpec) error {
	spec, cid, err := normal(spec)
	if err != nil {
		return err
	}
	return a.with(ctx, "validate user", func(f family) error {
		if err := f.carries(cid, "", spec.Expires); err != nil {
			return err
		}
		return f.validate(ctx, spec, cid)
	})
}

// normal brings a spec into the form that is sent, and tells its CID.
func normal(spec provision.UserSpec) (provision.UserSpec, string, error) {
	cid, err := cidOption(spec.Options)
	spec.Login = strings.TrimSpace(spec.Login)
	spec.Roles = sortedSet(spec.Roles)
	spec.Expires = spec.Expires.Truncate(time.Second)
	if len(spec.Roles) == 0 {
		spec.Expires = time.Time{}
	}
	return spec, cid, err
}

// partial tells that the account is there and its roles are not.
func (a *adapter) partial(u provision.User, spec provision.UserSpec, cid string, cause error) error {
	rest := strings.Join(spec.Roles, " ")
	if cid != "" {
		rest += " --set crowdstrike.cid=" + cid
	}
	if !spec.Expires.IsZero() {
		rest += " --expires " + spec.Expires.UTC().Format(time.RFC3339)
	}
	e := &provision.Error{
		Vendor: name, Op: "create user", Kind: provision.ErrPartial,
		Message: "the account was made, but not all roles were given", Err: cause,
		Hint: fmt.Sprintf("`edrctl -t %s role grant %s %s`", a.cfg.Tenant, u.Login, rest),
	}
	var inner *provision.Error
	if errors.As(cause, &inner) {
		e.RequestID = inner.RequestID
	}
	return e
}
