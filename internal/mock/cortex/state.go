package cortex

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	statusActive   = "Active"
	statusDisabled = "Disabled"

	typeCSP  = "CSP"
	typeSSO  = "SSO"
	typeBoth = "CSP / SSO"
)

// state is everything the fake holds, under the names of its JSON.
type state struct {
	Users  []user  `json:"users"`
	Roles  []role  `json:"roles"`
	Groups []group `json:"groups"`
	Keys   []key   `json:"keys"`
	SSO    []sso   `json:"sso"`
	// Scopes has what was written with the scope call, by type and id.
	Scopes   map[string]scope  `json:"scopes"`
	Switches map[string]string `json:"switches"`
	// Nonces has those of advanced keys already used, with their timestamps.
	Nonces map[string]int64 `json:"nonces"`
	// Serial makes new ids.
	Serial int `json:"serial"`
}

type user struct {
	Email     string   `json:"user_email"`
	FirstName string   `json:"user_first_name"`
	LastName  string   `json:"user_last_name"`
	Phone     string   `json:"phone_number"`
	Status    string   `json:"status"`
	RoleID    string   `json:"role_id"` // the direct role; empty for none
	LastLogin *int64   `json:"last_logged_in"`
	Hidden    bool     `json:"is_hidden"`
	Type      string   `json:"user_type"`
	Tags      []string `json:"scope_tags,omitempty"`
}

type role struct {
	ID          string   `json:"role_id"`
	Name        string   `json:"pretty_name"`
	Description string   `json:"description"`
	Custom      bool     `json:"is_custom"`
	CreatedBy   string   `json:"created_by"`
	Created     int64    `json:"created_ts"`
	Updated     *int64   `json:"updated_ts"`
	Permissions []string `json:"permissions"`
}

type group struct {
	ID          string   `json:"group_id"`
	Name        string   `json:"group_name"`
	Description string   `json:"description"`
	RoleID      string   `json:"role_id"`
	Type        string   `json:"group_type"`
	CreatedBy   string   `json:"created_by"`
	UpdatedBy   string   `json:"updated_by"`
	Created     int64    `json:"created_ts"`
	Updated     int64    `json:"updated_ts"`
	Users       []string `json:"users"`
	// Mapped has the people the identity provider put here. The API shows them
	// among Users.
	Mapped    []string `json:"mapped_users"`
	Nested    []string `json:"nested_group_ids"`
	IDPGroups []string `json:"idp_groups"`
}

// members are all people in the group, who came how cannot be told.
func (g group) members() []string {
	out := slices.Clone(g.Users)
	for _, email := range g.Mapped {
		if !slices.Contains(out, email) {
			out = append(out, email)
		}
	}
	return append([]string{}, out...)
}

type key struct {
	ID     int    `json:"id"`
	Secret string `json:"secret"`
	// Type is advanced or standard; when empty, what the switch says.
	Type    string   `json:"type,omitempty"`
	Roles   []string `json:"roles"`
	Expires *int64   `json:"expires_ms"`
}

// State returns all of it as JSON, which nobody can change the fake through.
func (f *fake) State() any {
	f.mu.Lock()
	defer f.mu.Unlock()
	encoded, err := json.Marshal(f.st)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	return json.RawMessage(encoded)
}

// Load takes back what State returned. A state written by hand may leave out
// the keys and the switches; it then gets the default ones. After an error
// nothing has changed.
func (f *fake) Load(encoded []byte) error {
	st := defaultState()
	if encoded != nil {
		loaded := state{}
		dec := json.NewDecoder(bytes.NewReader(encoded))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&loaded); err != nil {
			return fmt.Errorf("cortex state: %w", err)
		}
		if dec.More() {
			return errors.New("cortex state: something follows it")
		}
		if err := loaded.complete(st); err != nil {
			return fmt.Errorf("cortex state: %w", err)
		}
		st = loaded
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.st = st
	return nil
}

// complete fills in what a state may leave out and checks the rest.
func (s *state) complete(defaults state) error {
	given := s.Switches
	s.Switches = defaults.Switches
	for name, value := range given {
		if err := setSwitch(s.Switches, name, value); err != nil {
			return err
		}
	}
	if len(s.Keys) == 0 {
		s.Keys = defaults.Keys
	}
	if s.Scopes == nil {
		s.Scopes = map[string]scope{}
	}
	if s.Nonces == nil {
		s.Nonces = map[string]int64{}
	}
	return s.check()
}

// check refuses a state whose parts name what is not there.
func (s *state) check() error {
	seen := map[string]bool{}
	for i, u := range s.Users {
		folded := strings.ToLower(u.Email)
		if folded == "" || seen[folded] {
			return fmt.Errorf("user %d: e-mail %q is empty or taken", i, u.Email)
		}
		seen[folded] = true
		if u.RoleID != "" && s.role(u.RoleID) == nil {
			return fmt.Errorf("user %s: no role %q", u.Email, u.RoleID)
		}
		if u.Status == "" {
			s.Users[i].Status = statusActive
		}
		if u.Type == "" {
			s.Users[i].Type = typeCSP
		}
	}
	for _, g := range s.Groups {
		if g.RoleID != "" && s.role(g.RoleID) == nil {
			return fmt.Errorf("group %s: no role %q", g.Name, g.RoleID)
		}
		for _, email := range g.members() {
			if s.user(email) == nil {
				return fmt.Errorf("group %s: no user %q", g.Name, email)
			}
		}
	}
	return nil
}
