package crowdstrike

import (
	"context"
	"iter"
	"strings"
	"sync"
	"time"

	"edrctl/internal/provision"
)

// The families of operations, and the setting that leaves the choice open.
const (
	apiAuto   = "auto"
	apiModern = "modern"
	apiLegacy = "legacy"
)

// family is one of the two sets of operations, under the name of what is being
// done with them. Both find, make and change the same users.
type family interface {
	// doing is what is being done, for messages.
	doing() string
	// probe makes the smallest read that shows whether users may be read.
	probe(ctx context.Context) error

	// pages yields the ids of all users, as many at once as one read takes.
	pages(ctx context.Context) iter.Seq2[[]string, error]
	// lookup returns the ids of users who may have a login.
	lookup(ctx context.Context, login string) ([]string, error)
	// records reads users, without roles; those who are gone are left out.
	records(ctx context.Context, ids []string) ([]provision.User, error)
	// held reads the roles of a user.
	held(ctx context.Context, u provision.User) ([]provision.HeldRole, error)
	// nameRoles puts display names on roles where held could not.
	nameRoles(ctx context.Context, users []provision.User) error

	// roleIDs are the roles that can be given, and roles what they are.
	roleIDs(ctx context.Context) ([]string, error)
	roles(ctx context.Context, ids []string) ([]provision.Role, error)

	// carries refuses what this family has no field for: a CID other than the
	// user's home, empty where that is not known, and an end of roles.
	carries(cid, home string, expires time.Time) error
	validate(ctx context.Context, spec provision.UserSpec, cid string) error
	create(ctx context.Context, spec provision.UserSpec, cid string) (provision.User, error)
	rename(ctx context.Context, u provision.User) (provision.User, error)
	remove(ctx context.Context, id string) error
	// grant and revoke are all or nothing for up to maxActions roles.
	grant(ctx context.Context, id, cid string, roles []string, expires time.Time) error
	revoke(ctx context.Context, id, cid string, roles []string) error
	canReset() error
	reset(ctx context.Context, id string, what provision.Credential) error
}

// choice is the family a tenant is managed with. In auto it is open until the
// first answer shows whether the tenant has the modern one.
type choice struct {
	mu    sync.Mutex
	inUse string
}

func newChoice(setting string) (*choice, error) {
	switch setting {
	case "":
		setting = apiAuto
	case apiAuto, apiModern, apiLegacy:
	default:
		return nil, provision.Usagef("api is auto, modern or legacy, not %q", setting)
	}
	return &choice{inUse: setting}, nil
}

func (c *choice) current() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inUse
}

// settle decides for a family if none was chosen, and returns the one in use.
func (c *choice) settle(api string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inUse == apiAuto {
		c.inUse = api
	}
	return c.inUse
}

// with does something with the family in use. While that is open it begins with
// the modern one, and begins anew with the legacy one if the tenant turns out
// not to have the first. Nothing can have been changed by then, since the first
// success of the modern one settles it.
func (a *adapter) with(ctx context.Context, op string, do func(family) error) error {
	if a.families.current() == apiLegacy {
		return do(legacy{a.api, op})
	}
	err := do(modern{a.api, op})
	if !isNoRoute(err) || a.families.settle(apiLegacy) != apiLegacy {
		return err
	}
	a.cfg.Log.InfoContext(ctx, "the tenant has no modern API; using the legacy one", "tenant", a.cfg.Tenant)
	return do(legacy{a.api, op})
}

func isModern(path string) bool { return strings.HasPrefix(path, "/user-management/") }
