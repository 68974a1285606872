// Package cortex manages the people of a Palo Alto Networks Cortex tenant:
// Cortex XDR, XSIAM and Cortex Cloud. It speaks the public API with an API key,
// in the form that Cortex XDR 3.x has and in the one of the platform after it.
//
// The API neither makes nor removes accounts: creating is giving a role to
// somebody who is listed, and deleting is taking all access that can be taken.
// Groups are joined and left, never made or changed.
package cortex

import (
	"context"
	"net/url"
	"strings"
	"sync"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// name is the vendor's name in messages.
const name = "cortex"

// perSecond keeps below the 10 requests a second that a tenant takes over all
// endpoints. (Cortex XDR REST API, Get Started with Cortex XDR APIs.)
const perSecond = 8

// inFlight is how many requests a tenant is sent at once.
const inFlight = 2

// about is what is special, for the help.
const about = `The API makes no accounts and deletes none. Creating gives the role to
somebody who is listed; deleting takes the role, and with the newer API the
groups and the status, and says what remains. A user has one direct role.`

// Vendor describes this adapter.
func Vendor() provision.Vendor {
	return provision.Vendor{
		Name:         name,
		Title:        "Palo Alto Networks Cortex",
		About:        about,
		Settings:     settings(),
		Options:      options(),
		Capabilities: capabilities(),
		InFlight:     inFlight,
		ListsPending: true,
		LastLogins:   true,
		AdminRoles:   []string{instanceAdmin, accountAdmin, "Administrator"},
		PlanRoles:    planRoles,
		URL: func(setting func(string) string) string {
			u, _, err := address(provision.Config{Settings: map[string]string{"fqdn": setting("fqdn")}})
			if err != nil {
				return ""
			}
			return u.String()
		},
		Remains:    remains,
		ByHand:     "in the console under access management, in the Cortex Gateway, or at the identity provider",
		CloudHosts: []string{"paloaltonetworks.com"},
		New:        New,
	}
}

func settings() []provision.Setting {
	return []provision.Setting{
		{
			Name: "fqdn", OneOf: "address", Required: true, Address: true,
			Help: "host of the console, with or without https:// and api-, such as acme.xdr.us.paloaltonetworks.com",
		},
		{Name: "url", OneOf: "address", Required: true, Address: true, Help: "address of the API, used as it is"},
		{Name: "api-key-id", Required: true, Help: "number of the API key"},
		{Name: "api-key", Required: true, Secret: true, Help: "API key; to manage administrators it needs the role Instance Administrator"},
		{
			Name: "key-type", Default: keyAdvanced, Values: []string{keyAdvanced, keyStandard},
			Help: "security level that the API key was made with",
		},
		{
			Name: "generation", Default: auto, Values: []string{auto, xdr3, platform5},
			Help: "xdr3 for Cortex XDR 3.x, platform5 for Cortex XDR 5.x, XSIAM and Cortex Cloud; auto finds it out",
		},
	}
}

const (
	optionGroups = "groups"
	optionHidden = "hidden"
)

func options() []provision.Option {
	return []provision.Option{
		{
			Name: optionGroups, Kind: provision.KindList, OnCreate: true, OnRoles: true,
			Help: "user groups to join, by id or name; memberships that are there stay; not on Cortex XDR 3.x",
		},
		{
			Name: optionHidden, Kind: provision.KindBool, OnUpdate: true,
			Help: "hide the user in the console's list; it does not keep anybody out; not on Cortex XDR 3.x",
		},
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
		provision.CanListUsers: native("the whole tenant in one request; Cortex XDR 3.x tells no status"),
		provision.CanCreateUser: unsupported("the API makes no accounts: invite the person in the Customer Support Portal, " +
			"or have them sign in once through SSO; once listed, they can be given a role"),
		provision.CanUpdateUser: native("not on Cortex XDR 3.x"),
		provision.CanDeleteUser: {
			Level: provision.Emulated,
			Note:  "accounts stay: the direct role is taken and, but for Cortex XDR 3.x, groups are left and the account is disabled",
		},
		provision.CanListRoles: native(
			"Cortex XDR 3.x has no such list: there it is the roles that come with the product and those that somebody holds"),
		provision.CanChangeRoles:   native("one direct role per user; Account Admin is given and taken in the Cortex Gateway only"),
		provision.CanExpireRoles:   unsupported("roles in Cortex do not end by themselves"),
		provision.CanResetMFA:      unsupported("second factors belong to the Customer Support Portal or the identity provider"),
		provision.CanResetPassword: unsupported("passwords belong to the Customer Support Portal or the identity provider"),
		provision.CanStoreName:     native("not on Cortex XDR 3.x"),
		provision.CanStorePhone:    native("not on Cortex XDR 3.x"),
		provision.CanDryRunCreate:  unsupported("accounts are not made through the API"),
	}
}

// adapter is one tenant.
type adapter struct {
	provision.Base
	cfg provision.Config
	api *api
	// recent is the list of people that the next change may begin with.
	recent recent
	// leaving are the administrators whom the guard has let go in this run.
	leaving sync.Map
	// known are the tenant's roles as far as this run has seen them.
	known catalogue
}

// New makes the adapter for one tenant. It sends nothing.
func New(_ context.Context, cfg provision.Config) (provision.Provisioner, error) {
	origin, setting, err := address(cfg)
	if err != nil {
		return nil, err
	}
	k, err := newKey(cfg)
	if err != nil {
		return nil, err
	}
	chosen, err := newChoice(cfg)
	if err != nil {
		return nil, err
	}
	v := Vendor()
	return &adapter{
		Base: provision.Base{V: &v}, cfg: cfg,
		api: &api{
			key: k, chosen: chosen,
			http: transport.New(transport.Options{
				Vendor: name, Config: cfg, Origin: origin, OriginKey: setting, PerSecond: perSecond, Throttle: throttle,
			}),
		},
	}, nil
}

// address is where requests go and the setting that says so. People paste the
// console's address, whose host is that of the API without the prefix api-.
// (Cortex XDR REST API, Get Started with Cortex XDR APIs.)
func address(cfg provision.Config) (origin *url.URL, setting string, err error) {
	setting, text := "url", strings.TrimSpace(cfg.Setting("url"))
	if text == "" {
		setting, text = "fqdn", strings.TrimSpace(cfg.Setting("fqdn"))
		if _, host, ok := strings.Cut(text, "://"); ok {
			text = host
		}
		text = "https://api-" + strings.TrimPrefix(strings.TrimRight(text, "/"), "api-")
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Hostname() == "api-" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && u.Scheme != "http" || setting == "fqdn" && u.Path != "" {
		return nil, "", provision.Usagef("%s is not an address such as acme.xdr.us.paloaltonetworks.com", setting)
	}
	return u, setting, nil
}
