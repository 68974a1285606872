package cli

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// oneOfEach is a tenant of every vendor.
func oneOfEach() []vendorConsole {
	return []vendorConsole{falcon(), carbonBlack(), cortexPlatform(), cybereasonConsole()}
}

// TestUsersOfAllTenants shows that a list of several vendors has one form: what
// only one of them has is under extra.
func TestUsersOfAllTenants(t *testing.T) {
	t.Parallel()
	s := openScene(t, oneOfEach()...)
	for command, people := range map[string]func(state object) int{
		"user list -A":      func(state object) int { return len(objects(state["users"])) },
		"user get {ada} -A": func(object) int { return 1 },
	} {
		r := s.run(command)
		require.Zero(t, r.status, r.String())
		assert.Empty(t, r.errors)
		byVendor := map[string]int{}
		extras := map[string]bool{}
		for _, item := range r.items {
			byVendor[item["vendor"].(string)]++
			assert.Equal(t, item["vendor"], item["tenant"])
			assert.Equal(t, []string{
				"extra", "firstName", "id", "lastLogin", "lastName", "login", "phone", "roles", "status", "tenant", "vendor",
			}, slices.Sorted(maps.Keys(item)))
			assert.Contains(t, []provision.Status{
				provision.StatusActive, provision.StatusDisabled, provision.StatusInvited, provision.StatusLocked, provision.StatusUnknown,
			}, provision.Status(item["status"].(string)))
			for name := range item["extra"].(object) {
				extras[item["vendor"].(string)+"."+name] = true
			}
			for _, role := range objects(item["roles"]) {
				delete(role, "via") // of an inherited role
				assert.Equal(t, []string{"direct", "expiresAt", "id", "name", "scope"}, slices.Sorted(maps.Keys(role)))
			}
		}
		for _, c := range s.consoles {
			assert.Equal(t, people(stateOf(t, s.server(c))), byVendor[c.vendor], "%s: %s", command, c.vendor)
		}
		assert.True(t, extras["cybereason.totp-enabled"] && extras["carbonblack.auth-method"], "vendors have more to say: %v", extras)
		assert.NotContains(t, strings.ToLower(r.stdout), "canary", "a second-factor key is not among it")
	}
}

// TestOneTenantInTrouble shows that a vendor that is down, or breaks off each
// change, stops none of the others, and that running the same command again
// finishes what was left.
func TestOneTenantInTrouble(t *testing.T) {
	t.Parallel()
	for _, c := range oneOfEach() {
		t.Run("down/"+c.vendor, func(t *testing.T) {
			t.Parallel()
			lifeWithTrouble(t, c, "failed", func(s *scene, _ ...string) {
				s.environ = []string{"EDRCTL_" + strings.ToUpper(c.vendor) + "_URL=https://127.0.0.1:1"}
			})
		})
		t.Run("breaks off/"+c.vendor, func(t *testing.T) {
			t.Parallel()
			lifeWithTrouble(t, c, "unknown", func(s *scene, operations ...string) {
				for _, operation := range operations {
					s.faultAt(c, operation+" drop-before -1")
				}
			})
		})
	}
}

// life is one command of a person's life, run in all tenants.
type life struct {
	command string
	// operations are the requests that carry the command's change.
	operations []string
	// first are the outcomes by vendor when it does something, and again those
	// when it is run once more.
	first, again map[string]string
	// roles are the words for what the person then holds; none for somebody
	// who is gone.
	roles []string
	there bool
}

func lives() []life {
	all := func(outcome string) map[string]string {
		return map[string]string{"crowdstrike": outcome, "carbonblack": outcome, "cortex": outcome, "cybereason": outcome}
	}
	but := func(outcomes map[string]string, vendor, outcome string) map[string]string {
		outcomes[vendor] = outcome
		return outcomes
	}
	return []life{
		{
			command: "user create {nobody} -A --role analyst --if-not-exists {password}", operations: []string{"create", "grant"},
			first: but(but(all("created"), "carbonblack", "invited"), "cortex", "granted"),
			again: but(all("unchanged"), "carbonblack", "invited"), roles: []string{"role-id"}, there: true,
		},
		{command: "user get {nobody} -A", roles: []string{"role-id"}, there: true},
		{
			command: "role set {nobody} responder -A", operations: []string{"grant", "revoke", "set"},
			first: all("updated"), again: all("unchanged"), roles: []string{"other-id"}, there: true,
		},
		{
			command: "user delete {nobody} -A --yes --if-exists", operations: []string{"delete"},
			first: but(all("deleted"), "cortex", "revoked"), again: but(all("absent"), "cortex", "unchanged"),
		},
	}
}

func lifeWithTrouble(t *testing.T, victim vendorConsole, failure string, trouble func(s *scene, operations ...string)) {
	s := openScene(t, oneOfEach()...)
	require.NoError(t, s.servers.Server("cortex").Activate(personNobody)) // invited elsewhere
	for _, x := range lives() {
		if len(x.operations) == 0 && failure == "unknown" {
			continue // there is no change to break off
		}
		trouble(s, x.operations...)
		r := s.run(x.command)
		s.environ = nil
		s.server(victim).ClearFaults()
		assert.Equal(t, exitPartial, r.status, "%s: %s", x.command, r)
		assert.Equal(t, x.expected(func(vendor string) string {
			if vendor == victim.vendor {
				return failure
			}
			return x.first[vendor]
		}), r.outcomes(), x.command)
		for _, c := range s.consoles {
			if c.vendor != victim.vendor {
				s.holds(c, x)
			}
		}
		r = s.run(x.command)
		assert.Equal(t, exitOK, r.status, "%s, again: %s", x.command, r)
		assert.Equal(t, x.expected(func(vendor string) string {
			if vendor == victim.vendor {
				return x.first[vendor]
			}
			return x.again[vendor]
		}), r.outcomes(), "%s, again", x.command)
		for _, c := range s.consoles {
			s.holds(c, x)
		}
		if s.account(carbonBlack(), personNobody).invited > 0 {
			require.NoError(t, s.servers.Server("carbonblack").Activate(personNobody))
		}
	}
}

// expected are the outcomes of all vendors. A reading command has none, but
// shows people or fails.
func (x life) expected(outcome func(vendor string) string) map[string]string {
	all := map[string]string{}
	for _, c := range oneOfEach() {
		all[c.vendor] = outcome(c.vendor)
	}
	return all
}

// outcomes are those of all tenants, by vendor.
func (r finished) outcomes() map[string]string {
	all := map[string]string{}
	for _, item := range r.items {
		all[item["vendor"].(string)], _ = item["outcome"].(string)
	}
	for _, e := range r.errors {
		all[e["vendor"].(string)] = "failed"
	}
	return all
}

// holds fails unless the person has what a command was to give.
func (s *scene) holds(c vendorConsole, x life) {
	s.t.Helper()
	var roles []string
	for _, word := range x.roles {
		roles = append(roles, c.words[word])
	}
	is := s.account(c, personNobody)
	assert.Equal(s.t, roles, is.roles, "%s: %s", x.command, c.vendor)
	there := x.there || c.vendor == "cortex" // where accounts stay
	assert.Equal(s.t, there, is.listed+is.invited == 1, "%s: %s", x.command, c.vendor)
}
