package provisiontest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"edrctl/internal/provision"
)

// The operations of a Fake, as its errors, knobs and log name them.
const (
	OpCheck       = "check"
	OpList        = "list users"
	OpGet         = "get user"
	OpCreate      = "create user"
	OpValidate    = "validate user"
	OpUpdate      = "update user"
	OpDelete      = "delete user"
	OpListRoles   = "list roles"
	OpChangeRoles = "change roles"
	OpReset       = "reset"
	OpGuard       = "guard"
	OpSignOut     = "sign out"
)

// Call is one call of a Fake's method.
type Call struct {
	Op    string
	Login string
}

// fakeConsole is what the adapters of one Fake share.
type fakeConsole struct {
	o FakeOptions
	v *provision.Vendor

	mu       sync.Mutex
	password string
	users    []provision.User // in the order of their making
	pending  map[string]bool  // ids of invited people
	next     int              // number of the next user

	generation int // of sessions; those of another one have ended
	pageSize   int
	forbidden  bool
	faults     []Fault
	hits       int
	after      func()
	onCall     func(Call)
	failures   map[string][]error
	losses     map[string][]bool
	past       []provision.User // what reads see while the console lags
	lag, stale int

	calls    []Call
	requests []string
	changes  []string
	learned  []provision.Role
}

// fakeSession is whether an adapter is signed in.
type fakeSession struct {
	mu         sync.Mutex
	generation int
}

func (c *fakeConsole) connect(cfg provision.Config) *Fake {
	return &Fake{Base: provision.Base{V: c.v}, console: c, cfg: cfg, session: &fakeSession{}}
}

// call records a call and lets knobs have their way before the method works.
func (f *Fake) call(op, login string, work func() error) error {
	c := f.console
	c.mu.Lock()
	call := Call{Op: op, Login: login}
	c.calls = append(c.calls, call)
	hook := c.onCall
	var failure error
	if queue := c.failures[op]; len(queue) > 0 {
		failure, c.failures[op] = queue[0], queue[1:]
	}
	c.mu.Unlock()
	if hook != nil {
		hook(call)
	}
	if failure != nil {
		return failure
	}
	return work()
}

func (f *Fake) read(ctx context.Context, op, request string, answer func() error) error {
	return f.send(ctx, op, request, false, answer)
}

func (f *Fake) change(ctx context.Context, op, request string, apply func() error) error {
	return f.send(ctx, op, request, true, apply)
}

// send is one request and its answer, after signing in if need be.
func (f *Fake) send(ctx context.Context, op, request string, change bool, work func() error) error {
	if change && f.cfg.ReadOnly {
		return f.fail(op, provision.ErrInternal, "a change was about to be sent during a dry run")
	}
	if err := f.signIn(ctx, op); err != nil {
		return err
	}
	return f.exchange(ctx, op, request, change, work)
}

// exchange repeats a request as far as it may be repeated. The console's work
// is done under its lock; hooks are called without it, as they may ask the
// console.
func (f *Fake) exchange(ctx context.Context, op, request string, change bool, work func() error) error {
	var waited time.Duration
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			return f.stopped(ctx, op)
		}
		effect, wait, err := f.attempt(op, request, change, work)
		if change {
			f.console.afterwards()
		}
		switch {
		case effect == Throttle && waited+wait > f.cfg.MaxWait:
			e := f.fail(op, provision.ErrRateLimited, fmt.Sprintf("the vendor asks to wait %s", wait))
			e.RetryAfter = wait
			return e
		case effect == Throttle:
			waited += wait
			attempt--
			continue
		case change && (ctx.Err() != nil || effect != ""):
			return f.fail(op, provision.ErrUncertain, "the answer was lost")
		case effect == "":
			return err
		case attempt == 3:
			return f.fail(op, provision.ErrUnavailable, "the console closed the connection")
		}
	}
}

