// Package provisiontest holds adapters to the promises of provision.Provisioner:
// Run is the contract as tests, Console connects it to a vendor's mock, and Fake
// is an adapter without a vendor for the tests of higher layers.
//
// It judges an adapter by what its console receives and by what callers get,
// and knows nothing of how a vendor does things.
package provisiontest

import (
	"testing"
	"time"

	"edrctl/internal/provision"
)

// Target is an adapter under test and what the suite must know of the console
// behind it.
type Target struct {
	// Vendor describes the adapter.
	Vendor *provision.Vendor
	// Open makes a console in its default state and connects to it. Each case
	// opens its own.
	Open func(t *testing.T) *Tenant

	// Listed are the logins of everybody in the default state whom the vendor
	// lists, as the vendor spells them; at least three.
	Listed []string
	// Plain is one of them in lower case: an active person whose direct roles
	// can be replaced and whose account can be deleted, without temporary or
	// inherited roles.
	Plain string
	// Mixed is another one, spelled with capitals by the vendor, whose roles
	// can be replaced too.
	Mixed string
	// Holder is one who holds HolderRoles, and no other direct roles.
	Holder      string
	HolderRoles []string
	// Inheritor holds InheritedRole through a group and not directly; empty
	// where the default state has no such person.
	Inheritor, InheritedRole string

	// RoleA and RoleB can be given to anybody, also together. Ids and names are
	// those of Provisioner.Roles.
	RoleA, RoleB provision.Role
	// UnknownRole is an id in the vendor's form that no role has.
	UnknownRole string
	// OneRole is true where a person can hold one direct role only.
	OneRole bool

	// NewLogin returns a login nobody has, a different one each time. By
	// default it is at example.com.
	NewLogin func() string
	// Spec describes a person to create. By default it has RoleA and whatever
	// the vendor can store or asks for.
	Spec func(login string) provision.UserSpec
	// Patch is a change of one detail that Plain does not have yet. By default
	// it is a first name, or a phone number where names are not stored. Vendors
	// that store neither name one option.
	Patch provision.UserPatch
	// Password is the value of Spec's password if Spec is given; it must not
	// turn up in anything that is returned.
	Password string
}

// Tenant is one console and an adapter that is connected to it.
type Tenant struct {
	// P is connected with good credentials.
	P provision.Provisioner
	// Connect makes another adapter for the same console, after tweak, if not
	// nil, has changed its configuration.
	Connect func(tweak func(c *provision.Config)) provision.Provisioner
	// Secrets are values that must not turn up in anything that is returned,
	// logged or printed.
	Secrets func() []string
	// Output is everything the adapters have logged.
	Output func() string

	// Requests is how many requests the console has received, signing in
	// included, and Changes are those among them that may change something,
	// oldest first.
	Requests func() []string
	Changes  func() []string
	// Disturb orders a fault. Faults are carried out in the order in which they
	// fit. Disturbed is how many requests have been disturbed.
	Disturb   func(f Fault)
	Disturbed func() int
	// AfterChange calls f after each changing request is carried out, before
	// the adapter sees the answer; requests of other adapters count as well.
	// With nil it stops.
	AfterChange func(f func())
	// ExpireSessions makes the console forget who is signed in.
	ExpireSessions func()

	// PageSize makes the console list at most n items on a page; nil where it
	// has no pages.
	PageSize func(n int)
	// Forbid takes the permission to manage users from the credentials; where
	// nil, the suite has changes refused one by one.
	Forbid func()
	// Activate takes up an invitation; nil where there are none.
	Activate func(login string) error
	// Twins makes two users whose logins differ in case only and returns one of
	// the logins; nil where the console cannot hold them.
	Twins func() string
}

// Fault is what goes wrong with the next requests that fit.
type Fault struct {
	// Reads makes it fit every request; otherwise it fits changes only.
	Reads bool
	// Skip lets that many that fit pass first.
	Skip int
	// Count is how many are disturbed: one when zero, all when negative.
	Count  int
	Effect Effect
	// Wait is how long a throttled vendor asks to wait, in whole seconds.
	Wait time.Duration
}

// Effect is what a fault does to a request.
type Effect string

// The effects of faults.
const (
	// Cut carries the request out and closes the connection.
	Cut Effect = "cut"
	// Truncate carries it out and closes the connection within the answer.
	Truncate Effect = "truncate"
	// BadGateway carries it out and answers 502.
	BadGateway Effect = "bad-gateway"
	// Refuse answers that a permission is missing.
	Refuse Effect = "refuse"
	// Throttle answers that there were too many requests.
	Throttle Effect = "throttle"
	// Unplug closes the connection before anything is carried out.
	Unplug Effect = "unplug"
)
