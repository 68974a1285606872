package crowdstrike

import "net/http"

type family int

const (
	authFamily family = iota + 1
	modernFamily
	legacyFamily
	extraFamily // other collections, with scopes of their own
)

const (
	tokenPath   = "/oauth2/token" //nolint:gosec // G101: a path
	revokePath  = "/oauth2/revoke"
	usersPath   = "/user-management/entities/users/v1"
	legacyUsers = "/users/entities/users/v1"
	legacyRoles = "/user-roles/entities/user-roles/v1"
)

// route is one operation.
type route struct {
	family family
	write  bool
	query  []string // parameters it takes
	serve  func(*fake, *call) (reply, error)
}

// routes is the table of operations, by path and method.
func routes() map[string]map[string]route {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	table := map[string]map[string]route{}
	add := func(fam family, write bool, method, path string, serve func(*fake, *call) (reply, error), query ...string) {
		if table[path] == nil {
			table[path] = map[string]route{}
		}
		table[path][method] = route{fam, write, query, serve}
	}
	read := func(method, path string, serve func(*fake, *call) (reply, error), query ...string) {
		add(modernFamily, false, method, path, serve, query...)
	}
	write := func(method, path string, serve func(*fake, *call) (reply, error), query ...string) {
		add(modernFamily, true, method, path, serve, query...)
	}
	oldRead := func(path string, serve func(*fake, *call) (reply, error), query ...string) {
		add(legacyFamily, false, get, path, serve, query...)
	}
	oldWrite := func(method, path string, serve func(*fake, *call) (reply, error), query ...string) {
		add(legacyFamily, true, method, path, serve, query...)
	}

	add(authFamily, false, post, tokenPath, (*fake).issue)
	add(authFamily, false, post, revokePath, (*fake).revokeToken)

	read(get, "/user-management/queries/users/v1", (*fake).queryUsers, "filter", "offset", "limit", "sort")
	read(post, "/user-management/entities/users/GET/v1", (*fake).readUsers)
	write(post, usersPath, (*fake).createUser, "validate_only")
	write(patch, usersPath, (*fake).updateUser, "user_uuid")
	write(del, usersPath, (*fake).deleteUser, "user_uuid")
	write(post, "/user-management/entities/user-actions/v1", (*fake).userAction)
	read(get, "/user-management/queries/roles/v1", (*fake).queryRoles, "cid", "user_uuid", "action")
	read(post, "/user-management/entities/roles/GET/v2", (*fake).readRoles, "cid")
	read(get, "/user-management/entities/roles/v1", (*fake).readRolesV1, "ids", "cid")
	read(get, "/user-management/combined/user-roles/v2", (*fake).userGrants,
		"user_uuid", "cid", "direct_only", "filter", "offset", "limit", "sort")
	read(get, "/user-management/combined/user-roles/v1", (*fake).userGrantsV1,
		"user_uuid", "cid", "direct_only", "filter", "offset", "limit", "sort")
	write(post, "/user-management/entities/user-role-actions/v1", (*fake).roleAction)
	read(post, "/user-management/aggregates/users/v1", (*fake).aggregateUsers)

	oldRead("/user-roles/queries/user-role-ids-by-cid/v1", (*fake).legacyRoleIDs)
	oldRead("/user-roles/queries/user-role-ids-by-user-uuid/v1", (*fake).legacyUserRoleIDs, "user_uuid")
	oldRead(legacyRoles, (*fake).legacyReadRoles, "ids")
	oldWrite(post, legacyRoles, (*fake).legacyGrant, "user_uuid")
	oldWrite(del, legacyRoles, (*fake).legacyRevoke, "user_uuid", "ids")
	oldRead(legacyUsers, (*fake).legacyReadUsers, "ids")
	oldWrite(post, legacyUsers, (*fake).legacyCreateUser)
	oldWrite(patch, legacyUsers, (*fake).legacyUpdateUser, "user_uuid")
	oldWrite(del, legacyUsers, (*fake).deleteUser, "user_uuid")
	oldRead("/users/queries/emails-by-cid/v1", (*fake).legacyEmails)
	oldRead("/users/queries/user-uuids-by-cid/v1", (*fake).legacyUUIDs)
	oldRead("/users/queries/user-uuids-by-email/v1", (*fake).legacyUUIDsByEmail, "uid")

	add(extraFamily, false, get, "/mssp/queries/children/v1", (*fake).queryChildren, "offset", "limit", "sort", "filter")
	add(extraFamily, false, get, "/sensors/queries/installers/ccid/v1", (*fake).ownCID)
	return table
}
