package config

import (
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// envPrefix begins the variables that are edrctl's.
const envPrefix = "EDRCTL_"

// The variables that belong to no tenant.
const (
	envConfig         = envPrefix + "CONFIG"
	envDefaultTenants = envPrefix + "DEFAULT_TENANTS"
	envSessionCache   = envPrefix + "SESSION_CACHE"
	envOutput         = envPrefix + "OUTPUT"
)

func ownVariables() map[string]string {
	return map[string]string{
		envConfig: "", envDefaultTenants: keyDefaultTenants, envSessionCache: keySessionCache, envOutput: keyOutput,
	}
}

// variables are the environment by name.
type variables map[string]string

func newVariables(environ []string) variables {
	vars := variables{}
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			continue
		}
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		if _, twice := vars[name]; !twice {
			vars[name] = value
		}
	}
	return vars
}

// get returns a variable; one that is set to nothing counts as not set.
func (v variables) get(name string) (string, bool) {
	if runtime.GOOS == "windows" {
		name = strings.ToUpper(name)
	}
	value := v[name]
	return value, value != ""
}

// variable is the name of the variable of a tenant's key.
func variable(tenant, key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(tenant+"_"+key, "-", "_"))
}

// split takes the name of a variable apart: the key is the longest known one at
// its end, what is left names the tenant.
func (c *catalog) split(name string) (tenant, key string, ok bool) {
	rest, found := strings.CutPrefix(name, envPrefix)
	if !found || rest != strings.ToUpper(rest) {
		return "", "", false
	}
	rest = strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
	for known := range c.secret {
		left, found := strings.CutSuffix(rest, "-"+known)
		if found && len(known) > len(key) && validTenant(left) {
			tenant, key = left, known
		}
	}
	if key == "" || variable(tenant, key) != name {
		return "", "", false
	}
	return tenant, key, true
}

// validTenant reports whether a tenant may have this name.
func validTenant(name string) bool {
	for i, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && (c != '-' || i == 0) {
			return false
		}
	}
	return name != ""
}

// tenantVariables are the values of tenants that the environment gives, by
// tenant and key, and the variables that fit none.
func (c *catalog) tenantVariables(vars variables) (values map[string]map[string]string, odd []string) {
	values = map[string]map[string]string{}
	own := ownVariables()
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		value, set := vars.get(name)
		if _, isOwn := own[name]; !set || isOwn || !strings.HasPrefix(name, envPrefix) {
			continue
		}
		tenant, key, ok := c.split(name)
		if !ok {
			odd = append(odd, name)
			continue
		}
		if values[tenant] == nil {
			values[tenant] = map[string]string{}
		}
		values[tenant][key] = value
	}
	return values, odd
}

// searchPath are the absolute folders of PATH. Relative ones, and "" for the
// working folder, would let whoever owns that folder choose the program.
func (v variables) searchPath() []string {
	var folders []string
	path, _ := v.get("PATH")
	for _, folder := range filepath.SplitList(path) {
		if filepath.IsAbs(folder) {
			folders = append(folders, folder)
		}
	}
	return folders
}
