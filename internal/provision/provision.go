// Package provision is the vocabulary of edrctl: what a user, a role and a
// change of either are, what a vendor can do, and how things fail. Commands
// speak it downwards, adapters answer in it, and neither knows the other.
//
// It talks to no network, opens no file and reads no environment. It imports
// the standard library only.
package provision

import (
	"context"
	"iter"
)

// Provisioner manages the people of one tenant. It is safe for concurrent use.
//
// Logins are compared without regard to case (FoldLogin). Role ids are passed
// as the vendor spells them; FindRole turns names into ids. Every error is an
// *Error, or wraps one, unless ctx ended. A method that a vendor cannot
// implement returns ErrUnsupported without sending anything.
//
// A change (CreateUser, UpdateUser, DeleteUser, ChangeRoles, Reset) whose
// answer was lost is ErrUncertain: it may or may not have happened, it was sent
// once, and callers look before they ask again. Asking again is safe for all of
// them but CreateUser and Reset, because each begins by reading.
type Provisioner interface {
	// Check signs in and says who we are and whether we may manage users.
	// Credentials that are refused are ErrUnauthenticated, after one attempt.
	Check(ctx context.Context) (Identity, error)

	// Users yields each user once, with roles unless f.NoRoles, and stops at
	// the first error, which it yields last.
	Users(ctx context.Context, f Filter) iter.Seq2[User, error]

	// User returns one user with roles, or ErrNotFound. Two users that differ
	// only in the case of their logins are ErrConflict.
	User(ctx context.Context, login string) (User, error)

	// CreateUser returns the user as the vendor stored it, with the roles of
	// the spec. A taken login is ErrExists and changes nothing. Where the
	// vendor takes roles together with the account, an unknown role is
	// ErrNotFound or ErrInvalid and changes nothing. If the account was made
	// but a role was not given, it stays; the user is returned with an error
	// that is ErrPartial and wraps the cause.
	CreateUser(ctx context.Context, spec UserSpec) (User, error)

	// UpdateUser changes the details the patch names and leaves all others as
	// they are. It returns the user as it is afterwards, and false when the
	// user was like that already, in which case nothing was sent. An unknown
	// login is ErrNotFound.
	UpdateUser(ctx context.Context, login string, p UserPatch) (u User, changed bool, err error)

	// DeleteUser removes the account or, where the vendor has no such call,
	// all access that can be taken. An unknown login is ErrNotFound.
	DeleteUser(ctx context.Context, login string) (Removal, error)

	// Roles lists the roles this credential can give, sorted by id.
	Roles(ctx context.Context) ([]Role, error)

	// ChangeRoles grants and revokes in as few steps as the vendor allows,
	// grants first, so that a swap never leaves a moment without roles. What
	// Vendor.PlanRoles refuses is refused before anything changes. Granting a
	// held role, or revoking one not held, is not an error and sends nothing.
	// An unknown role changes nothing. When a later step of several is refused,
	// the error is ErrPartial and wraps the cause. With either that or
	// ErrUncertain, the result says what was sent.
	ChangeRoles(ctx context.Context, login string, c RoleChange) (RoleResult, error)

	// Reset makes the user enrol a second factor, or choose a password, anew.
	Reset(ctx context.Context, login string, what Credential) error
}

// RoleResolver is implemented by adapters that can look up a few roles for
// less than the whole list.
type RoleResolver interface {
	// ResolveRoles returns the roles that can be given, as far as they matter
	// to these names: FindRole judges each name in the result as it would in
	// the whole list. The second result is true when it is the whole list.
	ResolveRoles(ctx context.Context, names []string) (roles []Role, whole bool, err error)
}

// RoleLearner is implemented by adapters that save requests when they know the
// list of roles that an earlier run has read.
type RoleLearner interface {
	// LearnRoles tells the list. It may be out of date. The result is false where
	// it is not known to be this tenant's, so that it has to be read again.
	LearnRoles(roles []Role) (ours bool)
}

