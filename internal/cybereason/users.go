package cybereason

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

const (
	opCreate = "create user"
	opUpdate = "update user"
	opDelete = "delete user"
	opRoles  = "change roles"
)

// Users implements provision.Provisioner. Leaving roles out would save nothing.
func (a *adapter) Users(ctx context.Context, _ provision.Filter) iter.Seq2[provision.User, error] {
	return func(yield func(provision.User, error) bool) {
		users, err := a.list(ctx, "list users")
		if err != nil {
			yield(provision.User{}, err)
			return
		}
		for i := range users {
			if !yield(users[i].user(), nil) {
				return
			}
		}
	}
}

// User implements provision.Provisioner.
func (a *adapter) User(ctx context.Context, login string) (provision.User, error) {
	users, err := a.list(ctx, "get user")
	if err != nil {
		return provision.User{}, err
	}
	u, err := find("get user", login, users)
	if err != nil {
		return provision.User{}, err
	}
	return u.user(), nil
}

// CreateUser implements provision.Provisioner. Account and roles are one
// request.
func (a *adapter) CreateUser(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
	if !spec.Expires.IsZero() {
		return provision.User{}, a.V.Refuse(provision.CanExpireRoles, opCreate)
	}
	if spec.Password.Empty() {
		return provision.User{}, &provision.Error{
			Vendor: name, Op: opCreate, Kind: provision.ErrUsage, Message: "a new user needs a first password",
			Hint: "give --password with a reference such as env:NAME, or --generate-password --password-out FILE",
		}
	}
	u, err := specUser(spec)
	if err != nil {
		return provision.User{}, err
	}
	path, err := userPath(opCreate, u.Username)
	if err != nil {
		return provision.User{}, err
	}
	began := a.cfg.Now().Add(a.api.http.Skew())
	password := spec.Password.Reveal()
	got, err := a.write(ctx, call{op: opCreate, method: http.MethodPost, path: path, hide: password}, u.Username, newUser{u, password})
	if err != nil {
		return provision.User{}, unknownRole(err, spec.Roles)
	}
	return a.created(ctx, u, got, began)
}

// specUser is the record of a new user. What the spec leaves open is as in the
// vendor's example. (Cybereason API documentation, Create an L2 Responder User.)
func specUser(spec provision.UserSpec) (wireUser, error) {
	login := strings.TrimSpace(spec.Login)
	if local, domain, ok := strings.Cut(login, "@"); ok {
		login = local + "@" + strings.ToLower(domain) // only there case means nothing for sure
	}
	u := wireUser{
		Username: login, Roles: raw(distinct(spec.Roles)), TotpEnabled: raw(true),
		ChangePasswordOnNextLogin: raw(false), IsDailyNotifications: raw(false), AllowedLoginMethod: raw(passwordMethod),
	}
	if err := u.applyOptions(spec.Options); err != nil {
		return u, err
	}
	return u, rolesAllowed(opCreate, u.user(), spec.Roles)
}

// checkSpec applies the rules for roles and options without a request.
func checkSpec(spec provision.UserSpec) error {
	_, err := specUser(spec)
	return err
}

// created looks for a new user. Where the console did not say that it is its
// making, an account that is older than the request was there before.
func (a *adapter) created(ctx context.Context, want wireUser, got reply, began time.Time) (provision.User, error) {
	if got == done && provision.LooksLater(ctx) {
		return want.user(), nil
	}
	const slack = time.Minute
	var u wireUser
	_, err := a.readBack(ctx, opCreate, func(users []wireUser) bool {
		for i := range users {
			if exact := users[i].Username == want.Username; exact || provision.SameLogin(users[i].Username, want.Username) {
				u = users[i]
				if exact {
					break
				}
			}
		}
		return u.Username != "" && len(lacking(want, u)) == 0
	})
	switch made := u.user().Created; {
	case u.Username == "" && err != nil && got == done:
		a.unread(ctx, want.Username, err)
		return want.user(), nil
	case u.Username == "":
		return want.user(), unsettled(opCreate, err)
	case got != done && !made.IsZero() && made.Before(began.Add(-slack)):
		return provision.User{}, &provision.Error{
			Vendor: name, Op: opCreate, Kind: provision.ErrExists, Message: u.Username + " is taken",
		}
	case got != done && (made.IsZero() || len(want.differs(&u)) > 0):
		return u.user(), unsettled(opCreate, err)
	}
	if lacks := lacking(want, u); len(lacks) > 0 {
		return u.user(), &provision.Error{
			Vendor: name, Op: opCreate, Kind: provision.ErrPartial, Message: "the account was made, but not all roles were given",
			Err: &provision.Error{
				Kind: provision.ErrInvalid, Message: "the console left out " + strings.Join(lacks, ", "),
				Hint: "is the role switched on for this console?",
			},
		}
	}
	a.warnDiffering(ctx, want, u)
	return u.user(), nil
}

