package crowdstrike

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// wireGrant is a role held, as the modern operations answer.
type wireGrant struct {
	UUID          string `json:"uuid"`
	CID           string `json:"cid"`
	RoleID        string `json:"role_id"`
	RoleName      string `json:"role_name"`
	GrantType     string `json:"grant_type"`
	ParentCID     string `json:"parent_cid,omitempty"`
	CIDGroupID    string `json:"cid_group_id,omitempty"`
	CIDGroupName  string `json:"cid_group_name,omitempty"`
	UserGroupID   string `json:"user_group_id,omitempty"`
	UserGroupName string `json:"user_group_name,omitempty"`
	UserType      string `json:"user_type,omitempty"`
	ExpiresAt     string `json:"expires_at,omitempty"`
}

func (f *fake) wireGrant(g grant, u user) wireGrant {
	r, _ := f.st.role(g.RoleID)
	w := wireGrant{
		UUID: g.UUID, CID: g.CID, RoleID: g.RoleID, RoleName: r.DisplayName, GrantType: g.GrantType,
		ParentCID: g.ParentCID, CIDGroupID: g.CIDGroupID, CIDGroupName: g.CIDGroupName,
		UserGroupID: g.UserGroupID, UserGroupName: g.UserGroupName, UserType: u.UserType,
	}
	if !g.ExpiresAt.IsZero() {
		w.ExpiresAt = g.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return w
}

// userGrants is operation CombinedUserRolesV2.
func (f *fake) userGrants(c *call) (reply, error) {
	list, p, err := f.held(c)
	if err != nil {
		return reply{}, err
	}
	return page(list, p), nil
}

// userGrantsV1 is the deprecated operation, which knows no expiry.
func (f *fake) userGrantsV1(c *call) (reply, error) {
	list, p, err := f.held(c)
	if err != nil {
		return reply{}, err
	}
	for i := range list {
		list[i].ExpiresAt, list[i].UserType = "", ""
	}
	return page(list, p), nil
}

// held reads the roles of a user in the CIDs that the token reaches.
func (f *fake) held(c *call) ([]wireGrant, *pagination, error) {
	wanted, err := parseFilter(c.query.Get("filter"), "expires_at", "role_id", "role_name")
	if err != nil {
		return nil, nil, err
	}
	property, desc, err := c.sorting("cid", "expires_at", "role_name", "type", "user_uuid")
	if err != nil {
		return nil, nil, err
	}
	only, err := c.flag("direct_only")
	if err != nil {
		return nil, nil, err
	}
	reach := c.reach
	if cid := c.query.Get("cid"); cid != "" {
		one, err := c.customer(cid)
		if err != nil {
			return nil, nil, err
		}
		reach = []string{one}
	}
	uuid := c.query.Get("user_uuid")
	u := f.st.user(uuid)
	if u == nil || !f.sees(c, *u) {
		return f.heldByNobody(c, uuid)
	}
	list := []wireGrant{}
	for _, g := range f.shown(c, uuid) {
		w := f.wireGrant(g, *u)
		if slices.Contains(reach, g.CID) && (!only || g.GrantType == direct) && wanted(w.properties) {
			list = append(list, w)
		}
	}
	list = arrange(f, list, property != "", desc, func(w wireGrant) string {
		return strings.ToLower(strings.Join(w.properties(property), "")) + "\x00" + w.CID + w.RoleID
	})
	return paged(f, c, list)
}

func (f *fake) heldByNobody(c *call, uuid string) ([]wireGrant, *pagination, error) {
	switch {
	case uuid != "" && f.is("grants-unknown", "404"):
		return nil, nil, refuse(http.StatusNotFound, "user not found")
	case uuid != "" && f.is("grants-unknown", "empty"):
		return paged(f, c, []wireGrant{})
	}
	return nil, nil, noUser(uuid)
}

func (w wireGrant) properties(property string) []string {
	value := ""
	switch property {
	case "cid":
		value = w.CID
	case "expires_at":
		value = w.ExpiresAt
	case "role_id":
		value = w.RoleID
	case "role_name":
		value = w.RoleName
	case "type":
		value = w.GrantType
	case "user_uuid":
		value = w.UUID
	}
	if value == "" {
		return nil
	}
	return []string{value}
}

// roleAction is operation userRolesActionV1: all roles or none.
func (f *fake) roleAction(c *call) (reply, error) {
	in, err := c.fields("action", "uuid", "cid", "role_ids", "expires_at")
	if err != nil {
		return reply{}, err
	}
	var what, uuid, cid, end string
	for key, into := range map[string]*string{"action": &what, "uuid": &uuid, "cid": &cid, "expires_at": &end} {
		if *into, err = in.text(key); err != nil {
			return reply{}, err
		}
	}
	if what != "grant" && what != "revoke" {
		return reply{}, refuse(http.StatusBadRequest, "invalid action='%s' specified", what)
	}
	if cid == "" {
		return reply{}, refuse(http.StatusBadRequest, "invalid cid='' specified")
	}
	if cid, err = c.customer(cid); err != nil {
		return reply{}, err
	}
	ids, err := in.list("role_ids")
	if err != nil {
		return reply{}, err
	}
	expires, err := expiry(c, what, end)
	if err != nil {
		return reply{}, err
	}
	return done(), f.changeRoles(c, what == "grant", uuid, cid, ids, expires)
}

// expiry reads expires_at: a time to come, in UTC. It goes with grants only.
func expiry(c *call, action, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	if action != "grant" {
		c.note("expires_at goes with grant only; it is ignored")
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil || !strings.HasSuffix(value, "Z") || !t.After(c.now) {
		return time.Time{}, refuse(http.StatusBadRequest, "invalid expires_at='%s' specified", value)
	}
	return t, nil
}

// changeRoles gives or takes direct roles after checking all of them. Giving
// what is held changes when it ends; taking what is not held does nothing.
func (f *fake) changeRoles(c *call, give bool, uuid, cid string, ids []string, expires time.Time) error {
	u := f.st.user(uuid)
	if u == nil || !f.sees(c, *u) {
		return noUser(uuid)
	}
	for _, id := range ids {
		if !f.fits(id, cid, *u) {
			return refuse(http.StatusBadRequest, "invalid roleID='%s' specified", id)
		}
	}
	f.keep(c, uuid)
	for _, id := range ids {
		i := f.directly(uuid, cid, id)
		switch {
		case give && i >= 0:
			f.st.Grants[i].ExpiresAt = expires
		case give:
			f.st.Grants = append(f.st.Grants, grant{UUID: uuid, CID: cid, RoleID: id, GrantType: direct, ExpiresAt: expires})
		case i >= 0:
			f.st.Grants = slices.Delete(f.st.Grants, i, i+1)
		}
	}
	return nil
}

// directly finds a direct grant, or returns -1.
func (f *fake) directly(uuid, cid, id string) int {
	return slices.IndexFunc(f.st.Grants, func(g grant) bool {
		return g.UUID == uuid && g.CID == cid && g.RoleID == id && g.GrantType == direct
	})
}
