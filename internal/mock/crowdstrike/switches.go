package crowdstrike

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// choice is a switch: its value at the start and the values it takes.
type choice struct {
	name, initial, help string
	ok                  func(value string) bool
}

func choices() []choice {
	return []choice{
		{"families", "both", "operations the tenant has: both, modern, legacy; the gateway answers 404 to the others", oneOf("both", "modern", "legacy")},
		{"region", "", "value of X-Cs-Region on each answer; empty for no such header. Some clients move to the real cloud of that name", anything},
		{"region-redirect", "", "region name or URL: a request for a token is answered with 308 to there; empty for no", anything},
		{"scope", "full", "what the API client may do with users: full, read, none", oneOf("full", "read", "none")},
		{"extra-scopes", "on", "on: the client may also list child CIDs and read its own CID; off", oneOf("on", "off")},
		{"ip-allowlist", "off", "on: this address is not on the tenant's list, 403 to everything; off", oneOf("off", "on")},
		{"retry-after-unit", "s", "X-Ratelimit-RetryAfter is an epoch in: s, ms; none: the header is missing", oneOf("s", "ms", "none")},
		{"rate-limit", "0", "calls a minute; 0 enforces nothing and says 6000", number},
		{"token-limit", "0", "requests for a token a minute; 0 enforces nothing and says 300", number},
		{"anonymous-limit", "0", "calls without a valid token a minute, after which nothing is answered; 0 enforces nothing and says 15", number},
		{"token-lifetime", "1799", "seconds that a token is valid for", number},
		{"visibility-delay", "0", "how long changes stay out of what is read: a duration, or a number of reads", validDelay},
		{"visibility-of", "roles", "what the delay concerns: roles, users (new ones in lists), both", oneOf("roles", "users", "both")},
		{"page-size", "0", "most records of one page, whatever limit asks for; 0 for no such cap", number},
		{"create-empty", "off", "creating answers 201 with empty resources: applied, not-applied; off", oneOf("off", "applied", "not-applied")},
		{"errors-on-2xx", "off", "a success that lists errors: applied, not-applied (both for changes), reads; off", oneOf("off", "applied", "not-applied", "reads")},
		{"validate-only", "record", "what validating a user answers: record (without a uuid), empty", oneOf("record", "empty")},
		{"duplicate-status", "409", "answer to a login that is taken: 409, 400", oneOf("409", "400")},
		{"weak-password-status", "500", "answer to a password that is too weak: 500, 400", oneOf("500", "400")},
		{"delete-unknown", "404", "answer to updating or deleting nobody: 404, 400", oneOf("404", "400")},
		{"grants-unknown", "400", "answer to reading the roles of nobody: 400, 404, empty (200 with nothing)", oneOf("400", "404", "empty")},
		{"bulk-unknown", "missing", "users who are not found in a bulk read: missing, error (in errors, beside the others)", oneOf("missing", "error")},
		{"update-missing-name", "refuse", "an update that sends one name only: refuse, blank (the other is emptied)", oneOf("refuse", "blank")},
		{"uid-case", "lower", "how the login of a new user is stored: lower, kept", oneOf("lower", "kept")},
	}
}

func oneOf(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

func anything(v string) bool {
	_, err := url.Parse(v)
	return err == nil
}

func number(v string) bool {
	n, err := strconv.Atoi(v)
	return err == nil && n >= 0
}

func validDelay(v string) bool {
	d, err := time.ParseDuration(v)
	return number(v) || err == nil && d >= 0
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

// count is the value of a switch that is a number.
func (f *fake) count(name string) int {
	n, err := strconv.Atoi(f.switches[name])
	if err != nil {
		return 0
	}
	return n
}