// lacking are the roles of one record that another one has not.
func lacking(want, is wireUser) []string {
	wanted, _ := want.roles() // a record without roles wants and has none
	held, _ := is.roles()
	return slices.DeleteFunc(wanted, func(id string) bool { return slices.Contains(held, id) })
}

// UpdateUser implements provision.Provisioner.
func (a *adapter) UpdateUser(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
	switch {
	case p.FirstName != nil || p.LastName != nil:
		return provision.User{}, false, a.V.Refuse(provision.CanStoreName, opUpdate)
	case p.Phone != nil:
		return provision.User{}, false, a.V.Refuse(provision.CanStorePhone, opUpdate)
	}
	if err := new(wireUser).applyOptions(p.Options); err != nil {
		return provision.User{}, false, err
	}
	u, changed, err := a.rewrite(ctx, opUpdate, login, func(u wireUser) (wireUser, error) {
		before := u.user()
		if err := u.applyOptions(p.Options); err != nil {
			return u, err
		}
		if needsFactor(u.user()) && !needsFactor(before) {
			return u, factorNeeded(opUpdate, "revoke "+responderL2+" first")
		}
		return u, nil
	})
	return u.user(), changed, err
}

// DeleteUser implements provision.Provisioner.
func (a *adapter) DeleteUser(ctx context.Context, login string) (provision.Removal, error) {
	users, err := a.recent(ctx, opDelete)
	if err != nil {
		return provision.Removal{}, err
	}
	u, err := find(opDelete, login, users)
	if err != nil {
		return provision.Removal{}, err
	}
	path, err := userPath(opDelete, u.Username)
	if err != nil {
		return provision.Removal{}, err
	}
	got, err := a.write(ctx, call{op: opDelete, method: http.MethodDelete, path: path}, u.Username, nil)
	if err != nil {
		return provision.Removal{}, err
	}
	if got == done && provision.LooksLater(ctx) {
		return provision.Removal{ID: u.Username, Deleted: true, Revoked: u.user().DirectRoles()}, nil
	}
	gone, err := a.readBack(ctx, opDelete, func(users []wireUser) bool { return !lists(users, u.Username) })
	switch {
	case err != nil && got == done:
		a.unread(ctx, u.Username, err)
	case !gone:
		return provision.Removal{}, unsettled(opDelete, err)
	}
	return provision.Removal{ID: u.Username, Deleted: true, Revoked: u.user().DirectRoles()}, nil
}

// distinct keeps the first of each and is never nil.
func distinct(ids []string) []string {
	out := []string{}
	for _, id := range ids {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func unsettled(op string, reading error) error {
	e := &provision.Error{
		Vendor: name, Op: op, Kind: provision.ErrUncertain, Message: "the console accepted it, but does not show it",
		Hint: "look at the user before asking again",
	}
	if reading != nil {
		e.Message, e.Err = "the console did not say whether it was done, and reading it back did not work", reading
	}
	return e
}

// unread warns that something was done and could not be looked at.
func (a *adapter) unread(ctx context.Context, login string, err error) {
	a.cfg.Log.WarnContext(ctx, fmt.Sprintf("%s: the console confirmed the change, but could not be read afterwards", login),
		"tenant", a.cfg.Tenant, "error", err)
}
