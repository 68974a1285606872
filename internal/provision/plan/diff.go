package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// Wanted is what a person shall have in one tenant.
type Wanted struct {
	Tenant string
	// Login is as the user wrote it.
	Login string
	// Absent means that the person shall have nothing.
	Absent bool
	// FirstName, LastName and Phone are compared where they are given.
	FirstName, LastName, Phone *string
	// Roles are names, as people write them. They are made the direct roles.
	Roles   []string
	Options provision.Options
	// Password is a reference to the first password of a new account.
	Password string
	// Expires is when access ends; zero for never.
	Expires time.Time
}

// Difference is what it takes to make one account as it is wanted. It is data:
// it holds no secret, and can be kept and carried out later.
type Difference struct {
	Tenant string
	Vendor string
	Login  string
	// Action is create, update, roles, delete or none.
	Action string
	// RolesAdded and RolesRemoved are ids.
	RolesAdded, RolesRemoved []string
	// Details are what else is set, by name: first-name, last-name, phone,
	// expires, password (a reference) and VENDOR.OPTION.
	Details map[string]string
	// TakesAll is true where nothing is left of somebody's direct roles, or of
	// the account.
	TakesAll bool
	// Seen is a hash of the account as it was read.
	Seen string
	// Outcome is Planned, Unchanged, Invited or Unsupported, or Failed where
	// the tenant could not be read.
	Outcome Outcome
	Message string
	Err     error
}

// The actions of differences.
const (
	DiffCreate = "create"
	DiffUpdate = "update"
	DiffRoles  = "roles"
	DiffDelete = "delete"
	DiffNone   = "none"
)

// CompareOptions say how Compare works.
type CompareOptions struct {
	// Prune takes everything from whoever is in a tenant and not wanted there.
	Prune bool
	// Mine, if set, keeps Prune to some logins.
	Mine func(login string) bool
	// Invited reports whether somebody who is in no list was invited before.
	Invited func(tenant, login string) bool
	// Now tells the time; nil for time.Now.
	Now func() time.Time
	// Read is called for each account that was read.
	Read func()
}

// Compare reads every tenant once and returns what it takes to make it as
// wanted, in the order of the wanted, then those to prune. It changes nothing.
//
// A role nobody knows is an error, and so is a person who is wanted twice in
// one tenant. A tenant that cannot be read has a failed difference for each of
// its wanted, and stops no other.
func Compare(ctx context.Context, targets []Target, wanted []Wanted, o CompareOptions) ([]Difference, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Read == nil {
		o.Read = func() {}
	}
	byTenant := map[string][]int{}
	seen := map[string]bool{}
	for i, w := range wanted {
		key := w.Tenant + "\x00" + provision.FoldLogin(w.Login)
		if seen[key] {
			return nil, provision.Usagef("%s is wanted twice in %s", w.Login, w.Tenant)
		}
		seen[key] = true
		byTenant[w.Tenant] = append(byTenant[w.Tenant], i)
	}
	found := make([]Difference, len(wanted))
	pruned := make([][]Difference, len(targets))
	errs := make([]error, len(targets))
	SideBySide(len(targets), func(n int) {
		c := &comparison{o: o, t: targets[n], wanted: wanted, which: byTenant[targets[n].Tenant], found: found}
		pruned[n], errs[n] = c.run(ctx)
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(found, slices.Concat(pruned...)), nil
}

// comparison is that of one tenant.
type comparison struct {
	o      CompareOptions
	t      Target
	wanted []Wanted
	which  []int // the wanted of this tenant
	found  []Difference
	roles  map[string]resolution
}

// run fills in the differences and returns those to prune. Its error is one
// that stops the whole command.
func (c *comparison) run(ctx context.Context) ([]Difference, error) {
	if err := c.resolve(ctx); err != nil {
		if provision.KindOf(err) == provision.ErrNotFound || provision.KindOf(err) == provision.ErrUsage {
			return nil, err
		}
		return c.unreadable(err), nil
	}
	users, err := c.read(ctx)
	if err != nil {
		return c.unreadable(err), nil
	}
	for _, i := range c.which {
		w := c.wanted[i]
		key := provision.FoldLogin(w.Login)
		fits := users[key]
		c.found[i] = c.compare(w, fits)
		delete(users, key)
	}
	if !c.o.Prune {
		return nil, nil
	}
	var pruned []Difference
	for _, key := range slices.Sorted(maps.Keys(users)) {
		if c.o.Mine != nil && !c.o.Mine(key) {
			continue
		}
		d := c.compare(Wanted{Tenant: c.t.Tenant, Login: users[key][0].Login, Absent: true}, users[key])
		if d.Action != DiffNone || d.Err != nil {
			d.Message = join("not in the roster", d.Message)
			pruned = append(pruned, d)
		}
	}
	return pruned, nil
}

func (c *comparison) unreadable(err error) []Difference {
	for _, i := range c.which {
		d := c.blank(c.wanted[i])
		d.Outcome, d.Err = Failed, err
		c.found[i] = d
	}
	if len(c.which) == 0 {
		d := c.blank(Wanted{Tenant: c.t.Tenant})
		d.Outcome, d.Err = Failed, err
		return []Difference{d}
	}
	return nil
}

// resolve turns the role names of all wanted into ids.
func (c *comparison) resolve(ctx context.Context) error {
	names := map[string]bool{}
	for _, i := range c.which {
		for _, n := range c.wanted[i].Roles {
			if !strings.HasPrefix(n, provision.RawRolePrefix) {
				names[n] = true
			}
		}
	}
	t := &tenant{Target: c.t}
	var err error
	if c.roles, err = t.lookUp(ctx, names); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.roles)) {
		if err := c.roles[name].err; err != nil {
			return fmt.Errorf("tenant %s: %w", c.t.Tenant, err)
		}
	}
	return nil
}

