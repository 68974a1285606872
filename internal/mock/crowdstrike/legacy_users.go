package crowdstrike

import (
	"net/http"
	"slices"
	"strings"
)

// legacyUser keeps the order of keys that clients of old print by.
type legacyUser struct {
	Customer  string `json:"customer"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	UID       string `json:"uid"`
	UUID      string `json:"uuid"`
}

func (u user) legacy() legacyUser { return legacyUser{u.CID, u.FirstName, u.LastName, u.UID, u.UUID} }

// legacyReadUsers is operation RetrieveUser.
func (f *fake) legacyReadUsers(c *call) (reply, error) {
	ids, err := c.ids("ids")
	if err != nil {
		return reply{}, err
	}
	found, _ := f.pick(c, ids)
	if len(found) == 0 {
		return reply{}, refuse(http.StatusNotFound, "user not found")
	}
	out := make([]legacyUser, 0, len(found))
	for _, u := range found {
		out = append(out, u.legacy())
	}
	return records(out), nil
}

// legacyCreateUser is operation CreateUser, always in the token's CID.
func (f *fake) legacyCreateUser(c *call) (reply, error) {
	in, err := c.fields("uid", "firstName", "lastName", "password")
	if err != nil {
		return reply{}, err
	}
	n, err := in.newUser("firstName", "lastName")
	if err != nil {
		return reply{}, err
	}
	n.cid = ""
	u, err := f.admit(c, n)
	if err != nil {
		return reply{}, err
	}
	if !f.store(c, u, n.password != "") {
		return reply{status: http.StatusCreated, resources: []legacyUser{}}, nil
	}
	return reply{status: http.StatusCreated, resources: []legacyUser{u.legacy()}}, nil
}

// legacyUpdateUser is operation UpdateUser, which changes what it is given.
func (f *fake) legacyUpdateUser(c *call) (reply, error) {
	u, err := f.target(c)
	if err != nil {
		return reply{}, err
	}
	in, err := c.fields("firstName", "lastName")
	if err != nil {
		return reply{}, err
	}
	first, err := in.text("firstName")
	if err != nil {
		return reply{}, err
	}
	last, err := in.text("lastName")
	if err != nil {
		return reply{}, err
	}
	if in.has("firstName") {
		u.FirstName = first
	}
	if in.has("lastName") {
		u.LastName = last
	}
	u.UpdatedAt = c.now.UTC()
	return records([]legacyUser{u.legacy()}), nil
}

// ofCustomer lists the users whose home is the token's CID.
func (f *fake) ofCustomer(c *call) []user {
	var list []user
	for _, u := range f.st.Users {
		if u.CID == c.cid && f.listed(c, u) {
			list = append(list, u)
		}
	}
	return list
}

// legacyEmails is operation RetrieveEmailsByCID.
func (f *fake) legacyEmails(c *call) (reply, error) {
	emails := []string{}
	for _, u := range f.ofCustomer(c) {
		emails = append(emails, u.UID)
	}
	return records(emails), nil
}

// legacyUUIDs is operation RetrieveUserUUIDsByCID.
func (f *fake) legacyUUIDs(c *call) (reply, error) { return records(uuids(f.ofCustomer(c))), nil }

// legacyUUIDsByEmail is operation RetrieveUserUUID.
func (f *fake) legacyUUIDsByEmail(c *call) (reply, error) {
	emails, err := c.ids("uid")
	if err != nil {
		return reply{}, err
	}
	var found []user
	for _, u := range f.st.Users {
		named := slices.ContainsFunc(emails, func(e string) bool { return strings.EqualFold(e, u.UID) })
		if named && f.sees(c, u) && f.listed(c, u) {
			found = append(found, u)
		}
	}
	if len(found) == 0 {
		return reply{}, refuse(http.StatusNotFound, "user not found")
	}
	return records(uuids(found)), nil
}
