package cortex

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// getUsers lists everybody, disabled and hidden people included, in the order
// in which they came. Roles are shown by display name, and only direct ones.
func (f *fake) getUsers(request) answer {
	list := []object{}
	for _, u := range f.st.Users {
		list = append(list, object{
			"user_email": u.Email, "user_first_name": u.FirstName, "user_last_name": u.LastName,
			"role_name": orNull(f.st.roleName(u.RoleID)), "last_logged_in": u.LastLogin, "user_type": u.Type,
			"groups": f.groupsShape(u), "scope": f.scopeShape(u),
		})
	}
	return replied(list)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (f *fake) groupsShape(u user) any {
	names, objects := []string{}, []object{}
	for _, g := range f.st.groupsOf(u.Email) {
		names = append(names, g.Name)
		objects = append(objects, object{"group_name": g.Name})
	}
	switch f.st.Switches[swGroupsShape] {
	case "objects":
		return objects
	case "null":
		return nil
	}
	return names
}

func (f *fake) scopeShape(u user) any {
	switch f.st.Switches[swScopeShape] {
	case "object":
		return f.scopeOf("user", u.Email)
	case "null":
		return nil
	}
	tags := []object{}
	for i, name := range u.Tags {
		tags = append(tags, object{"tag_id": strconv.Itoa(i + 1), "tag_name_with_alias": name})
	}
	return tags
}

// setUserRole gives some people a direct role in place of the one they have,
// or takes it from them. Either all of it is refused or none.
func (f *fake) setUserRole(q request) answer {
	data, err := q.data()
	if err != nil {
		return f.broken(q, "request_data is no object")
	}
	var emails []string
	if json.Unmarshal(data["user_emails"], &emails) != nil || len(emails) == 0 {
		return f.broken(q, "user_emails param is missing")
	}
	var name *string
	if json.Unmarshal(data["role_name"], &name) != nil || name == nil {
		return f.broken(q, "role_name param is missing")
	}
	roleID := ""
	if *name != "" {
		roles := f.st.rolesNamed(*name)
		if len(roles) == 0 {
			return f.broken(q, f.notFound("Role", *name))
		}
		roleID = roles[0].ID
	}
	if roleID == roleAccountAdmin {
		return f.broken(q, "Can not update users to Account Admin role.")
	}
	if refusal, ok := f.refuseTargets(q, emails, roleID); !ok {
		return refusal
	}
	if f.is(swSilentRefusal, on) {
		return f.counted(0)
	}
	count := 0
	for _, email := range emails {
		if u := f.st.user(email); u != nil && u.RoleID != roleID {
			u.RoleID = roleID
			count++
		}
	}
	return f.counted(count)
}

// refuseTargets refuses people who are protected or, by the switch, unknown.
func (f *fake) refuseTargets(q request, emails []string, roleID string) (answer, bool) {
	for _, email := range emails {
		u := f.st.user(email)
		switch {
		case u == nil && f.is(swUnknownEmail, "500"):
			return f.broken(q, f.notFound("id", email)), false
		case u == nil:
		case u.RoleID == roleAccountAdmin:
			return f.broken(q, "Can not update users with Account Admin role."), false
		case !f.isOwner(q.key) && f.st.owner(u):
			return f.forbidden(q, extraOwner), false
		}
	}
	if roleID == roleInstanceAdmin && !f.isOwner(q.key) {
		return f.forbidden(q, extraOwner), false
	}
	return answer{}, true
}

// counted writes how many people were changed. Documentation says a string;
// what comes for nobody is a number.
func (f *fake) counted(n int) answer {
	var count any = strconv.Itoa(n)
	if f.is(swUpdateCount, "int") || n == 0 && f.is(swUpdateCount, "mixed") {
		count = n
	}
	return jsonAnswer(http.StatusOK, object{"reply": object{"update_count": count}})
}
