package crowdstrike

import (
	"net/http"
	"slices"
)

// queryRoles is operation queriesRolesV1: roles that can be given in a CID, or
// given to a user; with action=revoke, those that can be taken from the user.
func (f *fake) queryRoles(c *call) (reply, error) {
	cid, err := c.customer(c.query.Get("cid"))
	if err != nil {
		return reply{}, err
	}
	ids := f.rolesOf(cid)
	if uuid := c.query.Get("user_uuid"); uuid != "" {
		if !isUUID(uuid) {
			return reply{}, internal(c)
		}
		u := f.st.user(uuid)
		if u == nil || !f.sees(c, *u) {
			return reply{}, noUser(uuid)
		}
		ids = slices.DeleteFunc(ids, func(id string) bool { return !f.fits(id, cid, *u) })
		if c.query.Get("action") == "revoke" {
			ids = slices.DeleteFunc(ids, func(id string) bool { return f.directly(uuid, cid, id) < 0 })
		}
	}
	switch c.query.Get("action") {
	case "", "grant", "revoke":
		return records(rotate(ids, f.answers)), nil
	}
	return reply{}, refuse(http.StatusBadRequest, "invalid action='%s' specified", c.query.Get("action"))
}

// rolesOf lists the built-in roles and a customer's own.
func (f *fake) rolesOf(cid string) []string {
	ids := []string{}
	for _, r := range f.st.Roles {
		if r.CID == "" || r.CID == cid {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// fits reports whether a user can be given a role in a CID. A custom role is
// for users whose home is its own CID, and there only.
func (f *fake) fits(id, cid string, u user) bool {
	r, ok := f.st.role(id)
	return ok && (r.CID == "" || r.CID == u.CID && r.CID == cid)
}

// readRoles is operation entitiesRolesGETV2.
func (f *fake) readRoles(c *call) (reply, error) {
	in, err := c.fields("ids")
	if err != nil {
		return reply{}, err
	}
	ids, err := in.list("ids")
	if err != nil {
		return reply{}, err
	}
	return f.describe(c, ids)
}

// readRolesV1 is operation entitiesRolesV1.
func (f *fake) readRolesV1(c *call) (reply, error) {
	ids, err := c.ids("ids")
	if err != nil {
		return reply{}, err
	}
	return f.describe(c, ids)
}

func (f *fake) describe(c *call, ids []string) (reply, error) {
	list, err := f.pickRoles(c, ids)
	if err != nil {
		return reply{}, err
	}
	return records(list), nil
}

// pickRoles finds roles by their ids; it is an error when none is found.
func (f *fake) pickRoles(c *call, ids []string) ([]role, error) {
	reach := c.reach
	if cid := c.query.Get("cid"); cid != "" {
		one, err := c.customer(cid)
		if err != nil {
			return nil, err
		}
		reach = []string{one}
	}
	var list []role
	for _, r := range f.st.Roles {
		if slices.Contains(ids, r.ID) && (r.CID == "" || slices.Contains(reach, r.CID)) {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return nil, refuse(http.StatusNotFound, "role not found")
	}
	return list, nil
}
