package carbonblack

import (
	"net/http"
	"slices"
	"time"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// step is one write to a grant.
type step struct {
	kind   callKind
	method string
	path   string
	body   any
	// takes are the roles that are gone, from this place, once it is done.
	takes []string
}

// holder is the user whose grant is changed.
type holder struct {
	key key
	row row
	now time.Time
}

// steps are the writes that bring a grant, nil for none, from what it is to
// what is planned; the one that gives comes first. They depend on the form of
// the grant:
//
//   - no grant: one is made, with roles, or with a profile if they end
//   - roles: the grant is replaced; without any role left it is deleted
//   - profiles: only the profiles that change are written, and those that lose
//     their last role are disabled. Taking everything deletes the grant,
//     unless it reaches other organisations
//
// Roles are never put beside profiles in a grant that has profiles alone, nor
// profiles beside roles.
func (h holder) steps(g *grant, d provision.RoleDiff, c provision.RoleChange) ([]step, error) {
	end := expiry{c.Expires}
	switch {
	case d.Empty():
		return nil, nil
	case g == nil:
		return []step{h.create(d.Grant, end)}, nil
	case c.All && len(c.Grant) == 0 && g.elsewhere(h.key.orgURN()) == "":
		return []step{h.delete(d.Revoke)}, nil
	case len(g.Roles) > 0, len(g.Profiles) == 0 && end.same(g.Expires):
		return h.stepsForRoles(g, d, end)
	default:
		return h.stepsForProfiles(g, d, end)
	}
}

// create makes the first grant of somebody.
func (h holder) create(roles []string, end expiry) step {
	body := map[string]any{
		"principal": h.key.userURN(h.row.id()), "org_ref": h.key.orgURN(), "principal_name": h.row.fullName(),
		"roles": roles, "profiles": []any{},
	}
	if !end.IsZero() {
		body["roles"], body["profiles"] = []string{}, []newProfile{h.key.profile(roles, end)}
	}
	return step{kind: callGrantCreate, method: http.MethodPost, path: h.key.grantsPath(), body: body}
}

func (h holder) delete(takes []string) step {
	return step{kind: callGrant, method: http.MethodDelete, path: h.key.grantPath(h.row.id()), takes: takes}
}

// stepsForRoles changes a grant that holds roles by itself. If it has profiles
// too, roles that are taken leave those as well.
func (h holder) stepsForRoles(g *grant, d provision.RoleDiff, end expiry) ([]step, error) {
	if len(d.Grant) > 0 && !end.same(g.Expires) {
		return nil, h.endless(g, "the user's grant holds roles without an access profile, where a single role cannot end")
	}
	var steps []step
	roles := add(without(g.Roles, d.Revoke), d.Grant)
	switch {
	case slices.Equal(roles, g.Roles):
	case len(roles) == 0 && len(g.Profiles) == 0:
		steps = append(steps, h.delete(d.Revoke))
	default:
		steps = append(steps, step{
			kind: callGrantChange, method: http.MethodPut, path: h.key.grantPath(h.row.id()),
			body: g.raw.with("roles", roles), takes: without(g.Roles, roles),
		})
	}
	return append(steps, h.takeFromProfiles(g, -1, slices.Concat(d.Grant, d.Revoke))...), nil
}

// stepsForProfiles changes a grant that has profiles, or nothing at all.
func (h holder) stepsForProfiles(g *grant, d provision.RoleDiff, end expiry) ([]step, error) {
	moved := slices.Concat(d.Grant, d.Revoke)
	if len(d.Grant) == 0 {
		return h.takeFromProfiles(g, -1, moved), nil
	}
	if !g.Expires.IsZero() && !end.earlier(g.Expires).same(end) {
		return nil, h.endless(g, "the user's grant as a whole ends earlier")
	}
	var steps []step
	into := h.fitting(g, d, end)
	if into < 0 {
		steps = append(steps, step{
			kind: callGrantChange, method: http.MethodPost, path: h.key.grantPath(h.row.id()) + "/profiles",
			body: h.key.profile(d.Grant, end),
		})
		return append(steps, h.takeFromProfiles(g, into, moved)...), nil
	}
	p := g.Profiles[into]
	roles := add(without(p.Roles, d.Revoke), d.Grant)
	if p.Conditions.Disabled || !p.Conditions.Expiration.same(end) {
		p.raw = p.raw.with("conditions", conditions{Expiration: end})
		steps = append(steps, h.put(p, roles))
	} else if !slices.Equal(roles, p.Roles) {
		steps = append(steps, h.put(p, roles))
	}
	return append(steps, h.takeFromProfiles(g, into, moved)...), nil
}

// put replaces a profile by the same with other roles.
func (h holder) put(p profile, roles []string) step {
	return step{
		kind: callGrantChange, method: http.MethodPut, path: h.profilePath(p),
		body: p.raw.with("roles", roles), takes: without(p.Roles, roles),
	}
}

func (h holder) profilePath(p profile) string {
	return h.key.grantPath(h.row.id()) + "/profiles/" + transport.Segment(p.UUID)
}

// fitting is the profile that can take roles with an end, or -1: one that ends
// then, rather one from which something is taken anyway; else one that would
// have nothing left; else one not in force with exactly these roles. To wake
// any other would bring its roles back too.
func (h holder) fitting(g *grant, d provision.RoleDiff, end expiry) int {
	moved := slices.Concat(d.Grant, d.Revoke)
	loses := func(p profile) bool { return len(without(p.Roles, moved)) < len(p.Roles) }
	wishes := []func(p profile, active bool) bool{
		func(p profile, active bool) bool { return active && p.Conditions.Expiration.same(end) && loses(p) },
		func(p profile, active bool) bool { return active && p.Conditions.Expiration.same(end) },
		func(p profile, active bool) bool { return active && len(without(p.Roles, moved)) == 0 },
		func(p profile, active bool) bool {
			return !active && len(without(p.Roles, d.Grant)) == 0 && len(without(d.Grant, p.Roles)) == 0
		},
	}
	for _, wish := range wishes {
		for i, p := range g.Profiles {
			if p.own(h.key.orgURN()) && len(p.Conditions.CIDR) == 0 && wish(p, p.active(h.now)) {
				return i
			}
		}
	}
	return -1
}

// takeFromProfiles takes roles out of the organisation's own profiles in force,
// but for one.
func (h holder) takeFromProfiles(g *grant, but int, roles []string) []step {
	var steps []step
	for i, p := range g.Profiles {
		left := without(p.Roles, roles)
		if i == but || len(left) == len(p.Roles) || !p.own(h.key.orgURN()) || !p.active(h.now) {
			continue
		}
		if len(left) == 0 {
			steps = append(steps, step{kind: callGrant, method: http.MethodDelete, path: h.profilePath(p), takes: p.Roles})
			continue
		}
		steps = append(steps, h.put(p, left))
	}
	return steps
}

// endless refuses an end, or the lack of one, that the grant cannot keep.
func (h holder) endless(g *grant, why string) error {
	if !g.Expires.IsZero() {
		why += "; it ends at " + g.Expires.Format(time.RFC3339)
	}
	return &provision.Error{
		Vendor: name, Op: opChange, Kind: provision.ErrUnsupported, Message: why,
		Hint: "give the role without --expires, or change the user's access in the console",
	}
}

// newProfile is an access profile to be made. (Carbon Black Cloud User
// Management API, Profiles.)
type newProfile struct {
	Orgs struct {
		Allow []string `json:"allow"`
	} `json:"orgs"`
	Roles      []string    `json:"roles"`
	Conditions *conditions `json:"conditions,omitempty"`
}

// profile gives roles in the organisation alone.
func (k key) profile(roles []string, end expiry) newProfile {
	p := newProfile{Roles: roles}
	p.Orgs.Allow = []string{k.orgURN()}
	if !end.IsZero() {
		p.Conditions = &conditions{Expiration: end}
	}
	return p
}

// without is a list without some of its items, in its order.
func without(list, items []string) []string {
	left := []string{}
	for _, x := range list {
		if !slices.Contains(items, x) {
			left = append(left, x)
		}
	}
	return left
}

// add is a list with further items at its end, each of them once.
func add(list, items []string) []string {
	all := slices.Clone(list)
	for _, x := range items {
		if !slices.Contains(all, x) {
			all = append(all, x)
		}
	}
	return all
}
