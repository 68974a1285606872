package cybereason

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"edrctl/internal/provision"
)

// freshness is how long a list of users may stand for what the console has,
// where a change is prepared that is checked by reading afterwards.
const freshness = 3 * time.Second

// memo is the list of users as last read by a guard, or after a change. It
// saves the change that follows, and the guard that follows, a read.
type memo struct {
	mu    sync.Mutex
	users []wireUser
	until time.Time
	// writes counts the changes sent, so that a list that was read meanwhile
	// is not kept.
	writes int
	// leaving are those who were judged to be free to stop managing users.
	leaving []string
}

func (m *memo) recall() ([]wireUser, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.users, time.Now().Before(m.until)
}

func (m *memo) generation() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

// keep stores a list, unless a change was sent since the generation was asked
// for.
func (m *memo) keep(users []wireUser, generation int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writes == generation {
		m.users, m.until, m.leaving = users, time.Now().Add(freshness), nil
	}
}

func (m *memo) drop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	m.users, m.until, m.leaving = nil, time.Time{}, nil
}

// omit takes a user out of the list, who has been changed since it was read.
func (m *memo) omit(login string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	m.users = slices.DeleteFunc(slices.Clone(m.users), func(u wireUser) bool { return provision.SameLogin(u.Username, login) })
}

// list reads all users. The API has neither pages nor a documented way to read
// one of them. (Cybereason API documentation, Retrieve a List of Users.)
func (a *adapter) list(ctx context.Context, op string) ([]wireUser, error) {
	c := call{op: op, method: http.MethodGet, path: usersPath, list: true}
	resp, err := a.api.read(ctx, c)
	if err != nil {
		return nil, err
	}
	users, odd, err := decodeUsers(resp.Body)
	if err != nil {
		e := failure(c, resp)
		e.Kind, e.Message, e.Err = provision.ErrInternal, "the list of users has an unexpected shape", err
		return nil, e
	}
	a.warnOdd(ctx, users, odd)
	return users, nil
}

// recent is the list of a moment ago, or as it is now.
func (a *adapter) recent(ctx context.Context, op string) ([]wireUser, error) {
	if users, ok := a.memo.recall(); ok {
		return users, nil
	}
	if provision.LooksLater(ctx) {
		return a.renew(ctx, op)
	}
	return a.list(ctx, op)
}

// renew reads the list and keeps it for a moment.
func (a *adapter) renew(ctx context.Context, op string) ([]wireUser, error) {
	generation := a.memo.generation()
	users, err := a.list(ctx, op)
	if err == nil {
		a.memo.keep(users, generation)
	}
	return users, err
}

// warnOdd says, once, what of the list cannot be shown.
func (a *adapter) warnOdd(ctx context.Context, users []wireUser, odd int) {
	warn := func(text string) {
		if a.api.http.Once(text) {
			a.cfg.Log.WarnContext(ctx, text, "tenant", a.cfg.Tenant)
		}
	}
	if odd > 0 {
		warn(fmt.Sprintf("%d records of the list of users cannot be read and are left out", odd))
	}
	for i := range users {
		if _, err := users[i].roles(); err != nil {
			warn(fmt.Sprintf("%s is shown without roles: %v", users[i].Username, err))
		}
	}
}

// find is the one user with a login. Which of two spellings the console means
// is not for edrctl to guess.
func find(op, login string, users []wireUser) (wireUser, error) {
	var found []wireUser
	for i := range users {
		if provision.SameLogin(users[i].Username, login) {
			found = append(found, users[i])
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return wireUser{}, &provision.Error{
			Vendor: name, Op: op, Kind: provision.ErrNotFound, Message: fmt.Sprintf("there is no user %s", login),
		}
	}
	return wireUser{}, &provision.Error{
		Vendor: name, Op: op, Kind: provision.ErrConflict,
		Message: fmt.Sprintf("%d users differ from %s in case only, if at all", len(found), login),
		Hint:    "delete or rename all but one in the console",
	}
}

func lists(users []wireUser, login string) bool {
	return slices.ContainsFunc(users, func(u wireUser) bool { return provision.SameLogin(u.Username, login) })
}
