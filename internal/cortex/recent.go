package cortex

import (
	"sync"
	"time"

	"edrctl/internal/provision"
)

// fresh is how long a list of people that was read for a question before a
// change also serves the change.
const fresh = 5 * time.Second

// recent is such a list. Every change begins by reading everybody, and the
// guard before it has just done that.
type recent struct {
	mu     sync.Mutex
	people []person
	read   time.Time
	writes int
}

func (r *recent) get() []person {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.read) > fresh {
		return nil
	}
	return r.people
}

// begin is called before a list is read, and put with its result after. What
// was read while something was written is not kept.
func (r *recent) begin() (writes int, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writes, time.Now()
}

func (r *recent) put(people []person, writes int, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writes == writes {
		r.people, r.read = people, at
	}
}

// drop is called around each write.
func (r *recent) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.people = nil
	r.writes++
}

// catalogue are the roles of the platform, as last read in this run or, for
// want of that, in an earlier one.
type catalogue struct {
	mu    sync.Mutex
	roles []provision.Role
}

func (c *catalogue) get() []provision.Role {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.roles
}

func (c *catalogue) set(roles []provision.Role) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roles = roles
}

// learn takes a list of an earlier run, unless one of this run is there.
func (c *catalogue) learn(roles []provision.Role) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.roles == nil {
		c.roles = roles
	}
}
