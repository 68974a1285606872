package crowdstrike

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

const minPassword = 12

// newUser is what a create asks for, in either family.
type newUser struct {
	uid, first, last, password, cid string
}

// createUser is operation createUserV1.
func (f *fake) createUser(c *call) (reply, error) {
	only, err := c.flag("validate_only")
	if err != nil {
		return reply{}, err
	}
	in, err := c.fields("uid", "first_name", "last_name", "password", "cid")
	if err != nil {
		return reply{}, err
	}
	n, err := in.newUser("first_name", "last_name")
	if err != nil {
		return reply{}, err
	}
	u, err := f.admit(c, n)
	if err != nil {
		return reply{}, err
	}
	if only {
		u.UUID = ""
		if f.is("validate-only", "empty") {
			return reply{status: http.StatusCreated, resources: []wireUser{}}, nil
		}
		return reply{status: http.StatusCreated, resources: []wireUser{u.wire()}}, nil
	}
	if !f.store(c, u, n.password != "") {
		return reply{status: http.StatusCreated, resources: []wireUser{}}, nil
	}
	return reply{status: http.StatusCreated, resources: []wireUser{u.wire()}, affected: 1}, nil
}

func (in fields) newUser(first, last string) (newUser, error) {
	var n newUser
	for key, into := range map[string]*string{
		"uid": &n.uid, first: &n.first, last: &n.last, "password": &n.password, "cid": &n.cid,
	} {
		value, err := in.text(key)
		if err != nil {
			return n, err
		}
		*into = value
	}
	return n, nil
}

// admit checks a new user against all rules and makes its record.
func (f *fake) admit(c *call, n newUser) (user, error) {
	local, domain, ok := strings.Cut(n.uid, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(n.uid, " \t\r\n,;<>") || strings.Contains(domain, "@") {
		return user{}, refuse(http.StatusBadRequest, "uid must be an email address")
	}
	cid, err := c.customer(n.cid)
	if err != nil {
		return user{}, err
	}
	if !f.st.permits(n.uid) {
		return user{}, refuse(http.StatusBadRequest, "email domain not permitted for this customer")
	}
	if n.password != "" && !strong(n.password) {
		if f.is("weak-password-status", "400") {
			return user{}, refuse(http.StatusBadRequest, "password does not meet the policy")
		}
		return user{}, internal(c)
	}
	if f.st.userOf(n.uid) != nil {
		return user{}, refuse(f.count("duplicate-status"), "user with uid %s already exists", n.uid)
	}
	uid := n.uid
	if f.is("uid-case", "lower") {
		uid = strings.ToLower(uid)
	}
	now := c.now.UTC()
	return user{
		UUID: uuidOf(fmt.Sprintf("user %d", f.st.Serial+1)), CID: cid, UID: uid, Status: "active",
		FirstName: n.first, LastName: n.last, CreatedAt: now, UpdatedAt: now,
	}, nil
}

// strong is the rule for passwords: twelve characters, one of each kind.
func strong(password string) bool {
	has := func(set string) bool { return strings.ContainsAny(password, set) }
	return len([]rune(password)) >= minPassword && has("abcdefghijklmnopqrstuvwxyz") &&
		has("ABCDEFGHIJKLMNOPQRSTUVWXYZ") && has("0123456789") && has("#?!@$ %^&*-")
}

// store adds a user and reports whether the answer may show it.
func (f *fake) store(c *call, u user, password bool) bool {
	if f.is("create-empty", "not-applied") {
		return false
	}
	f.st.Serial++
	f.st.Users = append(f.st.Users, u)
	if !password {
		f.st.record(c, "activation_request", u)
	}
	f.hide(c, u.UUID)
	return !f.is("create-empty", "applied")
}

func (s *state) record(c *call, what string, u user) {
	s.Actions = append(s.Actions, action{Time: c.now.UTC(), Action: what, UUID: u.UUID, UID: u.UID})
}

// userAction is operation userActionV1. Somebody unknown makes it fail as a
// whole, without a reason.
func (f *fake) userAction(c *call) (reply, error) {
	in, err := c.fields("ids", "action")
	if err != nil {
		return reply{}, err
	}
	what, err := object(c, in["action"], "action_name", "action_value")
	if err != nil {
		return reply{}, refuse(http.StatusBadRequest, "action must be an object with action_name")
	}
	name, err := what.text("action_name")
	if err != nil {
		return reply{}, err
	}
	if name != "reset_password" && name != "reset_2fa" {
		return reply{}, refuse(http.StatusBadRequest, "invalid action_name='%s' specified", name)
	}
	ids, err := in.list("ids")
	if err != nil {
		return reply{}, err
	}
	found, missing := f.pick(c, ids)
	if len(missing) > 0 {
		return reply{}, internal(c)
	}
	for _, u := range found {
		if !slices.Contains(c.reach, u.CID) {
			return reply{}, refuse(http.StatusForbidden, "access denied, authorization failed")
		}
	}
	for _, u := range found {
		if name == "reset_2fa" {
			f.st.user(u.UUID).Factors = nil
		}
		f.st.record(c, name, u)
	}
	return done(), nil
}
