package cybereason

import (
	"context"
	"fmt"
	"slices"

	"edrctl/internal/provision"
)

// GuardRemoval implements provision.Guard. Changes that are judged one after
// the other are judged together: of two last administrators, one stays.
func (a *adapter) GuardRemoval(ctx context.Context, login string, c provision.RoleChange) error {
	users, ok := a.memo.recall()
	if !ok {
		var err error
		if users, err = a.renew(ctx, "look for administrators"); err != nil {
			return err
		}
	}
	u, err := find("", login, users)
	if err != nil {
		return nil //nolint:nilerr // the change itself says so
	}
	d, err := provision.PlanRoles(u.user(), c)
	if err != nil {
		return nil //nolint:nilerr // the change itself says so
	}
	takesUsers := slices.Contains(d.Revoke, userAdmin)
	if a.session.isOurs(ctx, u.Username) && (c.All || takesUsers || slices.Contains(d.Revoke, systemAdmin)) {
		return refuse(u.Username + " is the account in use, which would lose its hold on the console")
	}
	if !takesUsers {
		return nil
	}
	if !a.memo.leave(users, u.Username) {
		return refuse(fmt.Sprintf("%s is the last one with role %s", u.Username, userAdmin))
	}
	return nil
}

// leave notes that somebody is to stop managing users. It is false when nobody
// else would be left to do so.
func (m *memo) leave(users []wireUser, login string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	stays := func(u wireUser) bool {
		ids, _ := u.roles() // one whose roles cannot be read does not count
		return u.Username != login && slices.Contains(ids, userAdmin) && !slices.Contains(m.leaving, u.Username)
	}
	if !slices.ContainsFunc(users, stays) {
		return false
	}
	m.leaving = append(m.leaving, login)
	return true
}

func refuse(message string) error {
	return &provision.Error{
		Vendor: name, Op: "guard", Kind: provision.ErrRefused, Message: message,
		Hint: "--allow-lockout lifts this guard",
	}
}
