// Package crowdstrike manages the users of a CrowdStrike Falcon tenant. It
// speaks the User Management API with OAuth2 client credentials, in its present
// form and, where that is missing, in the one before it.
//
// It manages accounts and their direct roles. Groups and profiles that give
// roles are shown and left alone.
package crowdstrike

import (
	"context"
	"net/url"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// name is the vendor's name in messages.
const name = "crowdstrike"

// inFlight is how many requests a tenant is sent at once.
const inFlight = 16

// perMinute keeps the requests of one run below the 6,000 in a sliding minute
// that all clients of a tenant share.
const perMinute = 5800

// about is what is special, for the help.
const about = `A user has a home CID and may hold roles in others. Role changes concern the
home CID, or --set crowdstrike.cid=CID. Roles come by a second request after
the account. They can be given for a limited time.`

// Vendor describes this adapter.
func Vendor() provision.Vendor {
	return provision.Vendor{
		Name:         name,
		Title:        "CrowdStrike Falcon",
		About:        about,
		Settings:     settings(),
		Options:      options(),
		Capabilities: capabilities(),
		InFlight:     inFlight,
		ListsPending: true,
		LastLogins:   true,
		AdminRoles:   []string{"falconhost_admin", "user_admin"},
		PlanRoles:    planRoles,
		CheckSpec: func(spec provision.UserSpec) error {
			_, err := cidOption(spec.Options)
			return err
		},
		URL: func(setting func(string) string) string {
			r, _ := regionNamed(setting("region"))
			return r.address()
		},
		ByHand:     "in the console, under user management",
		CloudHosts: []string{"crowdstrike.com", "crowdstrike.mil"},
		New:        New,
	}
}

func settings() []provision.Setting {
	values := []string{regionAuto}
	for _, r := range regions() {
		values = append(values, r.name)
	}
	return []provision.Setting{
		{Name: "url", OneOf: "address", Required: true, Address: true, Help: "address of the API; takes precedence over region"},
		{
			Name: "region", OneOf: "address", Required: true, Default: regionAuto, Values: values,
			Help: "cloud the tenant lives in; auto finds it out, but not for the government clouds",
		},
		{Name: "client-id", Required: true, Help: "id of an API client with the scope User management: Read and Write"},
		{Name: "client-secret", Required: true, Secret: true, Help: "secret of the API client"},
		{Name: "member-cid", Help: "child CID to work in (Flight Control), with or without the checksum"},
		{
			Name: "api", Default: apiAuto, Values: []string{apiAuto, apiModern, apiLegacy},
			Help: "operations to use: auto takes the modern ones, and the legacy ones where those do not exist",
		},
	}
}

func options() []provision.Option {
	return []provision.Option{{
		Name: "cid", Kind: provision.KindString, OnCreate: true, OnRoles: true,
		Help: "CID in which the account is made, or the roles are held; by default the user's home CID",
	}}
}

func capabilities() map[provision.CapabilityName]provision.Capability {
	native := func(note string) provision.Capability {
		return provision.Capability{Level: provision.Native, Note: note}
	}
	return map[provision.CapabilityName]provision.Capability{
		provision.CanListUsers:  native("roles cost one request per user; the legacy API does not tell inherited roles from direct ones"),
		provision.CanCreateUser: native("Falcon mails an activation request, except where single sign-on is set up; roles are given by a second request"),
		provision.CanUpdateUser: native("first and last name only; an e-mail address cannot be changed"),
		provision.CanDeleteUser: native("there is no way to disable an account instead"),
		provision.CanListRoles:  native(""),
		provision.CanChangeRoles: native(
			"direct roles in one CID, by default the user's home CID; roles from groups are changed in the console"),
		provision.CanExpireRoles:   native("not with the legacy API"),
		provision.CanResetMFA:      native("not with the legacy API"),
		provision.CanResetPassword: native("starts a reset by mail; not with the legacy API"),
		provision.CanStoreName:     native(""),
		provision.CanStorePhone:    {Level: provision.Unsupported, Note: "Falcon keeps no phone numbers"},
		provision.CanDryRunCreate:  native("the legacy API can only look whether the login is taken"),
	}
}

// adapter is one tenant.
type adapter struct {
	provision.Base
	cfg provision.Config
	api *api
	// families says which operations are in use.
	families *choice
}

// New makes the adapter for one tenant. It sends nothing.
func New(_ context.Context, cfg provision.Config) (provision.Provisioner, error) {
	origin, discover, err := address(cfg)
	if err != nil {
		return nil, err
	}
	member := ""
	if text := cfg.Setting("member-cid"); text != "" {
		if member, err = parseCID(text); err != nil {
			return nil, provision.Usagef("member-cid %v", err)
		}
	}
	families, err := newChoice(cfg.Setting("api"))
	if err != nil {
		return nil, err
	}
	key := "url"
	if cfg.Setting("url") == "" {
		key = "region"
	}
	http := transport.New(transport.Options{
		Vendor: name, Config: cfg, Origin: origin, OriginKey: key, PerMinute: perMinute, Throttle: newThrottle(),
	})
	v := Vendor()
	return &adapter{
		Base: provision.Base{V: &v}, cfg: cfg, families: families,
		api: &api{http: http, session: newSession(cfg, http, discover, member), families: families},
	}, nil
}

// address is where to begin, and whether the region is still to be found.
func address(cfg provision.Config) (origin *url.URL, discover bool, err error) {
	if text := cfg.Setting("url"); text != "" {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
			u.Scheme != "https" && u.Scheme != "http" {
			return nil, false, provision.Usagef("url is not an address such as https://api.crowdstrike.com")
		}
		return u, false, nil
	}
	wanted := cfg.Setting("region")
	if wanted == "" || wanted == regionAuto {
		return regions()[0].url(), true, nil
	}
	r, ok := regionNamed(wanted)
	if !ok {
		return nil, false, provision.Usagef("there is no region %q", wanted)
	}
	return r.url(), false, nil
}

// cidOption is the option cid in the form the API wants, empty without one.
func cidOption(o provision.Options) (string, error) {
	text := o["cid"]
	if text == "" {
		return "", nil
	}
	cid, err := parseCID(text)
	if err != nil {
		return "", provision.Usagef("option %s.cid %v", name, err)
	}
	return cid, nil
}