// read lists the tenant's users by folded login, those that the wanted name, or
// with Prune all.
func (c *comparison) read(ctx context.Context) (map[string][]provision.User, error) {
	named := map[string]bool{}
	for _, i := range c.which {
		named[provision.FoldLogin(c.wanted[i].Login)] = true
	}
	f := provision.Filter{}
	if !c.o.Prune {
		f.Only = func(login string) bool { return named[provision.FoldLogin(login)] }
	}
	users := map[string][]provision.User{}
	for u, err := range c.t.Provisioner.Users(ctx, f) {
		if err != nil {
			return nil, err
		}
		c.o.Read()
		key := provision.FoldLogin(u.Login)
		if c.o.Prune || named[key] {
			users[key] = append(users[key], u)
		}
	}
	return users, nil
}

func (c *comparison) blank(w Wanted) Difference {
	return Difference{
		Tenant: c.t.Tenant, Vendor: c.t.Vendor.Name, Login: w.Login, Action: DiffNone, Outcome: Unchanged,
		Details: map[string]string{}, Seen: fingerprint(nil),
	}
}

// compare finds the difference for one person.
func (c *comparison) compare(w Wanted, fits []provision.User) Difference {
	d := c.blank(w)
	switch {
	case len(fits) > 1:
		d.Outcome, d.Err = Failed, &provision.Error{
			Vendor: c.t.Vendor.Name, Op: "compare", Kind: provision.ErrConflict,
			Message: fmt.Sprintf("%d users have the login %s", len(fits), w.Login),
		}
		return d
	case len(fits) == 0 && w.Absent:
		return d
	case len(fits) == 0:
		return c.compareMissing(d, w)
	}
	u := fits[0]
	d.Login, d.Seen = u.Login, fingerprint(&u)
	if w.Absent {
		return c.compareAbsent(d, u)
	}
	return c.comparePresent(d, w, u)
}

// ended reports that the access of somebody who is wanted is over.
func (c *comparison) ended(w Wanted) bool { return !w.Expires.IsZero() && !w.Expires.After(c.o.Now()) }

func (c *comparison) compareMissing(d Difference, w Wanted) Difference {
	v := c.t.Vendor
	switch {
	case c.ended(w):
		d.Message = "access ended " + w.Expires.Format(time.DateOnly)
		return d
	case !v.ListsPending && c.o.Invited != nil && c.o.Invited(w.Tenant, w.Login):
		d.Outcome, d.Message = Invited, "invited before; not listed until the invitation is taken up"
		return d
	case !v.Can(provision.CanCreateUser):
		d.Action, d.Outcome = DiffCreate, Unsupported
		d.Err = v.Refuse(provision.CanCreateUser, "create user")
		d.Message = v.Capability(provision.CanCreateUser).Note
		return d
	}
	d.Action, d.Outcome = DiffCreate, Planned
	d.RolesAdded = c.ids(w.Roles)
	set := func(can provision.CapabilityName, name string, value *string) {
		if value != nil && *value != "" && v.Can(can) {
			d.Details[name] = *value
		}
	}
	set(provision.CanStoreName, detailFirstName, w.FirstName)
	set(provision.CanStoreName, detailLastName, w.LastName)
	set(provision.CanStorePhone, detailPhone, w.Phone)
	for name, value := range w.Options {
		d.Details[v.Name+"."+name] = value
	}
	if w.Password != "" && v.PasswordRule != nil {
		d.Details[detailPassword] = w.Password
	}
	c.expire(&d, w)
	return d
}

