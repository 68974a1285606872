package cortex

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"edrctl/internal/provision"
)

// The generations of the product, and the setting that leaves it open.
const (
	auto      = "auto"
	xdr3      = "xdr3"
	platform5 = "platform5"
)

// platformPath is where the calls are that Cortex XDR 3.x does not have.
const platformPath = "/platform/"

// generation is one of the two ways to the same people, under the name of what
// is being done.
type generation interface {
	// people reads everybody. The API cannot read fewer: there are no pages and
	// no filters, and what it says of a single user who is not there is not
	// documented.
	people(ctx context.Context) ([]person, error)
	// naming tells the ids of the direct roles of these people.
	naming(ctx context.Context, people []person) (naming, error)
	// inherited tells the roles that people have through their groups.
	inherited(ctx context.Context, people []person) (func(person) []provision.HeldRole, error)

	// roles are those that can be given, and resolve adds what else the names
	// may mean. The second result is true when it adds nothing.
	roles(ctx context.Context) ([]provision.Role, error)
	resolve(ctx context.Context, names []string) (roles []provision.Role, whole bool, err error)

	// canEdit refuses what this generation has no call for: anything but roles.
	canEdit() error
	// join is all the groups somebody is in after joining those of an option,
	// and the roles that come with those that are new; a group without a role
	// stands for itself, so that joining it does not go unsaid.
	join(ctx context.Context, p person, option string) (ids, brought []string, err error)
	// strip is what takes all access from somebody, nil if there is none.
	strip(p person) *edit
	// write makes a change and returns what the vendor says of it.
	write(ctx context.Context, p person, e edit) (claim, error)
}

// claim is what the vendor says after a change. Only reading back proves it.
type claim int

const (
	claimsNothing claim = iota
	claimsDone
)

// choice is the generation of a tenant, for the length of a run. In auto it is
// open until a call of the one or the other has worked.
type choice struct {
	cfg provision.Config

	mu    sync.Mutex
	inUse string
}

func newChoice(cfg provision.Config) (*choice, error) {
	setting := cfg.Setting("generation")
	if setting == "" {
		setting = auto
	}
	if all := []string{auto, xdr3, platform5}; !slices.Contains(all, setting) {
		return nil, provision.Usagef("generation is one of %s, not %q", strings.Join(all, ", "), setting)
	}
	return &choice{cfg: cfg, inUse: setting}, nil
}

func (c *choice) current() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inUse
}

// settle decides for the generation whose call has worked, if none was chosen.
func (c *choice) settle(ctx context.Context, path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.inUse != auto:
	case strings.HasPrefix(path, platformPath):
		c.inUse = platform5
	default:
		c.inUse = xdr3
		c.cfg.Log.InfoContext(ctx, "the tenant does not have the calls of the platform; using those of Cortex XDR 3.x",
			"tenant", c.cfg.Tenant)
	}
}

// platform decides for the platform, if nothing was chosen.
func (c *choice) platform() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inUse == auto {
		c.inUse = platform5
	}
}

// with does something in the tenant's generation. While that is open it begins
// with the platform's, and begins anew with the other if the first answer may
// mean that the tenant has no such call. Nothing can have been changed by then:
// everything begins by reading, and a read that works settles it.
func (a *adapter) with(op string, do func(generation) error) error {
	if a.api.chosen.current() == xdr3 {
		return do(rbac{a, op})
	}
	err := do(iam{a, op})
	if a.api.chosen.current() == auto && mayBeMissing(err) {
		return do(rbac{a, op})
	}
	return err
}

// mayBeMissing reports an answer that a tenant without a call may give: not
// found, but also a 500, which mistyped paths have been seen to get.
func mayBeMissing(err error) bool {
	var e *provision.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Status == http.StatusNotFound ||
		e.Status == http.StatusInternalServerError && e.Kind == provision.ErrUnavailable && !says(e.Message, saysBusy)
}

// naming turns the display names of direct roles, which is all that a list of
// users has, into ids.
//
// On the platform roles have ids, which is what it wants to be given; they
// never change, while names can and two roles may share one. On Cortex XDR 3.x
// the name is all there is, and stands for the id too.
type naming struct {
	// byName is true where names are ids.
	byName bool
	roles  []provision.Role
}

// ids are those of the roles with a display name.
func (n naming) ids(display string) []string {
	if n.byName {
		return []string{display}
	}
	var ids []string
	for _, r := range n.roles {
		if r.Name == display {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// id is that of the role with a display name, or the name itself where it
// fits no role or several.
func (n naming) id(display string) string {
	if ids := n.ids(display); len(ids) == 1 {
		return ids[0]
	}
	return display
}

// display is the display name of a role, if it is known.
func (n naming) display(id string) (string, bool) {
	if n.byName {
		return id, true
	}
	i := slices.IndexFunc(n.roles, func(r provision.Role) bool { return r.ID == id })
	if i < 0 {
		return "", false
	}
	return n.roles[i].Name, true
}
