package crowdstrike

import (
	"maps"
	"slices"
	"time"

	"edrctl/internal/provision"
)

// step is what a role change amounts to in one CID.
type step struct {
	cid           string
	grant, revoke []string
}

// planRoles is the vendor's PlanRoles: the steps of all CIDs in one.
func planRoles(u provision.User, c provision.RoleChange) (provision.RoleDiff, error) {
	steps, err := plan(u, c)
	if err != nil {
		return provision.RoleDiff{}, err
	}
	var d provision.RoleDiff
	for _, s := range steps {
		d.Grant = append(d.Grant, s.grant...)
		d.Revoke = append(d.Revoke, s.revoke...)
	}
	return provision.RoleDiff{Grant: sortedSet(d.Grant), Revoke: sortedSet(d.Revoke)}, nil
}

// plan turns a change into steps. A role is held in a CID, and a change
// concerns one: that of the option, or the user's home CID. Only taking
// everything, without a CID named, reaches all CIDs.
func plan(u provision.User, c provision.RoleChange) ([]step, error) {
	cid, err := cidOption(c.Options)
	if err != nil {
		return nil, err
	}
	c.Expires = c.Expires.Truncate(time.Second)
	everywhere := c.All && cid == ""
	cid = first(cid, home(u))

	held := map[string][]provision.HeldRole{cid: nil}
	for _, r := range u.Roles {
		scope := first(r.Scope, cid)
		held[scope] = append(held[scope], r)
	}
	var steps []step
	for _, scope := range slices.Sorted(maps.Keys(held)) {
		change := c
		if scope != cid {
			if !everywhere {
				continue
			}
			change = provision.RoleChange{All: true}
		}
		u.Roles = held[scope]
		d, err := provision.PlanRoles(u, change)
		if err != nil {
			return nil, err
		}
		if !d.Empty() {
			steps = append(steps, step{scope, d.Grant, d.Revoke})
		}
	}
	return steps, nil
}
