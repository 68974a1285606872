package carbonblack

import (
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
)

// createUser invites somebody. The answer names no login: there is none until
// the invitation is taken up.
func (s *server) createUser(c call) answer {
	var in invitation
	if err := c.decode(&in); err != nil {
		return s.bad("no invitation in the body")
	}
	switch {
	case in.Email == "":
		return s.bad("email is missing")
	case in.Role != deprecated:
		return s.bad("role must be " + deprecated)
	case in.OrgID != 0 && in.OrgID != orgID:
		return refusedRegistration(http.StatusNotFound, "INVALID_ORGANIZATION")
	case in.RoleURN != "" && !validRole(in.RoleURN):
		return s.bad("role_urn is not the URN of a role")
	}
	if in.AuthMethod == "" {
		in.AuthMethod = "PASSWORD"
	}
	if !validAuth(in.AuthMethod) {
		return s.bad("auth_method must be PASSWORD or SAML")
	}
	roles := []string{}
	if in.RoleURN != "" {
		roles = append(roles, in.RoleURN)
	}
	for i := range in.Profiles {
		in.Profiles[i].UUID = ""
		if fault := s.fault(in.Profiles[i]); fault != "" {
			return s.bad(fault)
		}
		roles = append(roles, in.Profiles[i].Roles...)
	}
	if status := s.refuseAddress(in.Email); status != "" {
		return refusedRegistration(s.status("rejected-status"), status)
	}
	if role := s.forbidden(roles, nil); role != "" {
		return s.problem(http.StatusForbidden, "this key may not assign "+role)
	}
	if s.taken(in.Email, 0) {
		return refusedRegistration(s.status("duplicate-status"), s.st.Switches["duplicate-code"])
	}
	if status, _, _ := strings.Cut(s.st.Switches["create-failure"], ":"); status != "off" {
		s.spend("create-failure")
		return refusedRegistration(http.StatusCreated, status)
	}
	s.st.Pending = append(s.st.Pending, in)
	done := registration{Success: true, Message: "Success", Status: "SUCCESS"}
	if mode := s.st.Switches["instant-activation"]; mode != "off" {
		u := s.activate(len(s.st.Pending) - 1)
		if mode == "with-id" {
			id := strconv.Itoa(u.LoginID)
			done.LoginID = &id
		}
	}
	return answer{status: http.StatusCreated, body: done}
}

func refusedRegistration(status int, code string) answer {
	text := strings.ToLower(strings.ReplaceAll(code, "_", " "))
	return answer{status: status, body: registration{Message: text, Status: code}}
}

func validAuth(method string) bool {
	return slices.Contains([]string{"PASSWORD", "SAML", "OAUTH"}, method)
}

// taken reports whether an address belongs to anybody but the given user: one
// listed, one invited, or one in another organisation.
func (s *server) taken(address string, but int) bool {
	return slices.ContainsFunc(s.st.Users, func(u user) bool {
		return u.LoginID != but && (strings.EqualFold(u.Email, address) || strings.EqualFold(u.LoginName, address))
	}) || s.pendingAt(address) >= 0 || slices.ContainsFunc(s.st.Elsewhere, func(e string) bool {
		return strings.EqualFold(e, address)
	})
}

func (s *server) pendingAt(address string) int {
	return slices.IndexFunc(s.st.Pending, func(in invitation) bool { return strings.EqualFold(in.Email, address) })
}

// refuseAddress gives the status with which an address is turned down, or "".
func (s *server) refuseAddress(address string) string {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || strings.ContainsAny(address, " \t\"") {
		return "INVALID_EMAIL"
	}
	_, domain, _ := strings.Cut(address, "@")
	if !strings.Contains(domain, ".") {
		return "INVALID_EMAIL"
	}
	domain = strings.ToLower(domain)
	for _, allowed := range s.st.Domains {
		suffix, wild := strings.CutPrefix(strings.ToLower(allowed), "*")
		if domain == suffix || wild && strings.HasSuffix(domain, suffix) {
			return ""
		}
	}
	return "DOMAIN_PROHIBITED"
}

// Activate takes up an invitation: the person appears in the list, with the
// grant that the invitation carried.
func (s *server) Activate(login string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.pendingAt(login)
	if at < 0 {
		return fmt.Errorf("no pending invitation for %q", login)
	}
	s.activate(at)
	return nil
}

func (s *server) activate(at int) user {
	in := s.st.Pending[at]
	s.st.Pending = slices.Delete(s.st.Pending, at, at+1)
	u := user{
		OrgKey: orgKey, OrgID: orgID, Role: deprecated, AuthMethod: in.AuthMethod,
		LoginID: s.st.NextLogin, ContactID: s.st.NextContact, AdminLoginVersion: 1,
		LoginName: in.Email, Email: in.Email, Phone: in.Phone, FirstName: in.FirstName, LastName: in.LastName,
	}
	s.st.NextLogin++
	s.st.NextContact++
	s.st.Users = append(s.st.Users, u)

	g := grant{Principal: u.urn(), OrgRef: orgURN, PrincipalName: u.name(), Roles: []string{}, Profiles: []profile{}}
	switch form := s.st.Switches["grant-form"]; {
	case len(in.Profiles) > 0 && form == "roles":
		g.Roles = unique(grant{Profiles: in.Profiles}.held())
	case len(in.Profiles) > 0:
		g.Profiles = in.Profiles
	case in.RoleURN == "":
		return u
	case form == "profiles":
		g.Profiles = []profile{{Orgs: orgs{Allow: []string{orgURN}}, Roles: []string{in.RoleURN}}}
	default:
		g.Roles = []string{in.RoleURN}
	}
	s.store(g, s.now())
	return u
}