// attempt carries a request out once. The effect is that of a fault that kept
// its answer back.
func (f *Fake) attempt(op, request string, change bool, work func() error) (Effect, time.Duration, error) {
	c := f.console
	c.mu.Lock()
	defer c.mu.Unlock()
	c.receive(request, change)
	if change {
		if queue := c.losses[op]; len(queue) > 0 {
			applied := queue[0]
			c.losses[op] = queue[1:]
			if !applied {
				return Unplug, 0, nil
			}
			return Cut, 0, c.carryOut(change, work)
		}
	}
	fault, disturbed := takeFault(&c.faults, change)
	if disturbed {
		c.hits++
	}
	switch {
	case fault.Effect == Throttle:
		return Throttle, max(fault.Wait, time.Second), nil
	case fault.Effect == Refuse, change && c.forbidden:
		return "", 0, f.fail(op, provision.ErrForbidden, "the permission to manage users is missing")
	case fault.Effect == Unplug:
		return Unplug, 0, nil
	}
	return fault.Effect, 0, c.carryOut(change, work)
}

// carryOut lets a change, or a read of what is visible by now, happen.
func (c *fakeConsole) carryOut(change bool, work func() error) error {
	if change {
		if c.lag > 0 && c.stale == 0 {
			c.past, c.stale = cloneUsers(c.users), c.lag
		}
		return work()
	}
	if c.stale == 0 {
		return work()
	}
	c.stale--
	present := c.users
	c.users = c.past
	defer func() { c.users = present }()
	return work()
}

func (c *fakeConsole) receive(request string, change bool) {
	c.requests = append(c.requests, request)
	if change {
		c.changes = append(c.changes, request)
	}
}

func (c *fakeConsole) afterwards() {
	c.mu.Lock()
	after := c.after
	c.mu.Unlock()
	if after != nil {
		after()
	}
}

// signIn opens a session unless there is one that the console still knows.
func (f *Fake) signIn(ctx context.Context, op string) error {
	f.session.mu.Lock()
	defer f.session.mu.Unlock()
	c := f.console
	c.mu.Lock()
	known := f.session.generation == c.generation+1
	c.mu.Unlock()
	if known {
		return nil
	}
	return f.exchange(ctx, op, "POST sign-in", false, func() error {
		if f.cfg.Secrets["password"].Reveal() != c.password {
			return f.fail(op, provision.ErrUnauthenticated, "wrong password")
		}
		f.session.generation = c.generation + 1
		return nil
	})
}

func (f *Fake) stopped(ctx context.Context, op string) error {
	e := f.fail(op, provision.ErrInterrupted, "stopped before it was sent")
	e.Err = context.Cause(ctx)
	return e
}

// The methods below are called under the lock.

func (c *fakeConsole) find(login string) []provision.User {
	var found []provision.User
	for _, u := range c.users {
		if !c.pending[u.ID] && provision.SameLogin(u.Login, login) {
			found = append(found, cloneUser(u))
		}
	}
	return found
}

func (c *fakeConsole) taken(login string) bool {
	return slices.ContainsFunc(c.users, func(u provision.User) bool { return provision.SameLogin(u.Login, login) })
}

func (c *fakeConsole) page(offset int) []provision.User {
	var listed []provision.User
	for _, u := range c.users {
		if !c.pending[u.ID] {
			listed = append(listed, cloneUser(u))
		}
	}
	from := min(offset, len(listed))
	return listed[from:min(from+c.pageSize, len(listed))]
}

func (c *fakeConsole) holders(role string) []string {
	var holders []string
	for _, u := range c.users {
		if slices.Contains(u.DirectRoles(), role) {
			holders = append(holders, u.Login)
		}
	}
	return holders
}

// add stores a user and returns it with the id it got.
func (c *fakeConsole) add(u provision.User) provision.User {
	u = cloneUser(u)
	if u.ID == "" {
		c.next++
		u.ID = fmt.Sprintf("u%03d", c.next)
	}
	c.users = append(c.users, u)
	return cloneUser(u)
}

