package config

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"edrctl/internal/provision"
)

// Tenant is one console as configured. It is safe for concurrent use.
type Tenant struct {
	Name string
	// Vendor is the adapter's description.
	Vendor provision.Vendor
	// Timeout ends one attempt of one request; MaxWait is the longest one
	// request waits for a throttling vendor.
	Timeout, MaxWait time.Duration
	// RequestsPerMinute is 0 for the vendor's own limit.
	RequestsPerMinute int

	file    *File
	layers  layers
	secrets map[string]secretSource

	mu sync.Mutex
	// resolved are the secrets once they are fetched.
	resolved map[string]provision.Secret
}

// newTenant merges what the file, the environment, the flags and the defaults
// say of a tenant. It returns nil, and a fault, if its vendor is not known.
func (f *File) newTenant(r *reader, s *section, env map[string]string) *Tenant {
	t := &Tenant{Name: s.name, file: f, layers: newLayers(), secrets: map[string]secretSource{}}
	t.add(r, provision.Setting{Name: keyVendor}, s, env)
	vendor := t.layers.get(keyVendor)
	known, ok := f.catalog.vendor(vendor)
	switch {
	case vendor == "":
		r.fault(s.line, "tenant %s has no vendor; it is one of %s", s.name, strings.Join(f.catalog.vendorNames(), ", "))
		return nil
	case !ok:
		r.add(t.layers.source(keyVendor), keyVendor, unknown("vendor", vendor, f.catalog.vendorNames()))
		return nil
	}
	t.Vendor = known
	r.checkKeys(s, t.Vendor, f.catalog)
	for _, setting := range settings(t.Vendor)[1:] {
		t.add(r, setting, s, env)
	}
	// These are checked; a value with a fault ends Load.
	t.Timeout, _ = time.ParseDuration(t.layers.get(keyTimeout))
	t.MaxWait, _ = time.ParseDuration(t.layers.get(keyMaxWait))
	t.RequestsPerMinute, _ = strconv.Atoi(t.layers.get(keyPerMinute))
	if fault := t.checkInsecure(); fault != "" {
		r.add(t.layers.source(keyInsecure), keyInsecure, fault)
	}
	return t
}

// add puts the values of one setting into their layers.
func (t *Tenant) add(r *reader, setting provision.Setting, s *section, env map[string]string) {
	key, name := setting.Name, variable(t.Name, setting.Name)
	inFile, inEnv := s.values[key], env[key]
	if setting.Secret {
		t.addSecret(r, key, inFile, inEnv)
		return
	}
	check := func(source, text string) {
		if fault := checkValue(setting, text); fault != "" {
			r.add(source, key, key+" "+fault)
		}
	}
	if setting.Default != "" {
		t.layers.setDefault(key, setting.Default)
	}
	if inFile.text != "" {
		check(t.file.place(inFile.line), inFile.text)
		t.layers.setFile(key, inFile.text, t.file.place(inFile.line))
	}
	if inEnv != "" {
		check(sourceEnv(name), inEnv)
		t.layers.setEnv(key, inEnv, name)
	}
	if text, ok := t.file.env.Flags[key]; ok && (key == keyTimeout || key == keyMaxWait) {
		check(sourceFlag, text)
		t.layers.setFlag(key, text)
	}
}

// Setting is the value of a setting that is no secret, defaults filled in.
func (t *Tenant) Setting(key string) string { return t.layers.get(key) }

// Address is what names the tenant's host: a URL, a host or a region.
func (t *Tenant) Address() string {
	if address := t.layers.get(keyURL); address != "" {
		return address
	}
	for _, s := range t.Vendor.Settings {
		if !s.Address {
			continue
		}
		for _, name := range append([]string{s.Name}, t.group(s.OneOf)...) {
			if value := t.layers.get(name); value != "" {
				return value
			}
		}
	}
	return ""
}

// URL is where the tenant's API is. Where only asking the vendor finds that
// out, it is Address.
func (t *Tenant) URL() string {
	if t.layers.get(keyURL) == "" && t.Vendor.URL != nil {
		if address := t.Vendor.URL(t.layers.get); address != "" {
			return address
		}
	}
	return t.Address()
}

