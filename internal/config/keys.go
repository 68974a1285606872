package config

import (
	"fmt"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// The keys every tenant takes.
const (
	keyVendor     = "vendor"
	keyCAFile     = "ca-file"
	keyClientCert = "client-cert"
	keyClientKey  = "client-key"
	keyProxy      = "proxy"
	keyTimeout    = "timeout"
	keyMaxWait    = "max-wait"
	keyInsecure   = "insecure-skip-verify"
	keyPerMinute  = "requests-per-minute"
	keyURL        = "url"
)

// The keys of the file itself.
const (
	keyVersion        = "version"
	keyDefaultTenants = "default-tenants"
	keySessionCache   = "session-cache"
	keyOutput         = "output"
	keyPlaintext      = "allow-plaintext-secrets"
	keyTenants        = "tenants"
	keyRoles          = "roles"
	keyGuards         = "guards"
	keyProtected      = "protected"
	keyMaxDeletes     = "max-deletes"
)

func commonSettings() []provision.Setting {
	return []provision.Setting{
		{Name: keyVendor, Help: "the product", Required: true},
		{Name: keyCAFile, Help: "PEM file of the authorities to trust instead of the system's"},
		{Name: keyClientCert, Help: "PEM file of a client certificate"},
		{Name: keyClientKey, Help: "PEM file of its key, readable by the user only"},
		{Name: keyProxy, Help: "address of a proxy, such as http://proxy.example:3128"},
		{Name: keyTimeout, Help: "limit for one attempt of one request", Default: "30s"},
		{Name: keyMaxWait, Help: "longest wait for a vendor that throttles", Default: "2m"},
		{Name: keyInsecure, Help: "trust every certificate", Default: "false"},
		{Name: keyPerMinute, Help: "limit of requests per minute; 0 for the vendor's own", Default: "0"},
	}
}

// catalog is what keys the tenants of each vendor take.
type catalog struct {
	vendors []provision.Vendor
	// secret has the name of every key of every vendor, true for secrets.
	secret map[string]bool
}

func newCatalog(vendors []provision.Vendor) *catalog {
	c := &catalog{vendors: vendors, secret: map[string]bool{}}
	for _, s := range commonSettings() {
		c.secret[s.Name] = false
	}
	for _, v := range vendors {
		for _, s := range v.Settings {
			c.secret[s.Name] = c.secret[s.Name] || s.Secret
		}
	}
	return c
}

func (c *catalog) vendor(name string) (provision.Vendor, bool) {
	i := slices.IndexFunc(c.vendors, func(v provision.Vendor) bool { return v.Name == name })
	if i < 0 {
		return provision.Vendor{}, false
	}
	return c.vendors[i], true
}

func (c *catalog) vendorNames() []string {
	var names []string
	for _, v := range c.vendors {
		names = append(names, v.Name)
	}
	return names
}

// settings are the keys of a vendor's tenants, the common ones around its own.
func settings(v provision.Vendor) []provision.Setting {
	common := commonSettings()
	return slices.Concat(common[:1], v.Settings, common[1:])
}

func settingNames(list []provision.Setting) []string {
	var names []string
	for _, s := range list {
		names = append(names, s.Name)
	}
	return names
}

// unknown words the fault of a name that is none of the known ones.
func unknown(what, name string, known []string) string {
	if near := provision.Nearest(known, name); near != "" {
		return fmt.Sprintf("unknown %s %q; did you mean %q?", what, name, near)
	}
	if len(known) == 0 {
		return fmt.Sprintf("unknown %s %q; there is none", what, name)
	}
	return fmt.Sprintf("unknown %s %q; known are %s", what, name, strings.Join(known, ", "))
}
