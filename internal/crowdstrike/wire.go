package crowdstrike

import (
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// modernUser is a user record. (CrowdStrike developer portal, User Management:
// domain.User.) What a user does not have is left out of it.
type modernUser struct {
	UUID            string   `json:"uuid"`
	CID             string   `json:"cid"`
	UID             string   `json:"uid"`
	FirstName       string   `json:"first_name"`
	LastName        string   `json:"last_name"`
	Status          string   `json:"status"`
	UserType        string   `json:"user_type"`
	Factors         []string `json:"factors"`
	CreatedAt       string   `json:"created_at"`
	LastLoginAt     string   `json:"last_login_at"`
	AccessGrantedAt string   `json:"access_granted_at"`
}

func (w modernUser) user() provision.User {
	u := provision.User{
		ID: w.UUID, Login: w.UID, FirstName: w.FirstName, LastName: w.LastName, Status: status(w.Status),
		LastLogin: moment(w.LastLoginAt), Extra: map[string]any{},
	}
	if t := moment(w.CreatedAt); t != nil {
		u.Created = *t
	}
	for key, value := range map[string]string{
		"cid": w.CID, "userType": w.UserType, "createdAt": w.CreatedAt, "accessGrantedAt": w.AccessGrantedAt,
	} {
		if value != "" {
			u.Extra[key] = value
		}
	}
	if len(w.Factors) > 0 {
		u.Extra["factors"] = w.Factors
	}
	return u
}

// legacyUser is a user record of the legacy operations.
type legacyUser struct {
	Customer  string `json:"customer"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	UID       string `json:"uid"`
	UUID      string `json:"uuid"`
	Status    string `json:"status"`
}

func (w legacyUser) user() provision.User {
	u := provision.User{
		ID: w.UUID, Login: w.UID, FirstName: w.FirstName, LastName: w.LastName, Status: status(w.Status), Extra: map[string]any{},
	}
	if w.Customer != "" {
		u.Extra["cid"] = w.Customer
	}
	return u
}

func status(text string) provision.Status {
	switch text {
	case "active":
		return provision.StatusActive
	case "inactive":
		return provision.StatusDisabled
	default:
		return provision.StatusUnknown
	}
}

// home is the CID a user was made in, empty where the record does not tell.
func home(u provision.User) string {
	cid, _ := u.Extra["cid"].(string)
	return cid
}

// grant is a role as held by a user. (CrowdStrike developer portal, User
// Management: flightcontrolapi.CombinedUserRolesResourceV2.)
type grant struct {
	CID           string `json:"cid"`
	RoleID        string `json:"role_id"`
	RoleName      string `json:"role_name"`
	GrantType     string `json:"grant_type"`
	ParentCID     string `json:"parent_cid"`
	CIDGroupID    string `json:"cid_group_id"`
	CIDGroupName  string `json:"cid_group_name"`
	UserGroupID   string `json:"user_group_id"`
	UserGroupName string `json:"user_group_name"`
	ExpiresAt     string `json:"expires_at"`
}

// key tells the grants of one user apart.
func (g grant) key() string {
	return strings.Join([]string{g.RoleID, g.CID, g.GrantType, g.ParentCID, g.CIDGroupID, g.UserGroupID}, "\n")
}

// held maps a grant. Only direct ones can be revoked from the user; whatever
// else the API may call a grant comes from somewhere else.
func (g grant) held(home string) provision.HeldRole {
	r := provision.HeldRole{
		ID: g.RoleID, Name: first(g.RoleName, g.RoleID), Direct: g.GrantType == "direct",
		Scope: first(g.CID, home), ExpiresAt: moment(g.ExpiresAt),
	}
	if !r.Direct {
		r.Via = first(g.UserGroupName, g.CIDGroupName, g.ParentCID)
	}
	return r
}

// roleRecord is a role that can be given. The legacy one has no type.
type roleRecord struct {
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	Description string `json:"description"`
	Type        string `json:"type"`
	CID         string `json:"cid"`
}

// readRoles reads what roles are, in chunks. A role the API says nothing about
// is known by its id only.
func readRoles(ids []string, size int, read func(chunk []string) ([]roleRecord, error)) ([]provision.Role, error) {
	known := map[string]provision.Role{}
	for chunk := range slices.Chunk(ids, size) {
		list, err := read(chunk)
		if err != nil && provision.KindOf(err) != provision.ErrNotFound {
			return nil, err
		}
		for _, w := range list {
			known[w.ID] = provision.Role{
				ID: w.ID, Name: first(w.DisplayName, w.ID), Description: w.Description,
				Custom: w.Type == "custom" || w.Type == "" && w.CID != "",
			}
		}
	}
	roles := make([]provision.Role, 0, len(ids))
	for _, id := range ids {
		r, ok := known[id]
		if !ok {
			r = bareRole(id)
		}
		roles = append(roles, r)
	}
	return roles, nil
}

// bareRole is a role of which only the id is known. Those of built-in roles
// are words, those of custom ones 32 hex digits.
func bareRole(id string) provision.Role {
	return provision.Role{ID: id, Name: id, Custom: isHex(id, 32)}
}

// moment reads a time of the API; nil for none.
func moment(text string) *time.Time {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(text))
	if err != nil {
		return nil
	}
	t = t.UTC()
	return &t
}

// first is the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func sortedSet(list []string) []string {
	list = slices.DeleteFunc(slices.Sorted(slices.Values(list)), func(s string) bool { return s == "" })
	return slices.Compact(list)
}
