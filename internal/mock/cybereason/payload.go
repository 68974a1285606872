package cybereason

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
)

// payload is the body of a create or an update. What it leaves out is nil.
type payload struct {
	keys map[string]json.RawMessage

	username, password, method      *string
	created, updated                *int64
	totp, mustChange, notifications *bool
	groups                          *[]json.RawMessage
}

// publishedKeys are the keys of a body; create has no times, but does not mind.
func publishedKeys() []string {
	return []string{
		"username", "password", "roles", "creationTime", "lastUpdateTime", "totpEnabled",
		"changePasswordOnNextLogin", "isDailyNotifications", "allowedLoginMethod", "groups",
	}
}

// take decodes one key. Null is no value of any of them.
func take[T any](keys map[string]json.RawMessage, key string, into **T) error {
	raw, ok := keys[key]
	if !ok {
		return nil
	}
	if string(raw) == "null" {
		return errors.New(key + " is null")
	}
	value := new(T)
	if err := json.Unmarshal(raw, value); err != nil {
		return errors.New(key + " has the wrong type")
	}
	*into = value
	return nil
}

// readPayload decodes a body, all of it except the roles, which the console
// looks at last.
func (f *fake) readPayload(body []byte) (payload, error) {
	var p payload
	if err := json.Unmarshal(body, &p.keys); err != nil || p.keys == nil {
		return p, errors.New("the body is no JSON object")
	}
	for key := range p.keys {
		switch {
		case key == "totpSid":
			f.st.Counters.WritesWithTotpSid++
		case !slices.Contains(publishedKeys(), key):
			f.st.Counters.WritesWithUnknownKeys++
		}
	}
	err := errors.Join(
		take(p.keys, "username", &p.username),
		take(p.keys, "password", &p.password),
		take(p.keys, "allowedLoginMethod", &p.method),
		take(p.keys, "creationTime", &p.created),
		take(p.keys, "lastUpdateTime", &p.updated),
		take(p.keys, "totpEnabled", &p.totp),
		take(p.keys, "changePasswordOnNextLogin", &p.mustChange),
		take(p.keys, "isDailyNotifications", &p.notifications),
		take(p.keys, "groups", &p.groups),
	)
	if err == nil && p.method != nil && !regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`).MatchString(*p.method) {
		err = errors.New("allowedLoginMethod is no login method")
	}
	return p, err
}

// complete tells whether everything a create needs is there. Username,
// password and roles have checks of their own.
func (p payload) complete() bool {
	return p.totp != nil && p.mustChange != nil && p.notifications != nil && p.method != nil
}

// apply returns the user with the keys of the payload, roles and password
// apart.
func (p payload) apply(u user) user {
	set(&u.CreationTime, p.created)
	set(&u.TotpEnabled, p.totp)
	set(&u.ChangePasswordOnNextLogin, p.mustChange)
	set(&u.IsDailyNotifications, p.notifications)
	set(&u.AllowedLoginMethod, p.method)
	set(&u.Groups, p.groups)
	return u
}

func set[T any](into, value *T) {
	if value != nil {
		*into = *value
	}
}

// rolesOf decodes the roles and checks that the console has them. A role the
// user holds already is one it has.
func (f *fake) rolesOf(p payload, held []string) ([]string, *answer) {
	var roles *[]string
	if err := take(p.keys, "roles", &roles); err != nil || roles == nil {
		a := complaint(http.StatusBadRequest, "roles has to be an array of strings", "roles")
		return nil, &a
	}
	list := []string{}
	for _, role := range *roles {
		if !slices.Contains(f.st.Roles, role) && !slices.Contains(held, role) && f.is("unknown-role", "reject") {
			a := complaint(http.StatusBadRequest, "unknown role "+role, "roles")
			return nil, &a
		}
		if !slices.Contains(list, role) {
			list = append(list, role)
		}
	}
	return list, nil
}

// breaksRules tells whether the roles exclude each other or lack the second
// factor that one of them needs.
func (u user) breaksRules() bool {
	if !slices.Contains(u.Roles, "responder_l2") {
		return false
	}
	excluded := slices.ContainsFunc(u.Roles, func(role string) bool {
		return role == "sensor_admin_l1" || role == "local_analyst_l1" || role == "local_analyst_l2"
	})
	return excluded || (!u.TotpEnabled && u.AllowedLoginMethod == passwordMethod)
}