// expire notes the end of access, natively or in words.
func (c *comparison) expire(d *Difference, w Wanted) {
	switch {
	case w.Expires.IsZero():
	case c.t.Vendor.Can(provision.CanExpireRoles):
		d.Details[detailExpires] = w.Expires.UTC().Format(time.RFC3339)
		d.Message = join(d.Message, "the vendor ends the roles")
	default:
		d.Message = join(d.Message, "the next apply after "+w.Expires.UTC().Format(time.DateOnly)+" takes the access away")
	}
}

// compareAbsent plans a deletion, unless all that can be taken is taken.
func (c *comparison) compareAbsent(d Difference, u provision.User) Difference {
	v := c.t.Vendor
	switch level := v.Capability(provision.CanDeleteUser).Level; {
	case level == provision.Unsupported:
		d.Action, d.Outcome, d.Err = DiffDelete, Unsupported, v.Refuse(provision.CanDeleteUser, "delete user")
		return d
	case level == provision.Emulated && len(u.DirectRoles()) == 0 && u.Status != provision.StatusActive:
		d.Message = "the account remains, without direct roles"
		return d
	}
	d.Action, d.Outcome, d.RolesRemoved, d.TakesAll = DiffDelete, Planned, u.DirectRoles(), true
	return d
}

func (c *comparison) comparePresent(d Difference, w Wanted, u provision.User) Difference {
	v := c.t.Vendor
	change := provision.RoleChange{Grant: c.ids(w.Roles), Exact: true, Activate: true}
	if c.ended(w) {
		change = provision.RoleChange{All: true}
		d.Message = "access ended " + w.Expires.UTC().Format(time.DateOnly)
	}
	native := !c.ended(w) && !w.Expires.IsZero() && v.Can(provision.CanExpireRoles)
	if native {
		change.Expires = w.Expires
	}
	diff, err := v.Plan(u, change)
	if err != nil && native && provision.KindOf(err) == provision.ErrUnsupported {
		// The vendor cannot end just these roles: the next apply does.
		change.Expires, native = time.Time{}, false
		diff, err = v.Plan(u, change)
	}
	if err != nil {
		d.Action, d.Outcome, d.Err, d.Message = DiffRoles, Failed, err, err.Error()
		if provision.KindOf(err) == provision.ErrUnsupported {
			d.Outcome = Unsupported
		}
		return d
	}
	d.RolesAdded, d.RolesRemoved = diff.Grant, diff.Revoke
	d.TakesAll = len(diff.Grant) == 0 && len(diff.Revoke) > 0 && len(diff.Revoke) == len(u.DirectRoles())
	if !c.ended(w) {
		c.compareDetails(&d, w, u)
	}
	switch {
	case len(d.Details) > 0:
		d.Action = DiffUpdate
	case !diff.Empty():
		d.Action = DiffRoles
	default:
		return d
	}
	d.Outcome = Planned
	if native && len(diff.Grant) > 0 {
		c.expire(&d, w)
	} else if !native && !c.ended(w) && !w.Expires.IsZero() {
		d.Message = join(d.Message, "the next apply after "+w.Expires.UTC().Format(time.DateOnly)+" takes the access away")
	}
	return d
}

// compareDetails compares what the wanted gives and the vendor keeps.
func (c *comparison) compareDetails(d *Difference, w Wanted, u provision.User) {
	v := c.t.Vendor
	set := func(can provision.CapabilityName, name string, want *string, is string) {
		if want != nil && *want != is && v.Can(can) && v.Can(provision.CanUpdateUser) {
			d.Details[name] = *want
		}
	}
	set(provision.CanStoreName, detailFirstName, w.FirstName, u.FirstName)
	set(provision.CanStoreName, detailLastName, w.LastName, u.LastName)
	set(provision.CanStorePhone, detailPhone, w.Phone, u.Phone)
	for _, o := range v.Options {
		want, given := w.Options[o.Name]
		one := provision.UserPatch{Options: provision.Options{o.Name: want}}
		if given && o.OnUpdate && !one.Satisfied(u) {
			d.Details[v.Name+"."+o.Name] = want
		}
	}
}

// ids are the role ids of names, sorted.
func (c *comparison) ids(names []string) []string {
	var ids []string
	for _, n := range names {
		if raw, ok := strings.CutPrefix(n, provision.RawRolePrefix); ok {
			ids = append(ids, raw)
			continue
		}
		ids = append(ids, c.roles[n].id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
