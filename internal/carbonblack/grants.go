package carbonblack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// grant is the access of one user. It holds roles by themselves or in access
// profiles; tenants have both, and some grants do too. (Carbon Black Cloud
// Access Profiles and Grants API, Grant.)
type grant struct {
	raw       object
	Principal string    `json:"principal"`
	Roles     []string  `json:"roles"`
	Profiles  []profile `json:"profiles"`
	Expires   expiry    `json:"expires"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (g *grant) UnmarshalJSON(data []byte) error {
	type plain grant
	if err := json.Unmarshal(data, (*plain)(g)); err != nil {
		return err
	}
	return json.Unmarshal(data, &g.raw)
}

// profile gives roles in some organisations.
type profile struct {
	raw  object
	UUID string `json:"profile_uuid"`
	Orgs struct {
		Allow []string `json:"allow"`
		Deny  []string `json:"deny"`
	} `json:"orgs"`
	OrgGroups  []string   `json:"org_groups"`
	Roles      []string   `json:"roles"`
	Conditions conditions `json:"conditions"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *profile) UnmarshalJSON(data []byte) error {
	type plain profile
	if err := json.Unmarshal(data, (*plain)(p)); err != nil {
		return err
	}
	return json.Unmarshal(data, &p.raw)
}

// conditions are when and from where a profile holds.
type conditions struct {
	CIDR       []string `json:"cidr,omitempty"`
	Expiration expiry   `json:"expiration"`
	Disabled   bool     `json:"disabled"`
}

// here reports a profile that gives its roles in an organisation.
func (p profile) here(org string) bool {
	return slices.Contains(p.Orgs.Allow, org) && !slices.Contains(p.Orgs.Deny, org)
}

// active reports a profile that is in force.
func (p profile) active(now time.Time) bool {
	return !p.Conditions.Disabled && !p.Conditions.Expiration.over(now)
}

// elsewhere names what a profile reaches beside an organisation. A group of
// organisations counts, since nothing tells who is in it.
func (p profile) elsewhere(org string) string {
	reach := slices.Concat(p.Orgs.Allow, p.OrgGroups)
	return strings.Join(slices.DeleteFunc(reach, func(urn string) bool { return urn == org }), ", ")
}

// own reports a profile of one organisation alone, which may be changed.
func (p profile) own(org string) bool { return p.here(org) && p.elsewhere(org) == "" }

// elsewhere names what a grant reaches beside an organisation.
func (g *grant) elsewhere(org string) string {
	var reach []string
	for _, p := range g.Profiles {
		if other := p.elsewhere(org); other != "" {
			reach = append(reach, other)
		}
	}
	slices.Sort(reach)
	return strings.Join(slices.Compact(reach), ", ")
}

// held are the roles that a grant gives in an organisation, each once: those it
// holds by itself and those of the profiles in force there. A role that comes
// from several places lasts as long as the longest, and Via names a profile
// that reaches further than the organisation.
func (g *grant) held(org string, now time.Time) []provision.HeldRole {
	if g == nil || g.Expires.over(now) {
		return nil
	}
	var roles []provision.HeldRole
	add := func(ids []string, end expiry, via string) {
		for _, id := range ids {
			i := slices.IndexFunc(roles, func(r provision.HeldRole) bool { return r.ID == id })
			if i < 0 {
				i = len(roles)
				roles = append(roles, provision.HeldRole{ID: id, Direct: true, ExpiresAt: end.pointer()})
			}
			r := &roles[i]
			if end.IsZero() || r.ExpiresAt != nil && end.After(*r.ExpiresAt) {
				r.ExpiresAt = end.pointer()
			}
			if via != "" {
				r.Via = via
			}
		}
	}
	add(g.Roles, g.Expires, "")
	for _, p := range g.Profiles {
		if !p.here(org) || !p.active(now) {
			continue
		}
		via := ""
		if other := p.elsewhere(org); other != "" {
			via = "a profile that also reaches " + other
		}
		add(p.Roles, g.Expires.earlier(p.Conditions.Expiration), via)
	}
	provision.SortRoles(roles)
	return roles
}

// pointer is an end in the form of a role held; nil for never.
func (e expiry) pointer() *time.Time {
	if e.IsZero() {
		return nil
	}
	t := e.Time
	return &t
}

// fetchGrant reads the grant of one user; nil where there is none.
func (a *adapter) fetchGrant(ctx context.Context, op string, r row) (*grant, error) {
	grants, err := a.api.grants(ctx, op, []string{r.id()})
	return grants[r.id()], err
}

// recentGrant is the grant of a user as the guard has read it, else as it is
// now.
func (a *adapter) recentGrant(ctx context.Context, op string, r row) (*grant, error) {
	grants, kept := a.seen.grants.get()
	if g, ok := grants[r.id()]; ok {
		return g, nil
	}
	if kept || !provision.LooksLater(ctx) {
		return a.fetchGrant(ctx, op, r)
	}
	// Many are changed in a row: a hundred grants cost as much as one.
	rows, _, err := a.recentRows(ctx, op)
	if err != nil {
		return nil, err
	}
	grants, err = a.recentGrants(ctx, op, rows)
	return grants[r.id()], err
}

// getGrant reads a grant anew; nil where there is none.
func (a *adapter) getGrant(ctx context.Context, op string, r row) (*grant, error) {
	c := call{op: op, kind: callGrant, method: http.MethodGet, path: a.api.key.grantPath(r.id()), document: true}
	resp, err := a.api.do(ctx, c)
	switch {
	case errors.Is(err, provision.ErrNotFound):
		return nil, nil //nolint:nilnil // no grant is an answer
	case err != nil:
		return nil, err
	}
	g := &grant{}
	return g, resp.Decode(name, op, g)
}
