package cybereason

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// state is everything the fake holds. Users are values and their slices are
// replaced, never written to, so that a copy of Users stays as it was.
type state struct {
	Users  []user   `json:"users"`
	Roles  []string `json:"roles"`
	Groups []group  `json:"groups"`
	// Sessions is keyed by a hash of the cookie, which is a credential.
	Sessions map[string]session `json:"sessions"`
	// Failures counts refused sign-ins since the last good one, by login.
	Failures map[string]int `json:"failures"`
	// Hidden holds, by login, writes that reads do not show yet.
	Hidden   map[string]hidden `json:"hidden"`
	Counters counters          `json:"counters"`
	Switches map[string]string `json:"switches"`
}

// user is a console user and its account. The first part has the names it has
// on the wire.
type user struct {
	Username                  string            `json:"username"`
	Roles                     []string          `json:"roles"`
	CreationTime              int64             `json:"creationTime"`
	LastUpdateTime            int64             `json:"lastUpdateTime"`
	TotpEnabled               bool              `json:"totpEnabled"`
	TotpSid                   *string           `json:"totpSid"`
	ChangePasswordOnNextLogin bool              `json:"changePasswordOnNextLogin"`
	IsDailyNotifications      bool              `json:"isDailyNotifications"`
	AllowedLoginMethod        string            `json:"allowedLoginMethod"`
	Groups                    []json.RawMessage `json:"groups"`
	UserClassification        string            `json:"userClassification"`
	InvestigationViewConfig   []json.RawMessage `json:"investigationViewConfig"`

	// Password is a salted hash. Load takes clear text too, for states written
	// by hand, and hashes it.
	Password string   `json:"password"`
	Previous []string `json:"previousPasswords,omitempty"`
	// KeyShown is set once the user has seen the second-factor key.
	KeyShown bool `json:"totpKeyShown"`
	// Codes are the second-factor codes sent last.
	Codes []sentCode `json:"codes,omitempty"`
	// Synthetic users are there to make the list long.
	Synthetic bool `json:"synthetic,omitempty"`
}

type sentCode struct {
	Code     string `json:"code"`
	Accepted bool   `json:"accepted"`
}

type group struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Description  string `json:"description"`
	CreationTime int64  `json:"creationTime"`
	LastUpdate   int64  `json:"lastUpdate"`
}

type session struct {
	Login    string    `json:"login"`
	Stage    string    `json:"stage"`
	Since    time.Time `json:"since"`
	Requests int       `json:"requests"`
}

// hidden is a user as reads still show it; nil where they show none.
type hidden struct {
	Before *user `json:"before"`
	Reads  int   `json:"reads"`
}

// counters are what a test of a client may want to assert.
type counters struct {
	Logins               int `json:"logins"`
	LoginsRejected       int `json:"loginsRejected"`
	LoginsAfterRejection int `json:"loginsAfterRejection"`
	LoginsUnencoded      int `json:"loginsUnencoded"`
	// LoginsInARow counts sign-ins since /rest last accepted a session.
	LoginsInARow          int `json:"loginsInARow"`
	MostLoginsInARow      int `json:"mostLoginsInARow"`
	Logouts               int `json:"logouts"`
	LogoutsWithoutSession int `json:"logoutsWithoutSession"`

	CodesAccepted       int `json:"codesAccepted"`
	CodesRejected       int `json:"codesRejected"`
	CodesReused         int `json:"codesReused"`
	CodesWithoutSession int `json:"codesWithoutSession"`

	Writes                  int `json:"writes"`
	PutsWithPassword        int `json:"putsWithPassword"`
	RoleChangesWithPassword int `json:"roleChangesWithPassword"`
	WritesWithTotpSid       int `json:"writesWithTotpSid"`
	WritesWithUnknownKeys   int `json:"writesWithUnknownKeys"`
	RawPlusPaths            int `json:"rawPlusPaths"`
	UnknownRoutes           int `json:"unknownRoutes"`
}

// State returns a copy of everything the fake holds. No password is in it.
func (f *fake) State() any {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.st
	st.Users = slices.Clone(st.Users)
	st.Roles = slices.Clone(st.Roles)
	st.Groups = slices.Clone(st.Groups)
	st.Sessions = maps.Clone(st.Sessions)
	st.Failures = maps.Clone(st.Failures)
	st.Hidden = maps.Clone(st.Hidden)
	st.Switches = maps.Clone(st.Switches)
	return st
}

// Load replaces everything. What a state leaves out is empty, except roles and
// switches, which are then the default ones. After an error nothing changed.
func (f *fake) Load(data []byte) error {
	st := defaultState(f.env.TOTP)
	if data != nil {
		loaded, err := parseState(data, st)
		if err != nil {
			return fmt.Errorf("cybereason state: %w", err)
		}
		st = loaded
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.st = st
	return nil
}

func parseState(data []byte, defaults state) (state, error) {
	var st state
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&st); err != nil {
		return state{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return state{}, errors.New("something follows the state")
	}
	if st.Roles == nil {
		st.Roles = defaults.Roles
	}
	st.Sessions, st.Failures, st.Hidden = orEmpty(st.Sessions), orEmpty(st.Failures), orEmpty(st.Hidden)
	switches := maps.Clone(defaults.Switches)
	for name, value := range st.Switches {
		if err := checkSwitch(name, value); err != nil {
			return state{}, err
		}
		switches[name] = value
	}
	st.Switches = switches
	return st, checkUsers(st.Users)
}

// checkUsers completes users that were written by hand.
func checkUsers(users []user) error {
	seen := map[string]bool{}
	for i := range users {
		u := &users[i]
		if u.Username == "" || seen[u.Username] {
			return fmt.Errorf("user %d: no username, or one that is there twice: %q", i+1, u.Username)
		}
		seen[u.Username] = true
		if u.Password != "" && !strings.HasPrefix(u.Password, hashPrefix) {
			u.Password = hashPassword(u.Password)
		}
		if u.AllowedLoginMethod == "" {
			u.AllowedLoginMethod = passwordMethod
		}
		u.Roles = emptyNotNil(u.Roles)
		u.Groups = emptyNotNil(u.Groups)
		u.InvestigationViewConfig = emptyNotNil(u.InvestigationViewConfig)
	}
	return nil
}

// orEmpty makes a map that can be written to.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

// emptyNotNil keeps null out of the JSON.
func emptyNotNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
