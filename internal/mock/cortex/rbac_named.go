package cortex

import (
	"encoding/json"
	"slices"
)

// names reads a list that has to be there and to hold something.
func names(q request, field string) []string {
	data, err := q.data()
	if err != nil {
		return nil
	}
	var out []string
	if json.Unmarshal(data[field], &out) != nil {
		return nil
	}
	return out
}

// getRoles describes roles by display name, each name in a list of its own. A
// name that does not exist spoils the whole call.
func (f *fake) getRoles(q request) answer {
	wanted := names(q, "role_names")
	if len(wanted) == 0 {
		return f.broken(q, "role_names param is missing")
	}
	list := [][]object{}
	for _, name := range wanted {
		roles := f.st.rolesNamed(name)
		if len(roles) == 0 {
			return f.broken(q, f.notFound("Role", name))
		}
		inner := []object{}
		for _, r := range roles {
			inner = append(inner, f.role3(r))
		}
		list = append(list, inner)
	}
	return replied(list)
}

func (f *fake) role3(r role) object {
	users, groups := []string{}, []string{}
	for _, u := range f.st.Users {
		if u.RoleID == r.ID {
			users = append(users, u.Email)
		}
	}
	for _, g := range f.st.Groups {
		if g.RoleID == r.ID {
			groups = append(groups, g.Name)
		}
	}
	return object{
		"pretty_name": r.Name, "permissions": slices.Concat([]string{}, r.Permissions), "insert_time": r.Created,
		"update_time": r.Updated, "created_by": r.CreatedBy, "description": r.Description,
		"groups": groups, "users": users,
	}
}

// getUserGroup describes groups by name. What it calls pretty_name is the
// display name of the group's role.
func (f *fake) getUserGroup(q request) answer {
	wanted := names(q, "group_names")
	if len(wanted) == 0 {
		return f.broken(q, "group_names param is missing")
	}
	list := []object{}
	for _, name := range wanted {
		g := f.st.groupNamed(name)
		if g == nil {
			return f.broken(q, f.notFound("Group", name))
		}
		list = append(list, object{
			"group_name": g.Name, "description": orNull(g.Description), "pretty_name": f.st.roleName(g.RoleID),
			"insert_time": g.Created, "update_time": g.Updated, "user_email": g.members(), "source": source(*g),
		})
	}
	if f.is(swR4Shape, "data") {
		return replied(object{"data": list, "metadata": object{"total_count": len(list)}})
	}
	return replied(list)
}

func source(g group) string {
	if g.Type == groupCustom {
		return "Custom"
	}
	return "Active Directory"
}
