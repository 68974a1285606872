package carbonblack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// state is everything the fake holds, under the names of its JSON.
type state struct {
	Users   []user       `json:"users"`
	Pending []invitation `json:"pending"` // invited, not yet listed
	// Elsewhere has addresses that other organisations have registered.
	Elsewhere []string `json:"elsewhere"`
	Grants    []grant  `json:"grants"`
	Roles     []role   `json:"roles"`
	// Domains are those of the addresses that may be invited; *.x is any below x.
	Domains []string `json:"domains"`
	// GoogleAuth has the logins that have registered a second factor.
	GoogleAuth []int `json:"googleAuth"`

	NextLogin   int `json:"nextLogin"`
	NextContact int `json:"nextContact"`
	Serial      int `json:"serial"`

	// EarlyRequests came after a 429 and before its Retry-After was over.
	EarlyRequests int           `json:"earlyRequests"`
	BlockedUntil  time.Time     `json:"blockedUntil,omitzero"`
	RetryAfter    time.Duration `json:"retryAfter,omitzero"`

	Switches map[string]string `json:"switches"`

	// Effective has the roles in force for each user who has any, by address.
	// It follows from the rest and is not read back.
	Effective map[string][]string `json:"effectiveRoles"`
}

// State returns all of it as JSON, which nobody can change the fake through.
func (s *server) State() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, now := s.st, s.now()
	st.Effective = map[string][]string{}
	for _, u := range st.Users {
		if at := s.grantAt(u.urn()); at >= 0 {
			if roles := st.Grants[at].inForce(now); len(roles) > 0 {
				st.Effective[u.Email] = roles
			}
		}
	}
	encoded, err := json.Marshal(st)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	return json.RawMessage(encoded)
}

// Load takes back what State gave. What is left out is empty, but switches and
// counters that are left out start as usual.
func (s *server) Load(encoded []byte) error {
	st := seed()
	if len(encoded) > 0 {
		var err error
		if st, err = read(encoded); err != nil {
			return fmt.Errorf("state of carbonblack: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st = st
	return nil
}

func read(encoded []byte) (state, error) {
	st := state{Switches: map[string]string{}}
	dec := json.NewDecoder(bytes.NewReader(encoded))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&st); err != nil {
		return state{}, err
	}
	for name, value := range st.Switches {
		if err := checkSwitch(name, value); err != nil {
			return state{}, err
		}
	}
	given := st.Switches
	st.Switches = initialSwitches()
	maps.Copy(st.Switches, given)
	st.Effective = nil
	for _, u := range st.Users {
		st.NextLogin = max(st.NextLogin, u.LoginID+1)
		st.NextContact = max(st.NextContact, u.ContactID+1)
	}
	// Lists are never nil, so that none is sent as null by accident.
	st.Users, st.Pending, st.Grants = full(st.Users), full(st.Pending), full(st.Grants)
	st.Roles, st.GoogleAuth = full(st.Roles), full(st.GoogleAuth)
	st.Domains, st.Elsewhere = full(st.Domains), full(st.Elsewhere)
	for i, r := range st.Roles {
		st.Roles[i].Capabilities = full(r.Capabilities)
	}
	for i, g := range st.Grants {
		st.Grants[i].Roles, st.Grants[i].Profiles = full(g.Roles), full(g.Profiles)
		for j, p := range g.Profiles {
			st.Grants[i].Profiles[j].Roles, st.Grants[i].Profiles[j].Orgs.Allow = full(p.Roles), full(p.Orgs.Allow)
		}
	}
	return st, nil
}

func full[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return slices.Clip(list)
}
