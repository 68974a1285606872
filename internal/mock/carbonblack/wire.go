package carbonblack

import (
	"strconv"
	"strings"
)

// user is a row of the user list. The role in it says nothing; roles are in
// grants.
type user struct {
	OrgKey            string `json:"org_key"`
	AuthMethod        string `json:"auth_method"`
	OrgID             int    `json:"org_id"`
	LoginID           int    `json:"login_id"`
	LoginName         string `json:"login_name"`
	Email             string `json:"email"`
	Phone             string `json:"phone"`
	FirstName         string `json:"first_name"`
	LastName          string `json:"last_name"`
	AdminLoginVersion int    `json:"admin_login_version"`
	OrgAdminVersion   int    `json:"org_admin_version"`
	Role              string `json:"role"`
	ContactID         int    `json:"contact_id"`
	ContactVersion    int    `json:"contact_version"`
}

const deprecated = "DEPRECATED"

func userURN(login int) string { return "psc:user:" + orgKey + ":" + strconv.Itoa(login) }

func (u user) urn() string { return userURN(u.LoginID) }

func (u user) name() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// invitation is the body of a create call; role_urn counts only where there
// are no profiles.
type invitation struct {
	OrgID      int       `json:"org_id"`
	Email      string    `json:"email"`
	Role       string    `json:"role"`
	RoleURN    string    `json:"role_urn"`
	FirstName  string    `json:"first_name"`
	LastName   string    `json:"last_name"`
	Phone      string    `json:"phone"`
	AuthMethod string    `json:"auth_method"`
	CreatedBy  string    `json:"created_by"`
	Profiles   []profile `json:"profiles"`
}

// registration answers a create call, refused or not.
type registration struct {
	Password *string `json:"password"`
	Success  bool    `json:"success"`
	Message  string  `json:"message"`
	LoginID  *string `json:"login_id"`
	Status   string  `json:"registration_status"`
}

type grant struct {
	Principal     string    `json:"principal"`
	Expires       expiry    `json:"expires"`
	Roles         []string  `json:"roles"`
	Profiles      []profile `json:"profiles"`
	OrgRef        string    `json:"org_ref"`
	PrincipalName string    `json:"principal_name"`
	CreatedBy     string    `json:"created_by"`
	UpdatedBy     string    `json:"updated_by"`
	CreateTime    string    `json:"create_time"`
	UpdateTime    string    `json:"update_time"`
	CanManage     *bool     `json:"can_manage,omitempty"`
}

// held is every role in a grant, in force or not.
func (g grant) held() []string {
	held := append([]string{}, g.Roles...)
	for _, p := range g.Profiles {
		held = append(held, p.Roles...)
	}
	return held
}

type profile struct {
	UUID       string     `json:"profile_uuid"`
	Orgs       orgs       `json:"orgs"`
	OrgGroups  []string   `json:"org_groups,omitempty"`
	Roles      []string   `json:"roles"`
	Conditions conditions `json:"conditions"`
	CanManage  *bool      `json:"can_manage"`
}

type orgs struct {
	Allow []string `json:"allow"`
	Deny  []string `json:"deny,omitempty"`
}

// conditions is a value, not a pointer: an answer always has them, and a null
// sent by a client reads as none.
type conditions struct {
	CIDR       []string `json:"cidr,omitempty"`
	Expiration expiry   `json:"expiration"`
	Disabled   bool     `json:"disabled"`
}

type role struct {
	URN          string   `json:"urn"`
	Name         string   `json:"name"`
	Desc         string   `json:"desc"`
	Scoped       string   `json:"scoped"`
	Disabled     bool     `json:"disabled"`
	Capabilities []string `json:"capabilities"`
	ChildURN     *string  `json:"child_urn"`
	CreatedBy    string   `json:"created_by"`
	UpdatedBy    string   `json:"updated_by"`
	CreateTime   string   `json:"create_time"`
	UpdateTime   string   `json:"update_time"`
}

// validRole reports whether a role URN has its four parts; the third is empty
// for built-in roles.
func validRole(urn string) bool {
	p := strings.Split(urn, ":")
	return len(p) == 4 && p[0] == "psc" && p[1] == "role" && p[3] != ""
}

func validOrg(urn string) bool {
	key, ok := strings.CutPrefix(urn, "psc:org:")
	return ok && key != ""
}
