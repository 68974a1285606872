package cybereason

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// looks is how often a change is looked for, and between the pause between.
const (
	looks   = 3
	between = time.Second
)

// write sends a change of a user. A list that was read before it tells nothing
// of that user any more, and of others only while many are changed in a row and
// all goes well: what became of a change that was lost is to be read.
func (a *adapter) write(ctx context.Context, c call, login string, body any) (got reply, err error) {
	defer func() {
		if provision.LooksLater(ctx) && err == nil {
			a.memo.omit(login)
			return
		}
		a.memo.drop()
	}()
	return a.api.write(ctx, c, body)
}

// readBack reads the list until it shows what a change was to bring about.
func (a *adapter) readBack(ctx context.Context, op string, shows func([]wireUser) bool) (bool, error) {
	for look := range looks {
		if look > 0 {
			if err := a.session.pause(ctx, between); err != nil {
				return false, err
			}
		}
		users, err := a.renew(ctx, op)
		if err != nil {
			return false, err
		}
		if shows(users) {
			return true, nil
		}
	}
	return false, nil
}

// rewrite reads a user, changes the record and writes all of it back, since an
// update replaces the user. (Cybereason API documentation, Update User Details.)
// The first password, which that page asks for too, is left out: it would
// become the user's password. Where edit changes nothing, nothing is sent.
//
// It returns the user as it is afterwards, or with ErrUncertain as it may be.
func (a *adapter) rewrite(
	ctx context.Context, op, login string, edit func(wireUser) (wireUser, error),
) (after wireUser, changed bool, err error) {
	read := a.recent
	for again := false; ; again = true {
		users, err := read(ctx, op)
		if err != nil {
			return wireUser{}, false, err
		}
		is, err := find(op, login, users)
		if errors.Is(err, provision.ErrNotFound) && provision.LooksLater(ctx) {
			// Perhaps left out of the list because of an earlier change.
			if users, err = a.renew(ctx, op); err == nil {
				is, err = find(op, login, users)
			}
		}
		if err != nil {
			return wireUser{}, false, err
		}
		want, err := edit(is)
		if err != nil {
			return wireUser{}, false, err
		}
		if len(want.differs(&is)) == 0 {
			return is, false, nil
		}
		if missing := want.missing(); len(missing) > 0 {
			return wireUser{}, false, incomplete(op, is.Username, missing)
		}
		path, err := userPath(op, is.Username)
		if err != nil {
			return wireUser{}, false, err
		}
		got, err := a.write(ctx, call{op: op, method: http.MethodPut, path: path}, is.Username, want)
		var e *provision.Error
		switch {
		case errors.As(err, &e) && e.Code == codeStale && !again:
			read = a.list
		case err != nil:
			return want, false, err
		default:
			return a.rewritten(ctx, op, is, want, got)
		}
	}
}

// rewritten looks whether a user is as the record that was written.
func (a *adapter) rewritten(ctx context.Context, op string, was, want wireUser, got reply) (wireUser, bool, error) {
	if got == done && provision.LooksLater(ctx) {
		return want, true, nil
	}
	asked := want.differs(&was)
	var u wireUser
	seen, err := a.readBack(ctx, op, func(users []wireUser) bool {
		found, err := find(op, want.Username, users)
		if err != nil {
			return false
		}
		u = found
		differs := want.differs(&u)
		return !slices.ContainsFunc(asked, func(key string) bool { return slices.Contains(differs, key) })
	})
	switch {
	case got == same && seen: // somebody was faster
		return u, false, nil
	case got == same && err == nil:
		return u, false, &provision.Error{
			Vendor: name, Op: op, Kind: provision.ErrConflict, Code: codeNotChanged,
			Message: "the console has nothing to change, but shows another " + strings.Join(asked, " and "),
		}
	case err != nil && got == done:
		a.unread(ctx, want.Username, err)
		return want, true, nil
	case !seen:
		return want, false, unsettled(op, err)
	}
	a.warnDiffering(ctx, want, u)
	return u, true, nil
}

// warnDiffering warns of details that the console did not keep as they were
// sent.
func (a *adapter) warnDiffering(ctx context.Context, want, is wireUser) {
	if names := want.differs(&is); len(names) > 0 {
		a.cfg.Log.WarnContext(ctx, fmt.Sprintf("%s: the console has changed %s as well, which nobody asked for",
			is.Username, strings.Join(names, ", ")), "tenant", a.cfg.Tenant)
	}
}

// incomplete refuses to write a record back that lacks what would be reset.
func incomplete(op, login string, missing []string) error {
	return &provision.Error{
		Vendor: name, Op: op, Kind: provision.ErrInvalid,
		Message: fmt.Sprintf("the console's record of %s has no %s; writing it back could reset that", login, strings.Join(missing, ", ")),
		Hint:    "change this user in the console",
	}
}
