package crowdstrike

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// wireUser is a user as the modern operations answer; what is absent is left
// out.
type wireUser struct {
	UUID        string   `json:"uuid,omitempty"`
	CID         string   `json:"cid"`
	UID         string   `json:"uid"`
	Status      string   `json:"status"`
	FirstName   string   `json:"first_name,omitempty"`
	LastName    string   `json:"last_name,omitempty"`
	UserType    string   `json:"user_type,omitempty"`
	LastLoginAt string   `json:"last_login_at,omitempty"`
	Factors     []string `json:"factors,omitempty"`
	CreatedAt   string   `json:"created_at"`
	UpdatedAt   string   `json:"updated_at"`
}

func (u user) wire() wireUser {
	return wireUser{
		UUID: u.UUID, CID: u.CID, UID: u.UID, Status: u.Status, FirstName: u.FirstName, LastName: u.LastName,
		UserType: u.UserType, LastLoginAt: stamp(u.LastLoginAt), Factors: u.Factors,
		CreatedAt: stamp(u.CreatedAt), UpdatedAt: stamp(u.UpdatedAt),
	}
}

// stamp is a time with microseconds; empty for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// queryUsers is operation queryUserV1.
func (f *fake) queryUsers(c *call) (reply, error) {
	wanted, err := parseFilter(c.query.Get("filter"),
		"assigned_cids", "cid", "direct_assigned_cids", "factors", "first_name", "has_temporary_roles", "last_name",
		"name", "non_ancestor_assigned_cids", "status", "temporarily_assigned_cids", "uid", "uuid")
	if err != nil {
		return reply{}, err
	}
	property, desc, err := c.sorting("cid_name", "created_at", "first_name", "has_temporary_roles", "last_login_at",
		"last_name", "name", "status", "temporarily_assigned_cids", "uid")
	if err != nil {
		return reply{}, err
	}
	var found []user
	for _, u := range f.st.Users {
		if f.sees(c, u) && wanted(f.properties(u)) && f.listed(c, u) {
			found = append(found, u)
		}
	}
	found = arrange(f, found, property != "", desc, func(u user) string {
		return strings.ToLower(strings.Join(f.properties(u)(property), " "))
	})
	found, p, err := paged(f, c, found)
	if err != nil {
		return reply{}, err
	}
	return page(uuids(found), p), nil
}

func uuids(users []user) []string {
	ids := make([]string, 0, len(users))
	for _, u := range users {
		ids = append(ids, u.UUID)
	}
	return ids
}

// sees reports whether a user is of, or has a role in, a CID the token reaches.
func (f *fake) sees(c *call, u user) bool {
	return slices.Contains(c.reach, u.CID) || slices.ContainsFunc(f.st.grantsOf(u.UUID), func(g grant) bool {
		return slices.Contains(c.reach, g.CID)
	})
}

// properties are those that users are filtered and sorted by.
func (f *fake) properties(u user) func(string) []string {
	cids := func(wanted func(grant) bool) []string {
		var list []string
		for _, g := range f.st.grantsOf(u.UUID) {
			if wanted(g) && !slices.Contains(list, g.CID) {
				list = append(list, g.CID)
			}
		}
		return list
	}
	temporary := func(g grant) bool { return !g.ExpiresAt.IsZero() }
	return func(property string) []string {
		switch property {
		case "assigned_cids":
			return cids(func(grant) bool { return true })
		case "direct_assigned_cids":
			return cids(func(g grant) bool { return g.GrantType == direct })
		case "non_ancestor_assigned_cids":
			return cids(func(g grant) bool { return g.ParentCID == "" })
		case "temporarily_assigned_cids":
			return cids(temporary)
		case "has_temporary_roles":
			return []string{strconv.FormatBool(len(cids(temporary)) > 0)}
		case "cid":
			return []string{u.CID}
		case "cid_name":
			return []string{f.st.cidName(u.CID)}
		case "factors":
			return u.Factors
		case "name":
			return []string{strings.TrimSpace(u.FirstName + " " + u.LastName)}
		case "first_name":
			return []string{u.FirstName}
		case "last_name":
			return []string{u.LastName}
		case "status":
			return []string{u.Status}
		case "uid":
			return []string{u.UID}
		case "uuid":
			return []string{u.UUID}
		case "created_at":
			return []string{stamp(u.CreatedAt)}
		case "last_login_at":
			return []string{stamp(u.LastLoginAt)}
		}
		return nil
	}
}

// readUsers is operation retrieveUsersGETV1. Who is not found is left out.
func (f *fake) readUsers(c *call) (reply, error) {
	in, err := c.fields("ids")
	if err != nil {
		return reply{}, err
	}
	ids, err := in.list("ids")
	if err != nil {
		return reply{}, err
	}
	found, missing := f.pick(c, ids)
	out := make([]wireUser, 0, len(found))
	for _, u := range found {
		out = append(out, u.wire())
	}
	rep := records(out)
	if f.is("bulk-unknown", "error") {
		for _, id := range missing {
			rep.errors = append(rep.errors, fault{http.StatusNotFound, "user not found", id})
		}
	}
	return rep, nil
}

// pick finds users by their ids, each once.
func (f *fake) pick(c *call, ids []string) (found []user, missing []string) {
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		if u := f.st.user(id); u != nil && f.sees(c, *u) {
			found = append(found, *u)
		} else {
			missing = append(missing, id)
		}
	}
	return found, missing
}

// updateUser is operation updateUserV1: it replaces both names.
func (f *fake) updateUser(c *call) (reply, error) {
	u, err := f.target(c)
	if err != nil {
		return reply{}, err
	}
	in, err := c.fields("first_name", "last_name")
	if err != nil {
		return reply{}, err
	}
	if f.is("update-missing-name", "refuse") && (!in.has("first_name") || !in.has("last_name")) {
		return reply{}, refuse(http.StatusBadRequest, "first_name and last_name are required")
	}
	first, err := in.text("first_name")
	if err != nil {
		return reply{}, err
	}
	last, err := in.text("last_name")
	if err != nil {
		return reply{}, err
	}
	u.FirstName, u.LastName, u.UpdatedAt = first, last, c.now.UTC()
	return records([]wireUser{u.wire()}), nil
}

// deleteUser is operation deleteUserV1, and the legacy one too.
func (f *fake) deleteUser(c *call) (reply, error) {
	u, err := f.target(c)
	if err != nil {
		return reply{}, err
	}
	id := u.UUID
	f.st.Users = slices.DeleteFunc(f.st.Users, func(u user) bool { return u.UUID == id })
	f.st.Grants = slices.DeleteFunc(f.st.Grants, func(g grant) bool { return g.UUID == id })
	delete(f.stale, id)
	delete(f.hidden, id)
	return done(), nil
}

// target is the user in the query whom a call is to change.
func (f *fake) target(c *call) (*user, error) {
	id := c.query.Get("user_uuid")
	u := f.st.user(id)
	switch {
	case id == "":
		return nil, noUser(id)
	case u == nil || !f.sees(c, *u):
		if f.is("delete-unknown", "400") {
			return nil, noUser(id)
		}
		return nil, refuse(http.StatusNotFound, "user not found")
	case !slices.Contains(c.reach, u.CID):
		return nil, refuse(http.StatusForbidden, "access denied, authorization failed")
	}
	return u, nil
}

func noUser(id string) error {
	return refuse(http.StatusBadRequest, "invalid user uuid='%s' specified", id)
}
