package carbonblack

import (
	"context"
	"maps"
	"sync"
	"time"

	"edrctl/internal/provision"
)

// recent is how long what was read may be used again: long enough for a guard
// and the change that it lets pass, and for changes that are made side by side.
const recent = 5 * time.Second

// memory is what was read a moment ago. A change ends it, so that nothing is
// computed from what was there before.
type memory struct {
	// turn is held while the list of users is read, so that all who need it at
	// once share one request.
	turn   chan struct{}
	rows   kept[[]row]
	grants kept[map[string]*grant]

	mu    sync.Mutex // guards names
	names map[string]string
}

func newMemory() *memory { return &memory{turn: make(chan struct{}, 1)} }

// forget drops what a change has made old.
func (m *memory) forget(ctx context.Context, users bool) {
	if provision.LooksLater(ctx) {
		return // of the one user who was changed; see omit
	}
	m.grants.drop()
	if users {
		m.rows.drop()
	}
}

// omit drops what is known of one user, who has been changed.
func (m *memory) omit(id string) {
	m.grants.update(func(grants map[string]*grant) map[string]*grant {
		grants = maps.Clone(grants)
		delete(grants, id)
		return grants
	})
}

// learn keeps the names of the roles that can be given for as long as the
// adapter lives.
func (m *memory) learn(roles []provision.Role) {
	names := map[string]string{}
	for _, r := range roles {
		names[r.ID] = r.Name
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.names = names
}

// known are the names of the roles that can be given, by id; nil where they
// have not been read.
func (m *memory) known() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.names
}

// kept is a value that is good for a moment.
type kept[T any] struct {
	mu    sync.Mutex
	value T
	read  time.Time
	drops int
}

func (k *kept[T]) get() (T, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value, !k.read.IsZero() && time.Since(k.read) < recent
}

func (k *kept[T]) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	var none T
	k.value, k.read = none, time.Time{}
	k.drops++
}

// update replaces a value that is kept.
func (k *kept[T]) update(change func(T) T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drops++
	k.value = change(k.value)
}

// fill reads a value and keeps it, unless it was dropped in the meantime.
func (k *kept[T]) fill(read func() (T, error)) (T, error) {
	k.mu.Lock()
	before := k.drops
	k.mu.Unlock()
	value, err := read()
	if err != nil {
		return value, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.drops == before {
		k.value, k.read = value, time.Now()
	}
	return value, nil
}

// readRows reads the list of users.
func (a *adapter) readRows(ctx context.Context, op string) ([]row, error) {
	return a.seen.rows.fill(func() ([]row, error) { return a.api.users(ctx, op) })
}

// recentRows is the list of users as it was a moment ago, else as it is now. It
// is good for finding out who somebody is, which does not change.
func (a *adapter) recentRows(ctx context.Context, op string) (rows []row, fresh bool, err error) {
	select {
	case a.seen.turn <- struct{}{}:
		defer func() { <-a.seen.turn }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return nil, false, &provision.Error{
			Vendor: name, Op: op, Kind: provision.ErrInterrupted, Message: "stopped", Err: context.Cause(ctx),
		}
	}
	if rows, ok := a.seen.rows.get(); ok {
		return rows, false, nil
	}
	rows, err = a.readRows(ctx, op)
	return rows, true, err
}
