package carbonblack

import (
	"net/http"
	"slices"
	"strings"
)

// permittedRoles lists what the key may assign: once for the organisation and
// once for its children. A role that counts in both is in both lists.
func (s *server) permittedRoles(c call) answer {
	if c.vars["key"] != apiID {
		return s.problem(http.StatusNotFound, "no such principal")
	}
	if c.query.Get("type") != "USER" {
		return s.bad("type must be USER")
	}
	own, children := []role{}, []role{}
	for _, r := range s.st.Roles {
		if !s.assignable(r.URN) {
			continue
		}
		own = append(own, r)
		if builtIn(r.URN) {
			r.Scoped = orgURN + ":CHILDREN"
			children = append(children, r)
		}
	}
	key := orgURN
	if s.is("results-key", "bare") {
		key = orgKey
	}
	// Clients walk every value at the top, so nothing else may stand there.
	return answer{status: http.StatusOK, body: map[string]any{
		"results": map[string]any{key: own, key + ":CHILDREN": children},
	}}
}

func builtIn(urn string) bool { return strings.HasPrefix(urn, "psc:role::") }

// assignable reports whether a role exists and the key may hand it out.
func (s *server) assignable(urn string) bool {
	if !slices.ContainsFunc(s.st.Roles, func(r role) bool { return r.URN == urn }) {
		return false
	}
	switch scope := s.st.Switches["role-scope"]; scope {
	case "all":
		return true
	case "none":
		return false
	default:
		return slices.Contains(strings.Split(scope, ","), urn)
	}
}

// forbidden gives the first role the key may not assign, or "". Roles that
// were there before are not assigned anew, unless a switch says so.
func (s *server) forbidden(roles, before []string) string {
	for _, urn := range roles {
		if slices.Contains(before, urn) && s.is("role-check", "added") {
			continue
		}
		if !s.assignable(urn) {
			return urn
		}
	}
	return ""
}
