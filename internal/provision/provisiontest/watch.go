package provisiontest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
)

// watched is an adapter of which everything that it returns is looked at:
// whatever a case is about, errors have a kind, roles are sorted, and nothing
// holds a secret.
type watched struct {
	s *scene
	provision.Provisioner
}

func (w watched) Check(ctx context.Context) (provision.Identity, error) {
	id, err := w.Provisioner.Check(ctx)
	w.s.sound(ctx, "Check", id, err)
	return id, err
}

func (w watched) Users(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error] {
	return func(yield func(provision.User, error) bool) {
		for u, err := range w.Provisioner.Users(ctx, f) {
			w.s.sound(ctx, "Users", u, err)
			if err == nil {
				w.s.soundUser("Users", u)
			}
			if !yield(u, err) {
				return
			}
		}
	}
}

func (w watched) User(ctx context.Context, login string) (provision.User, error) {
	u, err := w.Provisioner.User(ctx, login)
	w.s.sound(ctx, "User", u, err)
	if err == nil {
		w.s.soundUser("User", u)
	}
	return u, err
}

func (w watched) CreateUser(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
	u, err := w.Provisioner.CreateUser(ctx, spec)
	w.s.sound(ctx, "CreateUser", u, err)
	if err == nil {
		w.s.soundUser("CreateUser", u)
	}
	return u, err
}

func (w watched) UpdateUser(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
	u, changed, err := w.Provisioner.UpdateUser(ctx, login, p)
	w.s.sound(ctx, "UpdateUser", u, err)
	if err == nil {
		w.s.soundUser("UpdateUser", u)
	}
	return u, changed, err
}

func (w watched) DeleteUser(ctx context.Context, login string) (provision.Removal, error) {
	gone, err := w.Provisioner.DeleteUser(ctx, login)
	w.s.sound(ctx, "DeleteUser", gone, err)
	return gone, err
}

func (w watched) Roles(ctx context.Context) ([]provision.Role, error) {
	roles, err := w.Provisioner.Roles(ctx)
	w.s.sound(ctx, "Roles", roles, err)
	return roles, err
}

func (w watched) ChangeRoles(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
	result, err := w.Provisioner.ChangeRoles(ctx, login, c)
	w.s.sound(ctx, "ChangeRoles", result, err)
	if err == nil {
		w.s.soundUser("ChangeRoles", result.User)
		assert.True(w.s, slices.IsSorted(result.Granted), "ChangeRoles: Granted is sorted: %v", result.Granted)
		assert.True(w.s, slices.IsSorted(result.Revoked), "ChangeRoles: Revoked is sorted: %v", result.Revoked)
	}
	return result, err
}

func (w watched) Reset(ctx context.Context, login string, what provision.Credential) error {
	err := w.Provisioner.Reset(ctx, login, what)
	w.s.sound(ctx, "Reset", nil, err)
	return err
}

// sound looks at what a method returned.
func (s *scene) sound(ctx context.Context, method string, value any, err error) {
	s.Helper()
	s.innocent(method+"'s result", dump(value))
	if err == nil {
		return
	}
	var e *provision.Error
	if ctx.Err() == nil && assert.ErrorAs(s, err, &e, "%s: every error is a provision.Error", method) {
		assert.Contains(s, kinds(), e.Kind, "%s: %v", method, err)
	}
	for _, link := range chain(err) {
		s.innocent(method+"'s error", link.Error(), dump(link))
	}
}

func (s *scene) soundUser(method string, u provision.User) {
	s.Helper()
	assert.NotEmpty(s, u.Login, "%s: a user has a login", method)
	if u.Status != provision.StatusInvited {
		assert.NotEmpty(s, u.ID, "%s: %s has an id", method, u.Login)
	}
	assert.Contains(s, []provision.Status{
		provision.StatusActive, provision.StatusDisabled, provision.StatusInvited, provision.StatusLocked, provision.StatusUnknown,
	}, u.Status, "%s: status of %s", method, u.Login)
	sorted := slices.Clone(u.Roles)
	provision.SortRoles(sorted)
	assert.Equal(s, sorted, u.Roles, "%s: the roles of %s are sorted", method, u.Login)
	for _, r := range u.Roles {
		assert.NotEmpty(s, r.ID, "%s: each role of %s has an id", method, u.Login)
	}
	for name, value := range u.Extra {
		switch value.(type) {
		case string, bool, []string:
		default:
			assert.Failf(s, "a value of Extra is a string, a boolean or a list of strings", "%s: %s of %s is a %T", method, name, u.Login, value)
		}
	}
}

// shortestSecret is how long a value must be to be searched for; shorter ones
// turn up by chance.
const shortestSecret = 8

// innocent checks that no secret stands in any of the texts, as it is or in one
// of the forms it takes on the wire.
func (s *scene) innocent(where string, texts ...string) {
	s.Helper()
	for _, secret := range slices.Concat(s.Secrets(), []string{s.Password}) {
		if len(secret) < shortestSecret {
			continue
		}
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret),
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret)),
		} {
			for _, text := range texts {
				if strings.Contains(text, form) {
					assert.Fail(s, "a secret is in "+where) // without printing it
				}
			}
		}
	}
}

// dump prints a value in the ways in which it may get to be seen.
func dump(value any) string {
	text := fmt.Sprintf("%v %+v %#v %s %q", value, value, value, value, value)
	if encoded, err := json.Marshal(value); err == nil {
		text += string(encoded)
	}
	return text
}

// chain is an error and all that it wraps.
func chain(err error) []error {
	if err == nil {
		return nil
	}
	list := []error{err}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			list = append(list, chain(e)...)
		}
		return list
	}
	return append(list, chain(errors.Unwrap(err))...)
}

func kinds() []provision.Kind {
	return []provision.Kind{
		provision.ErrInternal, provision.ErrUsage, provision.ErrUnauthenticated, provision.ErrForbidden, provision.ErrUntrusted,
		provision.ErrNotFound, provision.ErrExists, provision.ErrConflict, provision.ErrPartial, provision.ErrRateLimited,
		provision.ErrUnavailable, provision.ErrRefused, provision.ErrUnsupported, provision.ErrUncertain, provision.ErrInvalid,
		provision.ErrInterrupted,
	}
}
