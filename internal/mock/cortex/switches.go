package cortex

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"edrctl/internal/mock"
)

const (
	on  = "on"
	off = "off"

	genXDR3      = "xdr3"
	genPlatform5 = "platform5"
	keyAdvanced  = "advanced"
	keyStandard  = "standard"

	swGeneration    = "generation"
	swXDR3IAM       = "xdr3-iam-status"
	swKeyType       = "key-type"
	swScopeShape    = "scope-shape"
	swGroupsShape   = "groups-shape"
	swHiddenKey     = "hidden-key"
	swErrorShape    = "error-shape"
	swUpdateCount   = "update-count"
	swUnknownEmail  = "unknown-email"
	swUnknownUser   = "iam-unknown-user"
	swSkewLimit     = "skew-limit"
	swReplay        = "replay"
	swLicence       = "licence"
	swPermission    = "permission"
	swInstanceAdmin = "instance-admin"
	swThrottleAs    = "throttle-as"
	swSlash         = "trailing-slash"
	swResidual      = "sso-residual"
	swClockOffset   = "clock-offset"
	swRoleDuplicate = "role-duplicate"
	swR4Shape       = "R4-shape"
	swSilentRefusal = "set-role-silent-refusal"
	swBusy          = "retries-exhausted"
	swPlain500      = "plain-500"
	swQuotes        = "quotes"
	swGzip          = "gzip"
)

// definition is what a switch may be. The first value is the default; without
// values it is a whole number between low and high, and start the default.
type definition struct {
	name             string
	values           []string
	start, low, high int
	help             string
}

func (d definition) initial() string {
	if d.values == nil {
		return strconv.Itoa(d.start)
	}
	return d.values[0]
}

func definitions() []definition {
	const year = 366 * 24 * 3600
	return []definition{
		{name: swGeneration, values: []string{genPlatform5, genXDR3}, help: "product generation; xdr3 has no /platform/iam"},
		{name: swXDR3IAM, values: []string{"404", "500"}, help: "what xdr3 answers under /platform/iam"},
		{name: swKeyType, values: []string{keyAdvanced, keyStandard}, help: "kind of the API key"},
		{name: swScopeShape, values: []string{"array", "object", "null"}, help: "scope of a user in rbac/get_users"},
		{name: swGroupsShape, values: []string{"strings", "objects", "null"}, help: "groups of a user in rbac/get_users"},
		{name: swHiddenKey, values: []string{"is_hidden", "hidden"}, help: "name of the hidden flag on iam users"},
		{name: swErrorShape, values: []string{"E1", "E2"}, help: "errors of /public_api: under reply with a number, or at the top with a string"},
		{name: swUpdateCount, values: []string{"mixed", "string", "int"}, help: "type of update_count; mixed is the number 0, otherwise a string"},
		{name: swUnknownEmail, values: []string{"skip", "500"}, help: "rbac/set_user_role with an address that is not listed"},
		{name: swUnknownUser, values: []string{"400", "500"}, help: "editing an iam user who is not listed; 500 has no body"},
		{name: swSkewLimit, start: 300, high: year, help: "seconds a timestamp may differ from the fake's clock"},
		{name: swReplay, values: []string{"reject", "accept"}, help: "a nonce that was used before"},
		{name: swLicence, values: []string{on, off}, help: "off: 402"},
		{name: swPermission, values: []string{"full", "viewer", "none"}, help: "what the key may do at most; otherwise 403"},
		{name: swInstanceAdmin, values: []string{on, off}, help: "off: the key is no instance administrator"},
		{name: swThrottleAs, values: []string{"429", "500"}, help: "status of a throttled request"},
		{name: swSlash, values: []string{"both", "with", "without"}, help: "slash at the end of /public_api paths"},
		{name: swResidual, values: []string{off, on}, help: "on: groups given by the identity provider come back after clearing"},
		{name: swClockOffset, low: -year, high: year, help: "seconds the fake's clock and its Date header are ahead"},
		{name: swRoleDuplicate, values: []string{off, on}, help: "on: two roles have the same display name"},
		{name: swR4Shape, values: []string{"array", "data"}, help: "reply of rbac/get_user_group: an array, or an object with data"},
		{name: swSilentRefusal, values: []string{off, on}, help: "on: rbac/set_user_role answers 200 with count 0 and changes nothing"},
		{name: swBusy, high: 1_000_000, help: "the next so many calls answer 500: reached max number of retries"},
		{name: swPlain500, values: []string{off, on}, help: "on: a failure above 499 under /public_api is plain text"},
		{name: swQuotes, values: []string{"plain", "escaped"}, help: "quotes around names in errors: 'x' or \\'x\\'"},
		{name: swGzip, values: []string{off, on}, help: "on: answers are compressed for a client that asks"},
	}
}

func defaultSwitches() map[string]string {
	out := map[string]string{}
	for _, d := range definitions() {
		out[d.name] = d.initial()
	}
	return out
}

// setSwitch checks a value and stores it in its own spelling.
func setSwitch(into map[string]string, name, value string) error {
	all := definitions()
	i := slices.IndexFunc(all, func(d definition) bool { return strings.EqualFold(d.name, name) })
	if i < 0 {
		names := make([]string, len(all))
		for i, d := range all {
			names[i] = d.name
		}
		return fmt.Errorf("no switch %q; there are %s", name, strings.Join(names, ", "))
	}
	d := all[i]
	if d.values == nil {
		n, err := strconv.Atoi(value)
		if err != nil || n < d.low || n > d.high {
			return fmt.Errorf("switch %s: %q is no number from %d to %d", d.name, value, d.low, d.high)
		}
		into[d.name] = strconv.Itoa(n)
		return nil
	}
	for _, v := range d.values {
		if strings.EqualFold(v, value) {
			into[d.name] = v
			return nil
		}
	}
	return fmt.Errorf("switch %s: %q is none of %s", d.name, value, strings.Join(d.values, ", "))
}

// Set turns a switch.
func (f *fake) Set(name, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return setSwitch(f.st.Switches, name, value)
}

// Switches lists the switches.
func (f *fake) Switches() map[string]mock.Switch {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]mock.Switch{}
	for _, d := range definitions() {
		help := d.help
		if d.values != nil {
			help += " (" + strings.Join(d.values, ", ") + ")"
		}
		out[d.name] = mock.Switch{Value: f.st.Switches[d.name], Help: help}
	}
	return out
}

// is reports whether a switch has a value.
func (f *fake) is(name, value string) bool { return f.st.Switches[name] == value }

// number is the value of a switch that counts; Set lets nothing else in.
func (f *fake) number(name string) int {
	n, err := strconv.Atoi(f.st.Switches[name])
	if err != nil {
		return 0
	}
	return n
}
