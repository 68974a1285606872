// Package carbonblack manages the users of a Carbon Black Cloud organisation
// through its User Management API and its Access Profiles and Grants API.
//
// It manages accounts and the access they have to one organisation. Access
// profiles that reach further are shown and left alone, and people who were
// invited are out of reach until they activate their account.
package carbonblack

import (
	"context"
	"net/url"
	"strings"
	"sync"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// name is the vendor's name in messages.
const name = "carbonblack"

// inFlight is how many requests a tenant is sent at once. The vendor limits
// requests by address and prolongs a block that is not kept to.
const inFlight = 4

const optAuthMethod = "auth-method"

// about is what is special, for the help.
const about = `People are invited. Until the invitation is taken up they are in no list, and
nothing but waiting can be done with them: the outcome is "invited". Roles are
held in a grant, directly or in access profiles; profiles that reach other
organisations are left alone.`

// Vendor describes this adapter.
func Vendor() provision.Vendor {
	return provision.Vendor{
		Name:  name,
		Title: "Carbon Black Cloud",
		About: about,
		Settings: []provision.Setting{
			{Name: "url", Required: true, Address: true, Help: "address of the console, such as https://defense-prod05.conferdeploy.net"},
			{Name: "org-key", Required: true, Help: "key of the organisation, from Settings > API Access"},
			{Name: "api-id", Required: true, Help: "id of an API key whose access level is of type Custom"},
			{Name: "api-secret", Required: true, Secret: true, Help: "secret of the API key"},
		},
		Options: []provision.Option{{
			Name: optAuthMethod, Kind: provision.KindString, Values: []string{"PASSWORD", "SAML"}, OnCreate: true, OnUpdate: true,
			Help: "how the user signs in",
		}},
		Capabilities: capabilities(),
		InFlight:     inFlight,
		ReadsBack:    true,
		AdminRoles:   adminRoles(),
		PlanRoles:    planRoles,
		ByHand:       "in the console, under Settings > Users",
		CloudHosts:   []string{"confer.net", "conferdeploy.net"},
		New:          New,
	}
}

// adminRoles are the built-in roles that userAdmin recognises.
func adminRoles() []string {
	return []string{
		"psc:role::BETA_SUPER_ADMIN", "psc:role::SUPER_ADMIN", "psc:role::BETA_SYSTEM_ADMIN", "psc:role::SYSTEM_ADMIN",
		"psc:role::ALL_AND_LR", "psc:role::ALL",
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
		provision.CanListUsers:     native("people who were invited are in no list until they activate their account"),
		provision.CanCreateUser:    native("invites by mail; the roles travel with the invitation"),
		provision.CanUpdateUser:    native("an e-mail address cannot be changed"),
		provision.CanDeleteUser:    native("not while the user's grant reaches other organisations"),
		provision.CanListRoles:     native("the roles that the API key may hand out"),
		provision.CanChangeRoles:   native("not in access profiles that reach other organisations"),
		provision.CanExpireRoles:   native("through access profiles; not for a user whose grant holds roles without one"),
		provision.CanResetMFA:      native("Google Authenticator only"),
		provision.CanResetPassword: unsupported("the API has no such call; people reset a password on the sign-in page"),
		provision.CanStoreName:     native(""),
		provision.CanStorePhone:    native(""),
		provision.CanDryRunCreate:  unsupported("the API cannot check an invitation without sending it"),
	}
}

// adapter is one tenant.
type adapter struct {
	provision.Base
	cfg  provision.Config
	api  *api
	seen *memory
	// leaving are the administrators whom the guard has let go in this run.
	leaving sync.Map
}

// New makes the adapter for one tenant. It sends nothing.
func New(_ context.Context, cfg provision.Config) (provision.Provisioner, error) {
	origin, err := address(cfg.Setting("url"))
	if err != nil {
		return nil, err
	}
	k, err := newKey(cfg)
	if err != nil {
		return nil, err
	}
	seen := newMemory()
	client := transport.New(transport.Options{Vendor: name, Config: cfg, Origin: origin, OriginKey: "url"})
	v := Vendor()
	return &adapter{
		Base: provision.Base{V: &v}, cfg: cfg, seen: seen,
		api: &api{http: client, key: k, wrote: seen.forget},
	}, nil
}

// address checks where requests go, and refuses the environments whose users
// live in VMware Cloud Services. (Carbon Black Cloud User Management API,
// Requirements.)
func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && u.Scheme != "http" {
		return nil, provision.Usagef("url is not an address such as https://defense-prod05.conferdeploy.net")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	for domain, environment := range map[string]string{
		"ew2.carbonblackcloud.vmware.com": "Prod UK",
		"carbonblack-us-gov.vmware.com":   "GovCloud (US)",
	} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return nil, &provision.Error{
				Vendor: name, Op: "connect", Kind: provision.ErrUnsupported,
				Message: environment + " has no user management API: its users are managed in VMware Cloud Services",
			}
		}
	}
	return u, nil
}