func (t *Tenant) insecure() bool {
	on, err := strconv.ParseBool(t.layers.get(keyInsecure))
	return on && err == nil
}

// checkInsecure refuses to trust every certificate of a vendor's own cloud,
// which has good ones. An address that is a word of a list, such as a region,
// names a host there.
func (t *Tenant) checkInsecure() string {
	if !t.insecure() {
		return ""
	}
	const refused = "insecure-skip-verify is refused for the vendor's own cloud; for a proxy that opens TLS, set ca-file to its authority"
	hosts := 0
	for _, s := range t.Vendor.Settings {
		address := t.layers.get(s.Name)
		if s.Secret || address == "" || len(s.Values) > 0 || s.Name != keyURL && !s.Address {
			continue
		}
		hosts++
		if u, err := url.Parse(withScheme(address)); err != nil || inDomain(u.Hostname(), t.Vendor.CloudHosts) {
			return refused
		}
	}
	if hosts == 0 && len(t.Vendor.CloudHosts) > 0 {
		return refused
	}
	return ""
}

// Check reports what is missing, and what may not be used as configured. It
// fetches no secret.
func (t *Tenant) Check() error { return t.missing().err() }

func (t *Tenant) missing() Faults {
	var faults Faults
	add := func(format string, args ...any) {
		faults = append(faults, Fault{Where: "tenant " + t.Name, Message: fmt.Sprintf(format, args...)})
	}
	groups := map[string]bool{}
	for _, s := range t.Vendor.Settings {
		if !s.Required || t.has(s.Name) || groups[s.OneOf] {
			continue
		}
		names := []string{s.Name}
		if s.OneOf != "" {
			names = t.group(s.OneOf)
			groups[s.OneOf] = true
			if slices.ContainsFunc(names, t.has) {
				continue
			}
		}
		add("%s is missing; set it in the file or as %s", strings.Join(names, " or "), variable(t.Name, names[0]))
	}
	if t.has(keyClientCert) != t.has(keyClientKey) {
		add("%s and %s go together", keyClientCert, keyClientKey)
	}
	for _, key := range slices.Sorted(maps.Keys(t.secrets)) {
		if ref := t.secrets[key].ref; ref != nil && ref.kind == refExec {
			if err := t.file.mayRunHelpers(); err != nil {
				add("%s: %v", key, err)
			}
		}
	}
	return faults
}

// has reports whether a setting or secret has a value.
func (t *Tenant) has(key string) bool {
	_, secret := t.secrets[key]
	return secret || t.layers.get(key) != ""
}

// group are the settings one of which is needed.
func (t *Tenant) group(name string) []string {
	var names []string
	for _, s := range t.Vendor.Settings {
		if s.OneOf == name && name != "" {
			names = append(names, s.Name)
		}
	}
	return names
}

// Resolve checks the tenant, fetches its secrets, and returns what an adapter
// needs. Secrets are fetched once; asking again gives the same.
func (t *Tenant) Resolve(ctx context.Context) (map[string]string, map[string]provision.Secret, error) {
	if err := t.Check(); err != nil {
		return nil, nil, err
	}
	values := map[string]string{}
	for _, s := range t.Vendor.Settings {
		if value := t.layers.get(s.Name); !s.Secret && value != "" {
			values[s.Name] = value
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resolved == nil {
		secrets := map[string]provision.Secret{}
		for _, key := range t.SecretKeys() {
			source, ok := t.secrets[key]
			if !ok {
				continue
			}
			secret, err := t.file.fetch(ctx, source, key+" of tenant "+t.Name)
			if err != nil {
				return nil, nil, usage(fmt.Sprintf("tenant %s: %s", t.Name, key), err)
			}
			secrets[key] = secret
		}
		t.resolved = secrets
	}
	return values, maps.Clone(t.resolved), nil
}

// SecretKeys are the keys of the vendor's secrets, in its order.
func (t *Tenant) SecretKeys() []string {
	var keys []string
	for _, s := range t.Vendor.Settings {
		if s.Secret {
			keys = append(keys, s.Name)
		}
	}
	return keys
}
