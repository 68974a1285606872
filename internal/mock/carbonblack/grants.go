package carbonblack

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

func (s *server) grantAt(principal string) int {
	return slices.IndexFunc(s.st.Grants, func(g grant) bool { return g.Principal == principal })
}

// fetchGrants leaves out whoever has no grant, and says nothing about it.
func (s *server) fetchGrants(c call) answer {
	var asked []struct {
		Principal string `json:"principal"`
		OrgRef    string `json:"org_ref"`
	}
	if err := c.decode(&asked); err != nil || len(asked) == 0 {
		return s.bad("no principals in the body")
	}
	if limit, _ := strconv.Atoi(s.st.Switches["fetch-limit"]); limit > 0 && len(asked) > limit {
		return s.bad("too many principals in one call")
	}
	found := []grant{}
	for _, q := range asked {
		if q.Principal == "" || q.OrgRef == "" {
			return s.bad("principal and org_ref are required")
		}
		if at := s.grantAt(q.Principal); at >= 0 && q.OrgRef == s.st.Grants[at].OrgRef {
			found = append(found, s.grantOut(s.st.Grants[at]))
		}
	}
	return answer{status: http.StatusOK, body: map[string]any{"results": found}}
}

func (s *server) getGrant(c call) answer {
	at := s.grantAt(c.vars["principal"])
	if at < 0 {
		return s.noGrant()
	}
	return answer{status: http.StatusOK, body: s.grantOut(s.st.Grants[at])}
}

func (s *server) createGrant(c call) answer {
	var g grant
	if err := c.decode(&g); err != nil || g.Principal == "" {
		return s.bad("no grant in the body")
	}
	at := slices.IndexFunc(s.st.Users, func(u user) bool { return u.urn() == g.Principal })
	if at < 0 {
		return s.problem(http.StatusNotFound, "no such principal")
	}
	if s.grantAt(g.Principal) >= 0 {
		return s.problem(http.StatusConflict, "the principal has a grant already")
	}
	if refused := s.refuse(g, grant{}); refused != nil {
		return *refused
	}
	for i := range g.Profiles {
		g.Profiles[i].UUID = ""
	}
	g.OrgRef = orgURN
	if g.PrincipalName == "" {
		g.PrincipalName = s.st.Users[at].name()
	}
	return answer{status: s.status("grant-create-status"), body: s.grantOut(s.store(g, c.now))}
}

// updateGrant replaces a grant as a whole but for what the server makes.
func (s *server) updateGrant(c call) answer {
	at := s.grantAt(c.vars["principal"])
	if at < 0 {
		return s.noGrant()
	}
	old := s.st.Grants[at]
	var g grant
	if err := c.decode(&g); err != nil || g.Principal != "" && g.Principal != old.Principal {
		return s.bad("no grant of this principal in the body")
	}
	if refused := s.refuse(g, old); refused != nil {
		return *refused
	}
	for i, p := range g.Profiles {
		if !slices.ContainsFunc(old.Profiles, func(o profile) bool { return o.UUID == p.UUID }) {
			g.Profiles[i].UUID = ""
		}
	}
	g.Principal, g.OrgRef = old.Principal, old.OrgRef
	g.CreatedBy, g.CreateTime = old.CreatedBy, old.CreateTime
	return answer{status: http.StatusOK, body: s.grantOut(s.store(g, c.now))}
}

// deleteGrant answers with the grant that is no more; clients take a missing
// body for a sign to read it again.
func (s *server) deleteGrant(c call) answer {
	at := s.grantAt(c.vars["principal"])
	if at < 0 {
		return s.noGrant()
	}
	gone := s.grantOut(s.st.Grants[at])
	s.st.Grants = slices.Delete(s.st.Grants, at, at+1)
	return answer{status: http.StatusOK, body: gone}
}

func (s *server) noGrant() answer {
	return s.problem(http.StatusNotFound, "the principal has no grant")
}

// refuse gives the reason not to replace old by g, if there is one.
func (s *server) refuse(g, old grant) *answer {
	no := func(status int, text string) *answer {
		a := s.problem(status, text)
		return &a
	}
	if g.OrgRef != "" && g.OrgRef != orgURN {
		return no(http.StatusBadRequest, "org_ref names another organisation")
	}
	for _, urn := range g.Roles {
		if !validRole(urn) {
			return no(http.StatusBadRequest, "roles has something that is not the URN of a role")
		}
	}
	for _, p := range g.Profiles {
		if fault := s.fault(p); fault != "" {
			return no(http.StatusBadRequest, fault)
		}
	}
	if len(g.Roles) == 0 && len(g.Profiles) == 0 && s.is("empty-roles-put", "reject") {
		return no(http.StatusBadRequest, "a grant needs roles or profiles")
	}
	wasMixed := len(old.Roles) > 0 && len(old.Profiles) > 0
	if len(g.Roles) > 0 && len(g.Profiles) > 0 && !wasMixed && s.is("mixed-grants", "reject") {
		return no(http.StatusBadRequest, "a grant holds roles or profiles, not both")
	}
	if role := s.forbidden(g.held(), old.held()); role != "" {
		return no(http.StatusForbidden, "this key may not assign "+role)
	}
	return nil
}

// store keeps a grant in place of the principal's old one and fills in what
// the server makes.
func (s *server) store(g grant, now time.Time) grant {
	g.UpdatedBy, g.UpdateTime = keyURN, now.UTC().Format(stamp)
	if g.CreatedBy == "" || s.grantAt(g.Principal) < 0 {
		g.CreatedBy, g.CreateTime = g.UpdatedBy, g.UpdateTime
	}
	g.Roles = unique(g.Roles)
	profiles := []profile{}
	for _, p := range g.Profiles {
		profiles = append(profiles, s.tidy(p))
	}
	g.Profiles = profiles
	if at := s.grantAt(g.Principal); at >= 0 {
		s.st.Grants[at] = g
	} else {
		s.st.Grants = append(s.st.Grants, g)
	}
	return g
}

// grantOut is a grant as it is sent, in the form the switches ask for.
func (s *server) grantOut(g grant) grant {
	g.Expires = g.Expires.in(s.st.Switches["grant-expires-form"])
	profiles := []profile{}
	for _, p := range g.Profiles {
		profiles = append(profiles, s.profileOut(p))
	}
	g.Profiles = profiles
	if s.is("null-lists", "on") {
		if len(g.Roles) == 0 {
			g.Roles = nil
		}
		if len(g.Profiles) == 0 {
			g.Profiles = nil
		}
	}
	return g
}
