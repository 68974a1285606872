package carbonblack

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *server) listUsers(call) answer {
	users := append([]user{}, s.st.Users...) // an empty list, never null
	return answer{status: http.StatusOK, body: map[string]any{
		"success": true, "message": "Success", "users": users,
	}}
}

// find gives the place of a listed user. Somebody who is only invited has no
// login and is not found.
func (s *server) find(login string) int {
	id, err := strconv.Atoi(login)
	if err != nil {
		return -1
	}
	return slices.IndexFunc(s.st.Users, func(u user) bool { return u.LoginID == id })
}

func (s *server) modifyUser(c call) answer {
	at := s.find(c.vars["login"])
	if at < 0 {
		return s.problem(http.StatusNotFound, "no such user")
	}
	u := s.st.Users[at]
	row, missing := wholeRow(c)
	switch {
	case missing != "":
		return s.bad("missing or unusable: " + missing)
	case row.LoginID != u.LoginID, row.OrgID != u.OrgID, row.OrgKey != u.OrgKey, row.ContactID != u.ContactID:
		return s.bad("login_id, org_id, org_key and contact_id cannot be changed")
	case row.Role != deprecated:
		return s.bad("role must be " + deprecated)
	case !validAuth(row.AuthMethod):
		return s.bad("auth_method must be PASSWORD or SAML")
	}
	if s.outdated(row, u) {
		return modified(http.StatusOK, true, "modified by another user")
	}
	if !strings.EqualFold(row.Email, u.Email) {
		if refusal := s.refuseAddress(row.Email); refusal != "" {
			return modified(http.StatusBadRequest, false, refusal)
		}
		if s.taken(row.Email, u.LoginID) {
			return modified(http.StatusConflict, false, "the address is registered already")
		}
	}
	if !strings.EqualFold(row.LoginName, u.LoginName) && s.taken(row.LoginName, u.LoginID) {
		return modified(http.StatusConflict, false, "the login name is registered already")
	}
	row.AdminLoginVersion++
	s.st.Users[at] = row
	return answer{status: http.StatusOK, body: modification{Success: true, Message: "Success"}}
}

// modification answers a modify call, refused or not.
type modification struct {
	ByAnother bool   `json:"modifiedByAnotherUser"`
	Success   bool   `json:"success"`
	Message   string `json:"message"`
}

func modified(status int, byAnother bool, text string) answer {
	return answer{status: status, body: modification{ByAnother: byAnother, Message: text}}
}

// wholeRow reads a user of whom nothing may be missing: the call replaces the
// row, so a field left out is a field lost.
func wholeRow(c call) (user, string) {
	fields := map[string]json.RawMessage{}
	if err := c.decode(&fields); err != nil {
		return user{}, "the user"
	}
	for _, name := range []string{
		"org_id", "login_id", "login_name", "role", "email", "contact_id",
		"org_key", "auth_method", "phone", "first_name", "last_name",
		"admin_login_version", "org_admin_version", "contact_version",
	} {
		if v, ok := fields[name]; !ok || string(v) == "null" {
			return user{}, name
		}
	}
	var u user
	if err := c.decode(&u); err != nil {
		return user{}, "a field of the wrong type"
	}
	if u.Email == "" || u.LoginName == "" {
		return user{}, "email, login_name"
	}
	return u, ""
}

// outdated reports whether the row was read before somebody else's change.
func (s *server) outdated(row, u user) bool {
	switch mode := s.st.Switches["modified-by-another"]; mode {
	case "version":
		return row.AdminLoginVersion != u.AdminLoginVersion ||
			row.OrgAdminVersion != u.OrgAdminVersion || row.ContactVersion != u.ContactVersion
	case "never":
		return false
	default:
		s.st.Switches["modified-by-another"] = oneLess(mode, "version")
		return true
	}
}

func (s *server) deleteUser(c call) answer {
	at := s.find(c.vars["login"])
	if at < 0 {
		return s.problem(http.StatusNotFound, "no such user")
	}
	u := s.st.Users[at]
	if s.grantAt(u.urn()) >= 0 {
		return grantInTheWay()
	}
	if s.is("delete-user-fails-once", "on") {
		s.st.Switches["delete-user-fails-once"] = "off"
		return s.problem(http.StatusInternalServerError, "the user was not removed")
	}
	s.st.Users = slices.Delete(s.st.Users, at, at+1)
	s.forgetGoogleAuth(u.LoginID)
	return answer{status: http.StatusNoContent}
}

func (s *server) resetGoogleAuth(c call) answer {
	at := s.find(c.vars["login"])
	if at < 0 {
		return s.problem(http.StatusNotFound, "no such user")
	}
	s.forgetGoogleAuth(s.st.Users[at].LoginID)
	return answer{status: http.StatusNoContent}
}

func (s *server) forgetGoogleAuth(login int) {
	s.st.GoogleAuth = slices.DeleteFunc(s.st.GoogleAuth, func(id int) bool { return id == login })
}
