package carbonblack

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
)

func (s *server) addProfile(c call) answer {
	at := s.grantAt(c.vars["principal"])
	if at < 0 {
		return s.noGrant()
	}
	g := s.st.Grants[at]
	var p profile
	if err := c.decode(&p); err != nil {
		return s.bad("no profile in the body")
	}
	p.UUID = ""
	g.Profiles = append(slices.Clone(g.Profiles), p)
	if refused := s.refuse(g, s.st.Grants[at]); refused != nil {
		return *refused
	}
	g = s.store(g, c.now)
	return answer{status: s.status("grant-create-status"), body: s.profileOut(g.Profiles[len(g.Profiles)-1])}
}

func (s *server) updateProfile(c call) answer {
	g, at := s.profileAt(c)
	if at < 0 {
		return s.problem(http.StatusNotFound, "no such profile")
	}
	var p profile
	if err := c.decode(&p); err != nil || p.UUID != "" && p.UUID != c.vars["profile"] {
		return s.bad("not this profile in the body")
	}
	if fault := s.fault(p); fault != "" {
		return s.bad(fault)
	}
	if role := s.forbidden(p.Roles, g.Profiles[at].Roles); role != "" {
		return s.problem(http.StatusForbidden, "this key may not assign "+role)
	}
	p.UUID = c.vars["profile"]
	g.Profiles[at] = p
	return answer{status: http.StatusOK, body: s.profileOut(s.store(g, c.now).Profiles[at])}
}

// disableProfile is what a DELETE does: the profile stays, with its roles, and
// gives no access.
func (s *server) disableProfile(c call) answer {
	g, at := s.profileAt(c)
	if at < 0 {
		return s.problem(http.StatusNotFound, "no such profile")
	}
	g.Profiles[at].Conditions.Disabled = true
	return answer{status: http.StatusOK, body: s.profileOut(s.store(g, c.now).Profiles[at])}
}

// profileAt gives a grant, its list of profiles copied, and the place of the
// profile that a call names.
func (s *server) profileAt(c call) (grant, int) {
	at := s.grantAt(c.vars["principal"])
	if at < 0 {
		return grant{}, -1
	}
	g := s.st.Grants[at]
	g.Profiles = slices.Clone(g.Profiles)
	return g, slices.IndexFunc(g.Profiles, func(p profile) bool { return p.UUID == c.vars["profile"] })
}

// fault says what is wrong with a profile a client sent, or "".
func (s *server) fault(p profile) string {
	if len(p.Orgs.Allow) == 0 && len(p.OrgGroups) == 0 {
		return "a profile needs orgs.allow"
	}
	for _, urn := range slices.Concat(p.Orgs.Allow, p.Orgs.Deny) {
		if !validOrg(urn) {
			return "orgs has something that is not the URN of an organisation"
		}
	}
	if len(p.Roles) == 0 && s.is("empty-roles-put", "reject") {
		return "a profile needs roles"
	}
	for _, urn := range p.Roles {
		if !validRole(urn) {
			return "roles has something that is not the URN of a role"
		}
	}
	return ""
}

// tidy gives a profile its id, and values to what the client left out.
func (s *server) tidy(p profile) profile {
	if p.UUID == "" {
		p.UUID = s.newUUID()
	}
	if p.CanManage == nil {
		p.CanManage = yes()
	}
	p.Roles = unique(p.Roles)
	p.Orgs.Allow = unique(p.Orgs.Allow)
	return p
}

// newUUID makes ids that differ from each other and are the same in every run,
// so that what a script prints can be compared.
func (s *server) newUUID() string {
	s.st.Serial++
	sum := sha256.Sum256([]byte("profile " + strconv.Itoa(s.st.Serial)))
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (s *server) profileOut(p profile) profile {
	p.Conditions.Expiration = p.Conditions.Expiration.in(s.st.Switches["profile-expiration-form"])
	if len(p.Roles) == 0 && s.is("null-lists", "on") {
		p.Roles = nil
	}
	return p
}
