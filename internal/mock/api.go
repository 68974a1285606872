// Package mock serves fakes of the vendors' user-management APIs on loopback:
// stateful, with faults to order, a log of requests and a control API. It is
// what `edrctl mock` starts and what the tests of the adapters talk to.
//
// A fake speaks its vendor's language and nothing else. The package and those
// below it import no other package of this module, so that an adapter and the
// fake it is tested against cannot share a mistake.
package mock

import (
	"net/http"
	"time"
)

// Env is what a fake is given to live in.
type Env struct {
	// Now tells the time; never nil.
	Now func() time.Time
	// Plain is true when the fake is served without TLS.
	Plain bool
	// TOTP asks for a second factor at sign-in, where the vendor has one.
	TOTP bool
}

// Maker makes a fake that holds its vendor's default state.
type Maker struct {
	// Vendor is the vendor's name, such as "crowdstrike".
	Vendor string
	// New makes the fake.
	New func(Env) API
	// Aliases are the role aliases that the written configuration defines,
	// each with the roles it stands for at this vendor.
	Aliases map[string][]string
}

// API is one vendor's fake. Its methods may be called from several goroutines
// at once. ServeHTTP answers the vendor's own routes; the frame keeps the
// control API, the faults and the request log away from it.
//
// Two headers of an answer are meant for the frame, which takes them off and
// enters them in the request log: X-Mock-Unknown (any value) marks a route the
// vendor does not have, and each X-Mock-Note is a remark for developers, such
// as a JSON key that was ignored.
type API interface {
	http.Handler

	// Change reports whether a request may change something at the vendor.
	// Signing in changes nothing, and a read sent as POST is a read.
	Change(r *http.Request) bool

	// Fail answers a request with a status as the vendor would, body included.
	// A retryAfter above zero is put where the vendor puts it.
	Fail(w http.ResponseWriter, r *http.Request, status int, retryAfter time.Duration)

	// State returns everything the fake holds, for encoding/json.
	State() any
	// Load replaces everything by what State once returned, as JSON. With nil
	// it goes back to the default state, switches included.
	Load(state []byte) error

	// Activate finishes an invitation as the invited person would.
	Activate(login string) error
	// ExpireSessions makes every token and session handed out so far invalid.
	ExpireSessions()

	// Set turns one of the fake's switches; Switches lists them. A switch
	// chooses between behaviours the vendor's documentation leaves open.
	Set(name, value string) error
	// Switches maps each switch to its present value and a line of help.
	Switches() map[string]Switch

	// Settings returns the keys of a tenant in edrctl's configuration that
	// reach this fake at the given address, which is a URL without a slash at
	// the end. Credentials are included; vendor and ca-file are not.
	Settings(address string) map[string]string
}

// Switch is the present value of a switch and what it does.
type Switch struct {
	Value string `json:"value"`
	Help  string `json:"help"`
}
