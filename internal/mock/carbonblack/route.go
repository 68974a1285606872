package carbonblack

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Permissions of an API key, by their names in the console.
const (
	manageUsers = "Manage Users"
	manageRoles = "Manage Roles"
)

// call is what a handler sees of a request.
type call struct {
	vars  map[string]string
	query url.Values
	body  []byte
	now   time.Time
	note  func(string) // tells a developer, not the client
}

type route struct {
	method  string
	pattern []string
	need    string
	read    bool
	create  bool // the one call that speaks of registrations
	remove  bool // the one call that a grant stands in the way of
	do      func(call) answer
}

const (
	usersPath  = "/appservices/v6/orgs/{org}/users"
	userPath   = usersPath + "/{login}"
	grantsPath = "/access/v2/orgs/{org}/grants"
	grantPath  = grantsPath + "/{principal}"
	partsPath  = grantPath + "/profiles"
	partPath   = partsPath + "/{profile}"
	fetchPath  = "/access/v2/grants/_fetch"
	rolesPath  = "/access/v3/orgs/{org}/principals/{key}/roles/permitted"
)

func (s *server) table() []route {
	at := func(path string) []string { return strings.Split(path, "/") }
	return []route{
		{method: http.MethodGet, pattern: at(usersPath), need: manageUsers, read: true, do: s.listUsers},
		{method: http.MethodPost, pattern: at(usersPath), need: manageUsers, create: true, do: s.createUser},
		{method: http.MethodPut, pattern: at(userPath), need: manageUsers, do: s.modifyUser},
		{method: http.MethodDelete, pattern: at(userPath), need: manageUsers, remove: true, do: s.deleteUser},
		{method: http.MethodDelete, pattern: at(userPath + "/google-auth"), need: manageUsers, do: s.resetGoogleAuth},
		{method: http.MethodPost, pattern: at(fetchPath), need: manageRoles, read: true, do: s.fetchGrants},
		{method: http.MethodPost, pattern: at(grantsPath), need: manageRoles, do: s.createGrant},
		{method: http.MethodPost, pattern: at(grantsPath + "/"), need: manageRoles, do: s.createGrant},
		{method: http.MethodGet, pattern: at(grantPath), need: manageRoles, read: true, do: s.getGrant},
		{method: http.MethodPut, pattern: at(grantPath), need: manageRoles, do: s.updateGrant},
		{method: http.MethodDelete, pattern: at(grantPath), need: manageRoles, do: s.deleteGrant},
		{method: http.MethodPost, pattern: at(partsPath), need: manageRoles, do: s.addProfile},
		{method: http.MethodPut, pattern: at(partPath), need: manageRoles, do: s.updateProfile},
		{method: http.MethodDelete, pattern: at(partPath), need: manageRoles, do: s.disableProfile},
		{method: http.MethodGet, pattern: at(rolesPath), need: manageRoles, read: true, do: s.permittedRoles},
	}
}

// match finds the route of a request. It splits the path as it was sent and
// decodes the parts afterwards: clients write the colons of a URN both ways.
func (s *server) match(r *http.Request) (route, map[string]string, bool) {
	parts := strings.Split(r.URL.EscapedPath(), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return route{}, nil, false
		}
		parts[i] = plain
	}
	for _, rt := range s.routes {
		if rt.method != r.Method {
			continue
		}
		if vars, ok := fit(rt.pattern, parts); ok {
			return rt, vars, true
		}
	}
	return route{}, nil, false
}

func fit(pattern, parts []string) (map[string]string, bool) {
	if len(pattern) != len(parts) {
		return nil, false
	}
	vars := map[string]string{}
	for i, want := range pattern {
		name, ok := strings.CutPrefix(want, "{")
		switch {
		case ok && parts[i] != "":
			vars[strings.TrimSuffix(name, "}")] = parts[i]
		case want != parts[i]:
			return nil, false
		}
	}
	return vars, true
}
