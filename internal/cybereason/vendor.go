// Package cybereason manages the users of a Cybereason console over its REST
// API, signed in as one of them with the console's own sign-in form.
//
// It manages accounts and the roles in them. Sensor groups are passed on as
// they are, and nothing here changes anybody's password or second factor.
package cybereason

import (
	"context"
	"net/url"
	"time"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// name is the vendor's name in messages.
const name = "cybereason"

// about is what is special, for the help.
const about = `A new user needs a first password: --password with a reference, or
--generate-password. A user is written as a whole, so edrctl reads, changes
and writes back. responder_l2 excludes some roles and wants a second factor.`

// Vendor describes this adapter.
func Vendor() provision.Vendor {
	return provision.Vendor{
		Name:         name,
		Title:        "Cybereason Defense Platform",
		About:        about,
		Settings:     settings(),
		Options:      options(),
		Capabilities: capabilities(),
		// Nothing is published about what a console bears, and a write is a
		// read, a change and a read again.
		InFlight:     1,
		ReadsBack:    true,
		ListsPending: true,
		AdminRoles:   []string{userAdmin, systemAdmin},
		PasswordRule: passwordRule(),
		PlanRoles:    planRoles,
		CheckSpec:    checkSpec,
		ByHand:       "in the console, among its users",
		CloudHosts:   []string{"cybereason.net"},
		New:          New,
	}
}

func settings() []provision.Setting {
	return []provision.Setting{
		{Name: "url", Required: true, Address: true, Help: "address of the console, such as https://acme.cybereason.net:8443"},
		{Name: "username", Required: true, Help: "console user to sign in as; it needs the role user_admin and a password of its own, not single sign-on"},
		{Name: "password", Required: true, Secret: true, Help: "password of that user"},
		{Name: "totp-secret", Secret: true, Help: "second-factor key of that user, in base32, if the console asks for a code"},
	}
}

func capabilities() map[provision.CapabilityName]provision.Capability {
	native := func(note string) provision.Capability {
		return provision.Capability{Level: provision.Native, Note: note}
	}
	unsupported := func(note string) provision.Capability {
		return provision.Capability{Level: provision.Unsupported, Note: note}
	}
	return map[provision.CapabilityName]provision.Capability{
		provision.CanListUsers:  native("the console does not say who is locked or when somebody signed in last"),
		provision.CanCreateUser: native("with a first password, which somebody has to pass on: no invitation is mailed"),
		provision.CanUpdateUser: native("vendor options only; an account cannot be renamed"),
		provision.CanDeleteUser: native("there is no way to disable an account instead"),
		provision.CanListRoles:  native("the published roles; a console may have more, which are kept, and given as id:VALUE"),
		provision.CanChangeRoles: native(
			"all of a change at once; the whole record is read, changed and written back"),
		provision.CanExpireRoles: unsupported("roles of Cybereason have no end"),
		provision.CanResetMFA: unsupported(
			"the API has no such operation; a user administrator resets the key in the console"),
		provision.CanResetPassword: unsupported(
			"the API mails no reset and would need the new password; set one in the console, with a change at the next sign-in"),
		provision.CanStoreName:    unsupported("Cybereason knows its users by e-mail address only"),
		provision.CanStorePhone:   unsupported("Cybereason keeps no phone numbers"),
		provision.CanDryRunCreate: unsupported("the API cannot check a new user without creating it"),
	}
}

// adapter is one tenant.
type adapter struct {
	provision.Base
	cfg     provision.Config
	session *session
	api     *api
	memo    memo
}

// New makes the adapter for one tenant. It sends nothing.
func New(_ context.Context, cfg provision.Config) (provision.Provisioner, error) {
	origin, err := url.Parse(cfg.Setting("url"))
	if err != nil || origin.Host == "" || origin.User != nil || origin.RawQuery != "" || origin.Fragment != "" ||
		origin.Scheme != "https" && origin.Scheme != "http" {
		return nil, provision.Usagef("url is not an address such as https://acme.cybereason.net")
	}
	key, err := newFactor(cfg.Secrets["totp-secret"])
	if err != nil {
		return nil, err
	}
	http := transport.New(transport.Options{Vendor: name, Config: cfg, Origin: origin})
	v := Vendor()
	s := newSession(cfg, http, key)
	return &adapter{Base: provision.Base{V: &v}, cfg: cfg, session: s, api: &api{http: http, session: s}}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
