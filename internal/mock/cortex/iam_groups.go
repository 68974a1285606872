package cortex

import (
	"fmt"
	"net/http"
	"slices"
)

const groupCustom = "custom"

func (f *fake) listGroups(request) answer {
	list := []object{}
	for _, g := range f.st.Groups {
		nested := []object{}
		for _, id := range g.Nested {
			if child := f.st.group(id); child != nil {
				nested = append(nested, object{"group_id": child.ID, "group_name": child.Name})
			}
		}
		list = append(list, object{
			"group_id": g.ID, "group_name": g.Name, "description": g.Description, "role_id": g.RoleID,
			"pretty_role_name": f.st.roleName(g.RoleID), "created_by": g.CreatedBy, "updated_by": g.UpdatedBy,
			"created_ts": g.Created, "updated_ts": g.Updated, "users": g.members(), "group_type": g.Type,
			"nested_groups": nested, "idp_groups": append([]string{}, g.IDPGroups...),
		})
	}
	return found(list, object{"total_count": len(list)})
}

// groupPatch is what creating and editing may send; what is not sent stays.
type groupPatch struct {
	Name        *string   `json:"group_name"`
	Description *string   `json:"description"`
	RoleID      *string   `json:"role_id"`
	Users       *[]string `json:"users"`
	Nested      *[]string `json:"nested_group_ids"`
	IDPGroups   *[]string `json:"idp_groups"`
}

// createGroup tells the id of the new group within a sentence only.
func (f *fake) createGroup(q request) answer {
	var p groupPatch
	if err := q.into(&p); err != nil {
		return f.invalid(q, "%s", err)
	}
	if p.Name == nil {
		return f.invalid(q, "group_name is required")
	}
	if refusal, ok := f.refuseGroup(q, group{}, p); !ok {
		return refusal
	}
	f.st.Serial++
	now := f.now().UnixMilli()
	id := fmt.Sprintf("%08x", 0x5b7de2c4+f.st.Serial*0x010001)
	f.st.Groups = append(f.st.Groups, group{
		ID: id, Type: groupCustom, CreatedBy: q.author(), Created: now,
	})
	f.patchGroup(q, &f.st.Groups[len(f.st.Groups)-1], p)
	return done(http.StatusCreated, "user group with group id "+id+" created successfully")
}

func (f *fake) editGroup(q request) answer {
	g := f.st.group(q.vars[0])
	if g == nil {
		return f.invalid(q, "group_id %s does not exist", q.vars[0])
	}
	var p groupPatch
	if err := q.into(&p); err != nil {
		return f.invalid(q, "%s", err)
	}
	if refusal, ok := f.refuseGroup(q, *g, p); !ok {
		return refusal
	}
	f.patchGroup(q, g, p)
	return done(http.StatusOK, "user group with group id "+g.ID+" updated successfully")
}

// refuseGroup refuses values that do not fit, and Instance Administrator to
// keys that are none.
func (f *fake) refuseGroup(q request, g group, p groupPatch) (answer, bool) {
	if why := f.badGroup(g, p); why != "" {
		return f.invalid(q, "%s", why), false
	}
	owner := g.RoleID == roleInstanceAdmin || p.RoleID != nil && *p.RoleID == roleInstanceAdmin
	if p.Users != nil {
		for _, email := range *p.Users {
			owner = owner || f.st.user(email).RoleID == roleInstanceAdmin
		}
	}
	if owner && !f.isOwner(q.key) {
		return f.forbidden(q, extraOwner), false
	}
	return answer{}, true
}

func (f *fake) badGroup(g group, p groupPatch) string {
	if p.Name != nil {
		if other := f.st.groupNamed(*p.Name); *p.Name == "" || other != nil && other.ID != g.ID {
			return fmt.Sprintf("group_name %q is empty or taken", *p.Name)
		}
	}
	if p.RoleID != nil && *p.RoleID != "" && (!f.shown(*p.RoleID) || *p.RoleID == roleAccountAdmin) {
		return "role_id " + *p.RoleID + " does not exist or can not be assigned"
	}
	if p.Users != nil {
		for _, email := range *p.Users {
			if f.st.user(email) == nil {
				return "user " + email + " does not exist"
			}
		}
	}
	if p.Nested != nil {
		for _, id := range *p.Nested {
			if f.st.group(id) == nil || id == g.ID {
				return "group_id " + id + " does not exist or can not be nested"
			}
		}
	}
	return ""
}

// patchGroup stores what was sent. People whom the identity provider put into
// the group stay there.
func (f *fake) patchGroup(q request, g *group, p groupPatch) {
	set(&g.Name, p.Name)
	set(&g.Description, p.Description)
	set(&g.RoleID, p.RoleID)
	set(&g.Users, p.Users)
	set(&g.Nested, p.Nested)
	set(&g.IDPGroups, p.IDPGroups)
	g.UpdatedBy, g.Updated = q.author(), f.now().UnixMilli()
}

// deleteGroup removes a group; the groups nested in it lose the link only.
func (f *fake) deleteGroup(q request) answer {
	g := f.st.group(q.vars[0])
	if g == nil {
		return f.invalid(q, "group_id %s does not exist", q.vars[0])
	}
	id := g.ID
	if g.RoleID == roleInstanceAdmin && !f.isOwner(q.key) {
		return f.forbidden(q, extraOwner)
	}
	f.st.Groups = slices.DeleteFunc(f.st.Groups, func(g group) bool { return g.ID == id })
	for i := range f.st.Groups {
		f.st.Groups[i].Nested = without(f.st.Groups[i].Nested, id)
	}
	return done(http.StatusOK, "user group with group id "+id+" deleted successfully")
}
