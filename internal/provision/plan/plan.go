// Package plan carries out changes. A verb of the command line, a row of a
// file and a difference found by comparing are all the same Change here, and
// Apply is the only code that alters a tenant: what must hold for every change
// (guards, dry run, confirmation, the record of what was done, looking again
// when an answer was lost) is written once, here.
//
// It knows vendors only by what they declare in provision.Vendor.
package plan

import (
	"context"
	"time"

	"edrctl/internal/provision"
)

// Action is what a change does, as it stands in results and in the record.
type Action string

// The actions.
const (
	CreateUser    Action = "user.create"
	UpdateUser    Action = "user.update"
	DeleteUser    Action = "user.delete"
	GrantRoles    Action = "role.grant"
	RevokeRoles   Action = "role.revoke"
	SetRoles      Action = "role.set"
	ResetMFA      Action = "user.reset-mfa"
	ResetPassword Action = "user.reset-password"
)

// Change is one thing to do to one person in one tenant.
type Change struct {
	Tenant string
	Action Action
	// Login is as the user wrote it.
	Login string
	// Spec says what CreateUser makes. Its roles are names, as people write
	// them, or with the prefix id: ids. Its login is ignored.
	Spec provision.UserSpec
	// Patch says what UpdateUser changes.
	Patch provision.UserPatch
	// Roles says what the role actions change. Roles are names, as in Spec.
	Roles provision.RoleChange
	// TakesAll marks a role change that leaves no direct role.
	TakesAll bool
	// IfNotExists makes creating somebody who is there already a success, and
	// IfExists deleting somebody who is not.
	IfNotExists, IfExists bool
	// Converge gives somebody who is there already, and was not when that was
	// looked at, the roles of Spec. It goes with IfNotExists.
	Converge bool
}

// Target is a tenant that changes can name.
type Target struct {
	Tenant      string
	Vendor      *provision.Vendor
	Provisioner provision.Provisioner
	// Roles, if set, keeps the list of roles between runs.
	Roles RoleCache
}

// RoleCache keeps a tenant's list of roles for a while.
type RoleCache interface {
	// Load returns the list, or false if there is none young enough.
	Load() ([]provision.Role, bool)
	Save(roles []provision.Role)
}

// Outcome is how a change ended, in the words that users see.
type Outcome string

// The outcomes.
const (
	Created     Outcome = "created"
	Invited     Outcome = "invited"
	Updated     Outcome = "updated"
	Deleted     Outcome = "deleted"
	Granted     Outcome = "granted"
	Revoked     Outcome = "revoked"
	Unchanged   Outcome = "unchanged"
	Absent      Outcome = "absent"
	Planned     Outcome = "planned"
	Skipped     Outcome = "skipped"
	Stale       Outcome = "stale"
	Unsupported Outcome = "unsupported"
	Failed      Outcome = "failed"
	Unknown     Outcome = "unknown"
)

// Result is how one change ended.
type Result struct {
	Tenant  string
	Vendor  string
	Login   string
	Action  Action
	Outcome Outcome
	// ID is the vendor's id of the user, where it is known.
	ID string
	// RolesAdded and RolesRemoved are ids.
	RolesAdded, RolesRemoved []string
	Residual                 []provision.Residual
	// RequestID is the vendor's id of the last changing request.
	RequestID string
	// Message tells people more; an outcome is complete without it.
	Message string
	// Err says why it failed, or what part of it did.
	Err error
}

// Guards stop a command before it changes anything.
type Guards struct {
	// Protected logins are changed by no command.
	Protected []string
	// MaxDeletes bounds deletions and full revocations of one command
	// together; negative for no bound.
	MaxDeletes int
	// AllowLockout lifts the guard against locking administrators out.
	AllowLockout bool
}

// Journal is the record of changes. Begin is called before a change is sent;
// if it fails, the change is not sent. The function it returns is called with
// how the change ended, and returns what waits until that is written.
type Journal interface {
	// Begin gets the change and the ids of the roles it asks for and of those
	// it names to be taken away. It returns when they are written, behind
	// every end that was handed over before; if one of those could not be
	// written, it fails.
	Begin(c Change, grant, revoke []string) (end func(Result) (written func() error), err error)
}

// Question is what a person must confirm before a command goes on.
type Question struct {
	// Deletes and Revokes are the changes that take everything from somebody,
	// by deleting the account or by revoking all roles.
	Deletes, Revokes []Change
}

// Options say how Apply works.
type Options struct {
	// DryRun reads and reports, and changes nothing.
	DryRun bool
	Guards Guards
	// Confirm, if set, is asked before anything dangerous is changed. An
	// error ends the command.
	Confirm func(ctx context.Context, q Question) error
	// Journal, if set, records every change.
	Journal Journal
	// Stop, once closed, lets what is in flight finish and starts nothing
	// new. Cancelling the context stops at once.
	Stop <-chan struct{}
	// Parallel bounds the changes in flight per tenant; 0 for what the vendor
	// bears.
	Parallel int
	// Done, if set, is called with each result as it comes, one at a time.
	Done func(Result)
	// Looks are the pauses before each look at a change whose answer was
	// lost; nil for three looks over ten seconds.
	Looks []time.Duration
	// Now tells the time; nil for time.Now.
	Now func() time.Time
}
