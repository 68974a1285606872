package carbonblack

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"edrctl/internal/mock"
)

// choice is a switch: its value at the start and the values it takes.
type choice struct {
	name, initial, help string
	ok                  func(value string) bool
}

func choices() []choice {
	return []choice{
		{"instant-activation", "off", "off, on: invited users are active at once; with-id: and the answer names the login", oneOf("off", "on", "with-id")},
		{"duplicate-status", "409", "status of the answer for an address that is taken: 409, 201, 200", oneOf("409", "201", "200")},
		{"duplicate-code", "ADMIN_ALREADY_REGISTERED", "its registration status: ADMIN_ALREADY_REGISTERED, REGISTRATION_ALREADY_CONFIRMED", oneOf("ADMIN_ALREADY_REGISTERED", "REGISTRATION_ALREADY_CONFIRMED")},
		{"rejected-status", "201", "status of the answer for an address that is turned down: 201, 200, 400", oneOf("201", "200", "400")},
		{"create-failure", "off", "off, or a registration status that creates end with, as STATUS or STATUS:TIMES", matches(`^(off|[A-Z_]+(:[1-9][0-9]*)?)$`)},
		{"error-message-on-2xx", "off", "off; reads, writes, all: answer those with 200 and errorMessage and do nothing, as WHICH or WHICH:TIMES", matches(`^(off|(reads|writes|all)(:[1-9][0-9]*)?)$`)},
		{"modified-by-another", "version", "version: modifying an outdated row is refused; never; a number: so many modifications are refused", matches(`^(version|never|[1-9][0-9]*)$`)},
		{"delete-user-fails-once", "off", "off; on: the next user to be deleted is not, with 500", oneOf("off", "on")},
		{"null-lists", "off", "off; on: empty roles and profiles are null", oneOf("off", "on")},
		{"grant-form", "as-sent", "grant of an activated user: as-sent, roles, profiles", oneOf("as-sent", "roles", "profiles")},
		{"grant-expires-form", "int", "expires of a grant: int, datetime", oneOf("int", "datetime")},
		{"profile-expiration-form", "as-sent", "expiration of a profile: as-sent, int, datetime", oneOf("as-sent", "int", "datetime")},
		{"grant-create-status", "201", "status after creating a grant or profile: 201, 200", oneOf("201", "200")},
		{"empty-roles-put", "accept", "grants and profiles without any role: accept, reject", oneOf("accept", "reject")},
		{"mixed-grants", "reject", "grants with both roles and profiles: reject, accept", oneOf("reject", "accept")},
		{"fetch-limit", "100", "most principals in one fetch of grants; 0 is no limit", matches(`^[0-9]{1,6}$`)},
		{"permission", "full", "what the key may manage: full, users, roles, none", oneOf("full", "users", "roles", "none")},
		{"role-scope", "all", "roles the key may assign: all, none, or URNs with commas between", validScope},
		{"role-check", "added", "roles of a grant that the key must be allowed to assign: added, all", oneOf("added", "all")},
		{"results-key", "urn", "how permitted roles name the organisation: urn, bare", oneOf("urn", "bare")},
		{"rate-penalty", "on", "on: a request before the end of Retry-After is refused and prolongs it; off", oneOf("on", "off")},
		{"error-key", "message", "where errors have their text: message, description, error_code, errorMessage, error, text (no JSON)", oneOf("message", "description", "error_code", "errorMessage", "error", "text")},
	}
}

func oneOf(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

func matches(pattern string) func(string) bool { return regexp.MustCompile(pattern).MatchString }

func validScope(v string) bool {
	if v == "all" || v == "none" {
		return true
	}
	return !slices.ContainsFunc(strings.Split(v, ","), func(urn string) bool { return !validRole(urn) })
}

func initialSwitches() map[string]string {
	values := map[string]string{}
	for _, c := range choices() {
		values[c.name] = c.initial
	}
	return values
}

func checkSwitch(name, value string) error {
	for _, c := range choices() {
		if c.name != name {
			continue
		}
		if !c.ok(value) {
			return fmt.Errorf("switch %s does not take %q: %s", name, value, c.help)
		}
		return nil
	}
	return fmt.Errorf("no switch %q", name)
}

// Set turns a switch.
func (s *server) Set(name, value string) error {
	if err := checkSwitch(name, value); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.Switches[name] = value
	return nil
}

// Switches lists the switches and how they stand.
func (s *server) Switches() map[string]mock.Switch {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]mock.Switch{}
	for _, c := range choices() {
		out[c.name] = mock.Switch{Value: s.st.Switches[c.name], Help: c.help}
	}
	return out
}

func (s *server) is(name, value string) bool { return s.st.Switches[name] == value }

// status is the value of a switch that holds an HTTP status.
func (s *server) status(name string) int {
	n, _ := strconv.Atoi(s.st.Switches[name])
	return n
}

// spend uses up one of the times of a switch that stands at VALUE:TIMES.
func (s *server) spend(name string) {
	value, times, counted := strings.Cut(s.st.Switches[name], ":")
	if !counted {
		return
	}
	s.st.Switches[name] = "off"
	if left := oneLess(times, ""); left != "" {
		s.st.Switches[name] = value + ":" + left
	}
}

// oneLess counts down, and gives end instead of zero.
func oneLess(times, end string) string {
	n, _ := strconv.Atoi(times)
	if n <= 1 {
		return end
	}
	return strconv.Itoa(n - 1)
}
