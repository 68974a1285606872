package crowdstrike

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// state is everything the fake holds, as JSON too.
type state struct {
	// CIDs begins with the customer whose API client the fake knows; the rest
	// are its children.
	CIDs    []customer `json:"cids"`
	Domains []string   `json:"domains"`
	Users   []user     `json:"users"`
	Roles   []role     `json:"roles"`
	Grants  []grant    `json:"grants"`
	// Actions are resets and the mails that invite to a first sign-in.
	Actions []action `json:"actions"`
	// Serial is the number of users made so far; their ids come from it.
	Serial int `json:"serial"`
}

type customer struct {
	CID  string `json:"cid"`
	Name string `json:"name"`
}

// user is a user as the modern operations describe one.
type user struct {
	UUID        string    `json:"uuid"`
	CID         string    `json:"cid"`
	UID         string    `json:"uid"`
	Status      string    `json:"status"`
	FirstName   string    `json:"first_name,omitempty"`
	LastName    string    `json:"last_name,omitempty"`
	UserType    string    `json:"user_type,omitempty"`
	LastLoginAt time.Time `json:"last_login_at,omitzero"`
	Factors     []string  `json:"factors,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// role is built in, or custom and then of one customer.
type role struct {
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	Description string `json:"description"`
	IsGlobal    bool   `json:"is_global"`
	Type        string `json:"type,omitempty"`
	CID         string `json:"cid,omitempty"`
}

// grant is a role held by a user in a customer.
type grant struct {
	UUID          string    `json:"uuid"`
	CID           string    `json:"cid"`
	RoleID        string    `json:"role_id"`
	GrantType     string    `json:"grant_type"`
	ExpiresAt     time.Time `json:"expires_at,omitzero"`
	ParentCID     string    `json:"parent_cid,omitempty"`
	CIDGroupID    string    `json:"cid_group_id,omitempty"`
	CIDGroupName  string    `json:"cid_group_name,omitempty"`
	UserGroupID   string    `json:"user_group_id,omitempty"`
	UserGroupName string    `json:"user_group_name,omitempty"`
}

const direct = "direct"

type action struct {
	Time   time.Time `json:"time"`
	Action string    `json:"action"`
	UUID   string    `json:"uuid"`
	UID    string    `json:"uid"`
}

// copy shares no list that the fake changes in place.
func (s state) copy() state {
	s.CIDs, s.Domains, s.Roles = slices.Clone(s.CIDs), slices.Clone(s.Domains), slices.Clone(s.Roles)
	s.Users, s.Grants, s.Actions = slices.Clone(s.Users), slices.Clone(s.Grants), slices.Clone(s.Actions)
	return s
}

func parseState(data []byte) (state, error) {
	var s state
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return s, fmt.Errorf("state: %w", err)
	}
	return s, s.check()
}

// check refuses a state that the fake could not have come to.
func (s state) check() error {
	if len(s.CIDs) == 0 {
		return fmt.Errorf("state: no cid")
	}
	seen := map[string]bool{}
	for _, c := range s.CIDs {
		if !isCID(c.CID) {
			return fmt.Errorf("state: cid %q is not 32 lower-case hex digits", c.CID)
		}
		seen["cid "+c.CID] = true
	}
	for _, r := range s.Roles {
		if r.CID != "" && !seen["cid "+r.CID] {
			return fmt.Errorf("state: role %q is of an unknown cid", r.ID)
		}
		seen["role "+r.ID] = true
	}
	for _, u := range s.Users {
		uid := "uid " + strings.ToLower(u.UID)
		if u.UUID == "" || u.UID == "" || seen["user "+u.UUID] || seen[uid] || !seen["cid "+u.CID] {
			return fmt.Errorf("state: user %q has no id or cid of its own", u.UID)
		}
		seen["user "+u.UUID], seen[uid] = true, true
	}
	for _, g := range s.Grants {
		if !seen["user "+g.UUID] || !seen["cid "+g.CID] || !seen["role "+g.RoleID] {
			return fmt.Errorf("state: grant of %q to %q in %q names something unknown", g.RoleID, g.UUID, g.CID)
		}
	}
	return nil
}

func (s *state) home() string { return s.CIDs[0].CID }

func (s *state) hasCID(cid string) bool {
	return slices.ContainsFunc(s.CIDs, func(c customer) bool { return c.CID == cid })
}

func (s *state) cidName(cid string) string {
	for _, c := range s.CIDs {
		if c.CID == cid {
			return c.Name
		}
	}
	return ""
}

func (s *state) user(uuid string) *user {
	for i := range s.Users {
		if s.Users[i].UUID == uuid {
			return &s.Users[i]
		}
	}
	return nil
}

func (s *state) userOf(login string) *user {
	for i := range s.Users {
		if strings.EqualFold(s.Users[i].UID, login) {
			return &s.Users[i]
		}
	}
	return nil
}

func (s *state) role(id string) (role, bool) {
	for _, r := range s.Roles {
		if r.ID == id {
			return r, true
		}
	}
	return role{}, false
}

func (s *state) grantsOf(uuid string) []grant {
	var list []grant
	for _, g := range s.Grants {
		if g.UUID == uuid {
			list = append(list, g)
		}
	}
	return list
}

// permits reports whether addresses of the login's domain may be users.
func (s *state) permits(login string) bool {
	_, domain, _ := strings.Cut(strings.ToLower(login), "@")
	return slices.ContainsFunc(s.Domains, func(d string) bool {
		rest, wild := strings.CutPrefix(d, "*")
		return domain == d || wild && strings.HasSuffix(domain, rest) && domain != rest
	})
}

// derived is an id made from a text: the same text, the same id.
func derived(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

func uuidOf(text string) string {
	b := derived(text)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func traceID(answer int) string { return uuidOf(fmt.Sprintf("answer %d", answer)) }

func isCID(s string) bool { return len(s) == 32 && isHex(s) }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

func isUUID(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' &&
		isHex(strings.ReplaceAll(s, "-", ""))
}
