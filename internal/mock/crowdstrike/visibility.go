package crowdstrike

import (
	"slices"
	"strconv"
	"time"
)

// delay keeps a change out of sight until a moment or for a number of reads.
type delay struct {
	until time.Time
	reads int
}

// staleGrants is what is still being shown of a user's roles.
type staleGrants struct {
	delay
	grants []grant
}

// newDelay is the delay that the switches order for a change, or nil.
func (f *fake) newDelay(c *call, of string) *delay {
	if !f.is("visibility-of", of) && !f.is("visibility-of", "both") {
		return nil
	}
	value := f.switches["visibility-delay"]
	if n, err := strconv.Atoi(value); err == nil {
		if n == 0 {
			return nil
		}
		return &delay{reads: n}
	}
	if d, err := time.ParseDuration(value); err == nil && d > 0 {
		return &delay{until: c.now.Add(d)}
	}
	return nil
}

// holds reports whether a read must not see the change yet, and counts it.
func (d *delay) holds(now time.Time) bool {
	if d.reads > 0 {
		d.reads--
		return true
	}
	return now.Before(d.until)
}

// hide keeps a new user out of lists for a while.
func (f *fake) hide(c *call, uuid string) {
	if d := f.newDelay(c, "users"); d != nil {
		f.hidden[uuid] = d
	}
}

// listed reports whether lists show a user yet.
func (f *fake) listed(c *call, u user) bool {
	d, ok := f.hidden[u.UUID]
	if ok && d.holds(c.now) {
		return false
	}
	delete(f.hidden, u.UUID)
	return true
}

// keep remembers the roles of a user before a change. Of several changes in a
// row, what was before the first is shown until the last one's delay is over.
func (f *fake) keep(c *call, uuid string) {
	d := f.newDelay(c, "roles")
	if d == nil {
		return
	}
	grants := f.st.grantsOf(uuid)
	if old, ok := f.stale[uuid]; ok && (old.reads > 0 || c.now.Before(old.until)) {
		grants = old.grants
	}
	f.stale[uuid] = &staleGrants{*d, grants}
}

// shown are the grants of a user that a read sees.
func (f *fake) shown(c *call, uuid string) []grant {
	old, ok := f.stale[uuid]
	if ok && old.holds(c.now) {
		return slices.DeleteFunc(slices.Clone(old.grants), func(g grant) bool { return g.over(c.now) })
	}
	delete(f.stale, uuid)
	return f.st.grantsOf(uuid)
}

func (g grant) over(now time.Time) bool { return !g.ExpiresAt.IsZero() && !now.Before(g.ExpiresAt) }

// expireGrants takes away temporary roles whose time is over.
func (f *fake) expireGrants(now time.Time) {
	f.st.Grants = slices.DeleteFunc(f.st.Grants, func(g grant) bool { return g.over(now) })
}
