package cortex

import "slices"

// The lookups compare exactly, capitals included. Whether the vendor does is
// not known, and a client that sends what the list shows is right either way.

func (s *state) user(email string) *user {
	for i := range s.Users {
		if s.Users[i].Email == email {
			return &s.Users[i]
		}
	}
	return nil
}

func (s *state) group(id string) *group {
	for i := range s.Groups {
		if s.Groups[i].ID == id {
			return &s.Groups[i]
		}
	}
	return nil
}

func (s *state) groupNamed(name string) *group {
	for i := range s.Groups {
		if s.Groups[i].Name == name {
			return &s.Groups[i]
		}
	}
	return nil
}

// twinSuffix is at the end of the id of a role that exists a second time, in
// the gateway above the tenant.
const twinSuffix = "_gateway"

// twin is the first custom role as the gateway has it: another id, the same
// name. Without a custom role there is none.
func (s *state) twin() (role, bool) {
	for _, r := range s.Roles {
		if r.Custom {
			r.ID += twinSuffix
			return r, true
		}
	}
	return role{}, false
}

// allRoles are the roles the API shows, in a fixed order.
func (s *state) allRoles() []role {
	out := slices.Clone(s.Roles)
	if twin, ok := s.twin(); ok && s.Switches[swRoleDuplicate] == on {
		out = append(out, twin)
	}
	return out
}

// role finds a role by id. The twin is found without its switch, too, so that
// whoever holds it keeps a name.
func (s *state) role(id string) *role {
	if i := slices.IndexFunc(s.Roles, func(r role) bool { return r.ID == id }); i >= 0 {
		return &s.Roles[i]
	}
	if twin, ok := s.twin(); ok && twin.ID == id {
		return &twin
	}
	return nil
}

// rolesNamed are the roles of that display name; names need not be unique.
func (s *state) rolesNamed(name string) []role {
	var out []role
	for _, r := range s.allRoles() {
		if r.Name == name {
			out = append(out, r)
		}
	}
	return out
}

func (s *state) roleName(id string) string {
	if r := s.role(id); r != nil {
		return r.Name
	}
	return ""
}

// groupsOf are the groups somebody is in, whichever way they came.
func (s *state) groupsOf(email string) []group {
	var out []group
	for _, g := range s.Groups {
		if slices.Contains(g.Users, email) || slices.Contains(g.Mapped, email) {
			out = append(out, g)
		}
	}
	return out
}

// owner reports whether somebody is an instance administrator, directly or
// through a group.
func (s *state) owner(u *user) bool {
	if u.RoleID == roleInstanceAdmin {
		return true
	}
	return slices.ContainsFunc(s.groupsOf(u.Email), func(g group) bool { return g.RoleID == roleInstanceAdmin })
}