// RoleBatcher is implemented by adapters that can change the roles of many users
// in fewer requests than ChangeRoles would take for each.
type RoleBatcher interface {
	// ChangeRolesOf does what ChangeRoles does, for each of the changes, and
	// returns an outcome for each, in their order. They concern different
	// logins.
	ChangeRolesOf(ctx context.Context, changes []UserRoleChange) []RoleOutcome
}

// UserRoleChange is a role change of one of several users.
type UserRoleChange struct {
	Login  string
	Change RoleChange
}

// RoleOutcome is what ChangeRoles returns.
type RoleOutcome struct {
	Result RoleResult
	Err    error
}

// CreateValidator is implemented by adapters whose vendor can check a create
// without doing it. Nothing is stored at the vendor.
type CreateValidator interface {
	ValidateCreate(ctx context.Context, spec UserSpec) error
}

// Guard is implemented by adapters that can tell whether a change would lock
// the tenant's administrators, or the account in use, out. It only reads.
// Such a change is ErrRefused; one that cannot be judged is nil.
type Guard interface {
	// GuardRemoval judges a role change of a login; deleting the account is
	// the change that takes All. A login that is not there is nil. Changes
	// that one adapter judges one after another are taken together: of two
	// last administrators one must stay.
	GuardRemoval(ctx context.Context, login string, c RoleChange) error
}

// Session is implemented by adapters that hold a session at the vendor.
type Session interface {
	// SignOut ends it. A failure is a matter for a warning at most.
	SignOut(ctx context.Context) error
}

// Identity is the account or API key in use.
type Identity struct {
	// Name is the login, client id or key id; never a secret.
	Name string `json:"name"`
	// Account is the folded login when we are signed in as a user of the
	// tenant, else empty.
	Account string `json:"account,omitempty"`
	// MayManage is false when the vendor says that we may not manage users.
	// Where the vendor does not say, it is true.
	MayManage bool `json:"mayManage"`
	// Note says in words what was learnt, such as the region or generation.
	Note string `json:"note,omitempty"`
}

// Credential is what Reset resets.
type Credential string

// The credentials of a person that a vendor may be able to reset.
const (
	CredentialMFA      Credential = "mfa"
	CredentialPassword Credential = "password"
)

// Base refuses everything. An adapter embeds it and overrides what its vendor
// can do, so that a method nobody wrote is ErrUnsupported and not success.
type Base struct{ V *Vendor }

func (b Base) refuse(name CapabilityName, op string) error {
	return b.V.Refuse(name, op)
}

// Check implements Provisioner.
func (b Base) Check(context.Context) (Identity, error) {
	return Identity{}, b.refuse(CanListUsers, "check")
}

// Users implements Provisioner.
func (b Base) Users(context.Context, Filter) iter.Seq2[User, error] {
	return func(yield func(User, error) bool) { yield(User{}, b.refuse(CanListUsers, "list users")) }
}

// User implements Provisioner.
func (b Base) User(context.Context, string) (User, error) {
	return User{}, b.refuse(CanListUsers, "get user")
}

// CreateUser implements Provisioner.
func (b Base) CreateUser(context.Context, UserSpec) (User, error) {
	return User{}, b.refuse(CanCreateUser, "create user")
}

// UpdateUser implements Provisioner.
func (b Base) UpdateUser(context.Context, string, UserPatch) (User, bool, error) {
	return User{}, false, b.refuse(CanUpdateUser, "update user")
}

// DeleteUser implements Provisioner.
func (b Base) DeleteUser(context.Context, string) (Removal, error) {
	return Removal{}, b.refuse(CanDeleteUser, "delete user")
}

// Roles implements Provisioner.
func (b Base) Roles(context.Context) ([]Role, error) {
	return nil, b.refuse(CanListRoles, "list roles")
}

// ChangeRoles implements Provisioner.
func (b Base) ChangeRoles(context.Context, string, RoleChange) (RoleResult, error) {
	return RoleResult{}, b.refuse(CanChangeRoles, "change roles")
}

// Reset implements Provisioner.
func (b Base) Reset(_ context.Context, _ string, what Credential) error {
	if what == CredentialPassword {
		return b.refuse(CanResetPassword, "reset password")
	}
	return b.refuse(CanResetMFA, "reset second factor")
}