func (c *fakeConsole) insert(u provision.User) (provision.User, error) {
	if c.taken(u.Login) {
		return provision.User{}, &provision.Error{Vendor: c.v.Name, Op: OpCreate, Kind: provision.ErrExists, Message: "the login is taken"}
	}
	stored := c.add(u)
	if c.o.Invites {
		if c.pending == nil {
			c.pending = map[string]bool{}
		}
		c.pending[stored.ID] = true
		stored.ID = ""
	}
	return stored, nil
}

func (c *fakeConsole) index(id string) int {
	return slices.IndexFunc(c.users, func(u provision.User) bool { return u.ID == id })
}

func (c *fakeConsole) patch(id string, p provision.UserPatch) (provision.User, error) {
	i := c.index(id)
	if i < 0 {
		return provision.User{}, &provision.Error{Vendor: c.v.Name, Op: OpUpdate, Kind: provision.ErrNotFound}
	}
	u := &c.users[i]
	for field, value := range map[*string]*string{&u.FirstName: p.FirstName, &u.LastName: p.LastName, &u.Phone: p.Phone} {
		if value != nil {
			*field = *value
		}
	}
	u.Extra = maps.Clone(u.Extra)
	for name, value := range p.Options {
		if u.Extra == nil {
			u.Extra = map[string]any{}
		}
		u.Extra[name] = value
	}
	return cloneUser(*u), nil
}

func (c *fakeConsole) remove(id string) error {
	i := c.index(id)
	switch {
	case i < 0:
		return &provision.Error{Vendor: c.v.Name, Op: OpDelete, Kind: provision.ErrNotFound}
	case c.o.KeepsAccounts:
		c.users[i].Roles = slices.DeleteFunc(slices.Clone(c.users[i].Roles), func(r provision.HeldRole) bool { return r.Direct })
	default:
		c.users = slices.Delete(slices.Clone(c.users), i, i+1)
	}
	return nil
}

// held turns ids into direct roles.
func (c *fakeConsole) held(ids []string, expires time.Time) []provision.HeldRole {
	roles := []provision.HeldRole{}
	for _, id := range ids {
		r := provision.HeldRole{ID: id, Name: id, Direct: true}
		if i := slices.IndexFunc(c.o.Roles, func(r provision.Role) bool { return r.ID == id }); i >= 0 {
			r.Name = c.o.Roles[i].Name
		}
		if !expires.IsZero() {
			r.ExpiresAt = &expires
		}
		roles = append(roles, r)
	}
	provision.SortRoles(roles)
	return roles
}

func (c *fakeConsole) setRoles(id string, d provision.RoleDiff, expires time.Time) provision.User {
	i := c.index(id)
	if i < 0 {
		return provision.User{}
	}
	roles := slices.DeleteFunc(slices.Clone(c.users[i].Roles), func(r provision.HeldRole) bool {
		return r.Direct && (slices.Contains(d.Revoke, r.ID) || slices.Contains(d.Grant, r.ID))
	})
	roles = append(roles, c.held(d.Grant, expires)...)
	provision.SortRoles(roles)
	c.users[i].Roles = roles
	return cloneUser(c.users[i])
}

func (c *fakeConsole) activate(id string) provision.User {
	i := c.index(id)
	if i < 0 {
		return provision.User{}
	}
	c.users[i].Status = provision.StatusActive
	delete(c.pending, id)
	return cloneUser(c.users[i])
}

func cloneUser(u provision.User) provision.User {
	u.Roles = slices.Clone(u.Roles)
	u.Extra = maps.Clone(u.Extra)
	return u
}

func cloneUsers(users []provision.User) []provision.User {
	var out []provision.User
	for _, u := range users {
		out = append(out, cloneUser(u))
	}
	return out
}
