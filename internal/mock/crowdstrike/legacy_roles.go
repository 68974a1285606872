package crowdstrike

import (
	"slices"
	"time"
)

type legacyRole struct {
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	Description string `json:"description"`
	CID         string `json:"cid,omitempty"`
}

// legacyRoleIDs is operation GetAvailableRoleIds.
func (f *fake) legacyRoleIDs(c *call) (reply, error) {
	return records(rotate(f.rolesOf(c.cid), f.answers)), nil
}

// legacyUserRoleIDs is operation GetUserRoleIds: roles in the token's CID,
// inherited ones too.
func (f *fake) legacyUserRoleIDs(c *call) (reply, error) {
	uuid := c.query.Get("user_uuid")
	u := f.st.user(uuid)
	if u == nil || !f.sees(c, *u) {
		return reply{}, noUser(uuid)
	}
	ids := []string{}
	for _, g := range f.shown(c, uuid) {
		if g.CID == c.cid && !slices.Contains(ids, g.RoleID) {
			ids = append(ids, g.RoleID)
		}
	}
	return records(ids), nil
}

// legacyReadRoles is operation GetRoles.
func (f *fake) legacyReadRoles(c *call) (reply, error) {
	ids, err := c.ids("ids")
	if err != nil {
		return reply{}, err
	}
	list, err := f.pickRoles(c, ids)
	if err != nil {
		return reply{}, err
	}
	out := make([]legacyRole, 0, len(list))
	for _, r := range list {
		out = append(out, legacyRole{r.ID, r.DisplayName, r.Description, r.CID})
	}
	return records(out), nil
}

// legacyGrant is operation GrantUserRoleIds.
func (f *fake) legacyGrant(c *call) (reply, error) {
	in, err := c.fields("roleIds")
	if err != nil {
		return reply{}, err
	}
	ids, err := in.list("roleIds")
	if err != nil {
		return reply{}, err
	}
	return records(ids), f.changeRoles(c, true, c.query.Get("user_uuid"), c.cid, ids, time.Time{})
}

// legacyRevoke is operation RevokeUserRoleIds.
func (f *fake) legacyRevoke(c *call) (reply, error) {
	ids, err := c.ids("ids")
	if err != nil {
		return reply{}, err
	}
	return records(ids), f.changeRoles(c, false, c.query.Get("user_uuid"), c.cid, ids, time.Time{})
}
