package cortex

import (
	"net/http"
	"slices"
)

// user5 is a person as the newer calls show one. The role is the direct one,
// by display name, although it is written by id.
func (f *fake) user5(u user) object {
	groups := []object{}
	for _, g := range f.st.groupsOf(u.Email) {
		groups = append(groups, object{"group_id": g.ID, "group_name": g.Name})
	}
	return object{
		"user_email": u.Email, "user_first_name": u.FirstName, "user_last_name": u.LastName,
		"phone_number": u.Phone, "status": u.Status, "role_name": f.st.roleName(u.RoleID),
		"last_logged_in": u.LastLogin, f.st.Switches[swHiddenKey]: u.Hidden, "user_type": u.Type, "groups": groups,
	}
}

func (f *fake) listUsers(request) answer {
	list := []object{}
	for _, u := range f.st.Users {
		list = append(list, f.user5(u))
	}
	return found(list, object{"total_count": len(list)})
}

// getUser has no answer of its own for somebody who is not listed: neither 400
// nor 404 is documented for it.
func (f *fake) getUser(q request) answer {
	u := f.st.user(q.vars[0])
	switch {
	case u != nil:
		return found(f.user5(*u), object{})
	case f.is(swUnknownUser, "500"):
		return emptyAnswer(http.StatusInternalServerError)
	}
	return f.broken(q, f.notFound("id", q.vars[0]))
}

// userPatch is what an edit may send; what it does not send stays.
type userPatch struct {
	FirstName  *string   `json:"user_first_name"`
	LastName   *string   `json:"user_last_name"`
	Phone      *string   `json:"phone_number"`
	Status     *string   `json:"status"`
	RoleID     *string   `json:"role_id"`
	Hidden     *bool     `json:"is_hidden"`
	UserGroups *[]string `json:"user_groups"`
}

func (f *fake) editUser(q request) answer {
	u := f.st.user(q.vars[0])
	if u == nil {
		if f.is(swUnknownUser, "500") {
			return emptyAnswer(http.StatusInternalServerError)
		}
		return f.invalid(q, "user %s does not exist", q.vars[0])
	}
	var p userPatch
	if err := q.into(&p); err != nil {
		return f.invalid(q, "%s", err)
	}
	if why := f.badPatch(u, p); why != "" {
		return f.invalid(q, "%s", why)
	}
	if !f.isOwner(q.key) && f.guarded(u, p) {
		return f.forbidden(q, extraOwner)
	}
	f.patch(u, p)
	return done(http.StatusOK, "user "+u.Email+" updated successfully")
}

// badPatch says what is wrong with the values, or nothing.
func (f *fake) badPatch(u *user, p userPatch) string {
	if p.Status != nil && *p.Status != statusActive && *p.Status != statusDisabled {
		return "status " + *p.Status + " is not one of Active, Disabled"
	}
	if p.RoleID != nil && *p.RoleID != "" && !f.shown(*p.RoleID) {
		return "role_id " + *p.RoleID + " does not exist"
	}
	if p.UserGroups != nil {
		for _, id := range *p.UserGroups {
			if f.st.group(id) == nil {
				return "group_id " + id + " does not exist"
			}
		}
	}
	if p.RoleID != nil && *p.RoleID == roleAccountAdmin && u.RoleID != roleAccountAdmin {
		return "Can not update users to Account Admin role."
	}
	lowered := p.RoleID != nil && *p.RoleID != u.RoleID || p.Status != nil && *p.Status != u.Status
	if u.RoleID == roleAccountAdmin && lowered {
		return "Can not update users with Account Admin role."
	}
	return ""
}

// shown reports whether a role is there to be given.
func (f *fake) shown(roleID string) bool {
	return slices.ContainsFunc(f.st.allRoles(), func(r role) bool { return r.ID == roleID })
}

// guarded reports whether an edit touches Instance Administrator: the person
// holds it, or would.
func (f *fake) guarded(u *user, p userPatch) bool {
	if f.st.owner(u) || p.RoleID != nil && *p.RoleID == roleInstanceAdmin {
		return true
	}
	return p.UserGroups != nil && slices.ContainsFunc(*p.UserGroups, func(id string) bool {
		return f.st.group(id).RoleID == roleInstanceAdmin
	})
}

func (f *fake) patch(u *user, p userPatch) {
	set(&u.FirstName, p.FirstName)
	set(&u.LastName, p.LastName)
	set(&u.Phone, p.Phone)
	set(&u.Status, p.Status)
	set(&u.RoleID, p.RoleID)
	set(&u.Hidden, p.Hidden)
	if p.UserGroups == nil {
		return
	}
	for i := range f.st.Groups {
		g := &f.st.Groups[i]
		if slices.Contains(*p.UserGroups, g.ID) {
			if !slices.Contains(g.members(), u.Email) {
				g.Users = append(g.Users, u.Email)
			}
			continue
		}
		g.Users = without(g.Users, u.Email)
		if f.is(swResidual, off) {
			g.Mapped = without(g.Mapped, u.Email)
		}
	}
}

// set stores a value that was sent.
func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func without(list []string, gone string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == gone })
}
