package cli

import (
	"slices"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// marks are what strikes about a person. Only consoles that were read count.
func (in *inspection) marks(login string, at map[string]render.ReviewTenant) []string {
	anywhere := func(fits func(c *inspected, at render.ReviewTenant) bool) bool {
		return slices.ContainsFunc(in.consoles, func(c *inspected) bool {
			here, ok := at[c.tenant]
			return ok && fits(c, here)
		})
	}
	holds := func(fits func(c *inspected, r provision.HeldRole) bool) bool {
		return anywhere(func(c *inspected, at render.ReviewTenant) bool {
			return slices.ContainsFunc(at.Roles, func(r provision.HeldRole) bool { return fits(c, r) })
		})
	}
	marks := []string{}
	for _, m := range []struct {
		mark string
		fits bool
	}{
		{render.MarkOrphan, in.listed != nil && !in.listed[login]},
		{render.MarkMissing, len(at) == 0},
		{render.MarkAdmin, holds(func(c *inspected, r provision.HeldRole) bool { return c.vendor.Administers(r) })},
		{render.MarkInvited, anywhere(func(_ *inspected, at render.ReviewTenant) bool { return at.Status == provision.StatusInvited })},
		{render.MarkNever, in.neverSeen(at)},
		{render.MarkPartial, len(at) > 0 && len(at) < len(in.consoles)},
		{render.MarkUnlike, in.unlike(at)},
		{render.MarkGroup, holds(func(_ *inspected, r provision.HeldRole) bool { return !r.Direct })},
	} {
		if m.fits {
			marks = append(marks, m.mark)
		}
	}
	return marks
}

// neverSeen reports somebody who has signed in to none of the consoles whose
// vendors tell. Where none of them tells, nobody knows.
func (in *inspection) neverSeen(at map[string]render.ReviewTenant) bool {
	told := false
	for _, c := range in.consoles {
		here, ok := at[c.tenant]
		if !ok || !c.vendor.LastLogins {
			continue
		}
		if here.LastLogin != nil {
			return false
		}
		told = true
	}
	return told
}

// unlike reports roles that differ in kind from console to console: no set of
// aliases, with a role of each held in every console, covers all roles held.
// Consoles without roles, and those for which no alias has a role, do not count.
func (in *inspection) unlike(at map[string]render.ReviewTenant) bool {
	var judged []*inspected
	for _, c := range in.consoles {
		if len(at[c.tenant].Roles) > 0 && len(c.kinds) > 0 {
			judged = append(judged, c)
		}
	}
	if len(judged) < 2 {
		return false
	}
	var everywhere []string
	for alias := range judged[0].kinds {
		if !slices.ContainsFunc(judged, func(c *inspected) bool {
			return !slices.ContainsFunc(at[c.tenant].Roles, func(r provision.HeldRole) bool { return c.isKind(alias, r) })
		}) {
			everywhere = append(everywhere, alias)
		}
	}
	return slices.ContainsFunc(judged, func(c *inspected) bool {
		return slices.ContainsFunc(at[c.tenant].Roles, func(r provision.HeldRole) bool {
			return !slices.ContainsFunc(everywhere, func(alias string) bool { return c.isKind(alias, r) })
		})
	})
}

// isKind reports whether a role is among those of an alias.
func (c *inspected) isKind(alias string, r provision.HeldRole) bool {
	return slices.ContainsFunc(c.kinds[alias], func(role string) bool {
		return strings.EqualFold(role, r.ID) || strings.EqualFold(role, r.Name)
	})
}

// counts reports whether a person makes --exit-code end with 8: by any mark, or
// where there is a file to compare with, by those of the comparison.
func (in *inspection) counts(item render.ReviewItem) bool {
	if in.listed == nil {
		return len(item.Marks) > 0
	}
	return slices.Contains(item.Marks, render.MarkOrphan) || slices.Contains(item.Marks, render.MarkMissing)
}
