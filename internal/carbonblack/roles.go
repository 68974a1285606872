package carbonblack

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// permitted is a role that the key may hand out. (Carbon Black Cloud Access
// Profiles and Grants API, Get Permitted Roles.)
type permitted struct {
	URN      string `json:"urn"`
	Name     string `json:"name"`
	Desc     string `json:"desc"`
	Disabled bool   `json:"disabled"`
}

// Roles implements provision.Provisioner. There is no list of all roles, only
// of those that the key may hand out.
func (a *adapter) Roles(ctx context.Context) ([]provision.Role, error) {
	return a.permitted(ctx, "list roles")
}

// permitted reads the roles in all lists of the answer: one is for the
// organisation and one for its children, and a role may be in both.
func (a *adapter) permitted(ctx context.Context, op string) ([]provision.Role, error) {
	resp, err := a.api.do(ctx, call{
		op: op, kind: callRoles, method: http.MethodGet, path: a.api.key.rolesPath(), query: url.Values{"type": {"USER"}}, document: true,
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Results map[string][]permitted `json:"results"`
	}
	if err := resp.Decode(name, op, &answer); err != nil {
		return nil, err
	}
	byURN := map[string]provision.Role{}
	for _, list := range answer.Results {
		for _, r := range list {
			if r.URN == "" || r.Disabled {
				continue
			}
			byURN[r.URN] = provision.Role{
				ID: r.URN, Name: cmp.Or(r.Name, lastPart(r.URN)), Description: r.Desc, Custom: !builtIn(r.URN),
				Aliases: []string{lastPart(r.URN)},
			}
		}
	}
	var roles []provision.Role
	for _, r := range byURN {
		roles = append(roles, r)
	}
	slices.SortFunc(roles, func(r, s provision.Role) int { return cmp.Compare(r.ID, s.ID) })
	a.seen.learn(roles)
	return roles, nil
}

// builtIn reports the URN of a role that every organisation has: its third
// part, the organisation, is empty.
func builtIn(urn string) bool { return strings.HasPrefix(urn, "psc:role::") }

func lastPart(urn string) string { return urn[strings.LastIndex(urn, ":")+1:] }

// roleName is a role's display name as far as that costs no request: from the
// list of roles if it has been read, else from what the console calls the roles
// that every organisation has, else from the URN.
func (a *adapter) roleName(urn string) string {
	if name, ok := a.seen.known()[urn]; ok {
		return name
	}
	last := lastPart(urn)
	if builtIn(urn) {
		return cmp.Or(consoleName(strings.TrimPrefix(last, "BETA_")), last)
	}
	return last
}

// consoleName is what the console calls a built-in role; empty for others.
// (Carbon Black Cloud User Guide, roles.)
func consoleName(role string) string {
	return map[string]string{
		"VIEW_ALL": "View All", "LEVEL_1_ANALYST": "Level 1 Analyst", "LEVEL_2_ANALYST": "Level 2 Analyst",
		"LEVEL_3_ANALYST": "Level 3 Analyst", "SYSTEM_ADMIN": "System Admin", "SUPER_ADMIN": "Super Admin",
		"VIEW_ONLY": "View Only", "ALL_AND_LR": "Live Response Admin",
	}[role]
}

// planRoles adds to the rule that all vendors share that a role which comes
// from a profile of several organisations is not touched: it would change in
// the others too.
func planRoles(u provision.User, c provision.RoleChange) (provision.RoleDiff, error) {
	c.Expires = wholeSeconds(c.Expires)
	d, err := provision.PlanRoles(u, c)
	if err != nil {
		return provision.RoleDiff{}, err
	}
	for _, r := range u.Roles {
		if r.Via != "" && (slices.Contains(d.Grant, r.ID) || slices.Contains(d.Revoke, r.ID)) {
			return provision.RoleDiff{}, &provision.Error{
				Vendor: name, Op: "change roles", Kind: provision.ErrRefused,
				Message: fmt.Sprintf("role %q comes from %s, where it would change as well", r.ID, r.Via),
				Hint:    "change the access profile in the console",
			}
		}
	}
	return d, nil
}

// wholeSeconds is an end as it goes on the wire.
func wholeSeconds(end time.Time) time.Time { return end.UTC().Truncate(time.Second) }
