package cortex

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (f *fake) listRoles(request) answer {
	list := []object{}
	for _, r := range f.st.allRoles() {
		var created any
		if r.Custom {
			created = r.Created
		}
		list = append(list, object{
			"role_id": r.ID, "pretty_name": r.Name, "description": orNull(r.Description), "is_custom": r.Custom,
			"created_by": r.CreatedBy, "created_ts": created, "updated_ts": r.Updated,
		})
	}
	return found(list, object{"total_count": len(list)})
}

type newRole struct {
	Name        string            `json:"pretty_name"`
	Description string            `json:"description"`
	Components  []string          `json:"component_permissions"`
	Datasets    []json.RawMessage `json:"dataset_permissions"`
}

// createRole tells the id of the new role within a sentence only.
func (f *fake) createRole(q request) answer {
	var in newRole
	if err := q.into(&in); err != nil {
		return f.invalid(q, "%s", err)
	}
	switch {
	case in.Name == "":
		return f.invalid(q, "pretty_name is required")
	case len(in.Components) == 0:
		return f.invalid(q, "component_permissions is required")
	case len(f.st.rolesNamed(in.Name)) > 0:
		return f.invalid(q, "The role name %s is already utilized by another role.", in.Name)
	}
	f.st.Serial++
	id := fmt.Sprintf("%s_%d", slug(in.Name), 9000+f.st.Serial)
	f.st.Roles = append(f.st.Roles, role{
		ID: id, Name: in.Name, Description: in.Description, Custom: true, CreatedBy: q.author(),
		Created: f.now().UnixMilli(), Permissions: in.Components,
	})
	return done(http.StatusCreated, "role_id "+id+" created successfully.")
}

// author is how a key is named as the maker of something.
func (q request) author() string { return fmt.Sprintf("api-key-%d", q.key.ID) }

func slug(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
}

// deleteRole removes a custom role that nobody has.
func (f *fake) deleteRole(q request) answer {
	id := q.vars[0]
	i := slices.IndexFunc(f.st.Roles, func(r role) bool { return r.ID == id })
	used := slices.ContainsFunc(f.st.Users, func(u user) bool { return u.RoleID == id }) ||
		slices.ContainsFunc(f.st.Groups, func(g group) bool { return g.RoleID == id })
	switch {
	case i < 0:
		return f.invalid(q, "role_id %s does not exist", id)
	case !f.st.Roles[i].Custom:
		return f.invalid(q, "role_id %s is not a custom role", id)
	case used:
		return f.invalid(q, "role_id %s is assigned", id)
	}
	f.st.Roles = slices.Delete(f.st.Roles, i, i+1)
	return done(http.StatusOK, "role_id "+id+" deleted successfully.")
}
