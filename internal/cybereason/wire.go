package cybereason

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"edrctl/internal/provision"
)

// wireUser is a user in the keys of an update, each as the console wrote it.
// (Cybereason API documentation, Update User Details and Retrieve a List of
// Users.) The list has more keys: one of them is the key of the user's second
// factor, which goes no further than this, and the others are not ours to send
// back.
type wireUser struct {
	Username                  string          `json:"username"`
	Roles                     json.RawMessage `json:"roles,omitempty"`
	CreationTime              json.RawMessage `json:"creationTime,omitempty"`
	LastUpdateTime            json.RawMessage `json:"lastUpdateTime,omitempty"`
	TotpEnabled               json.RawMessage `json:"totpEnabled,omitempty"`
	ChangePasswordOnNextLogin json.RawMessage `json:"changePasswordOnNextLogin,omitempty"`
	IsDailyNotifications      json.RawMessage `json:"isDailyNotifications,omitempty"`
	AllowedLoginMethod        json.RawMessage `json:"allowedLoginMethod,omitempty"`
	Groups                    json.RawMessage `json:"groups,omitempty"`
}

// newUser is a user to create. (Cybereason API documentation, Create an L2
// Responder User: all keys are required.)
type newUser struct {
	wireUser
	FirstPassword string `json:"password"`
}

// wireKey is a key of a user that an update can change.
type wireKey struct {
	name  string
	value json.RawMessage
}

func (u *wireUser) keys() []wireKey {
	return []wireKey{
		{"roles", u.Roles},
		{"creationTime", u.CreationTime},
		{"totpEnabled", u.TotpEnabled},
		{"changePasswordOnNextLogin", u.ChangePasswordOnNextLogin},
		{"isDailyNotifications", u.IsDailyNotifications},
		{"allowedLoginMethod", u.AllowedLoginMethod},
		{"groups", u.Groups},
	}
}

// differs names the keys that two records do not agree on. A key that the
// first does not have is not compared.
func (u *wireUser) differs(other *wireUser) []string {
	var names []string
	theirs := other.keys()
	for i, k := range u.keys() {
		if !absent(k.value) && !sameJSON(k.value, theirs[i].value) {
			names = append(names, k.name)
		}
	}
	return names
}

// missing names the keys without which a record must not be written back: the
// console might take a key that is not sent for one that is to be reset.
func (u *wireUser) missing() []string {
	need := []string{"roles", "totpEnabled", "allowedLoginMethod"}
	var names []string
	for _, k := range u.keys() {
		if absent(k.value) && slices.Contains(need, k.name) {
			names = append(names, k.name)
		}
	}
	return names
}

// roles are the ids of the roles held, in the console's order.
func (u *wireUser) roles() ([]string, error) {
	if absent(u.Roles) {
		return nil, errors.New("the record has no roles")
	}
	var ids []string
	if json.Unmarshal(u.Roles, &ids) != nil {
		return nil, errors.New("the roles of the record are not a list of names")
	}
	return ids, nil
}

// user maps a record field by field.
func (u *wireUser) user() provision.User {
	ids, _ := u.roles() // whoever lists users has warned of it
	var held []provision.HeldRole
	for _, id := range ids {
		held = append(held, provision.HeldRole{ID: id, Name: roleName(id), Direct: true})
	}
	provision.SortRoles(held)
	out := provision.User{
		ID: u.Username, Login: u.Username, Status: provision.StatusUnknown, Roles: held, Extra: u.extra(),
	}
	var created float64
	if json.Unmarshal(u.CreationTime, &created) == nil && created > 0 {
		out.Created = time.UnixMilli(int64(created)).UTC()
	}
	return out
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// sameJSON compares two values; lists without regard to order.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	return reflect.DeepEqual(unordered(x), unordered(y))
}

func unordered(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	var texts []string
	for _, item := range list {
		text, _ := json.Marshal(item) // it was JSON before
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// decodeUsers reads the list of users, each on its own: an odd one is left out
// and does not spoil the others. The second result is how many were odd.
func decodeUsers(body []byte) (users []wireUser, odd int, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if begin, err := d.Token(); err != nil || begin != json.Delim('[') {
		return nil, 0, errors.New("it is not a list")
	}
	for d.More() {
		var u wireUser
		err := d.Decode(&u)
		var wrongType *json.UnmarshalTypeError
		switch {
		case errors.As(err, &wrongType), err == nil && u.Username == "":
			odd++
		case err != nil:
			return nil, 0, fmt.Errorf("user %d: %w", len(users)+odd+1, err)
		default:
			users = append(users, u)
		}
	}
	return users, odd, nil
}

// raw is the JSON of a value of ours.
func raw(v any) json.RawMessage {
	data, _ := json.Marshal(v) // strings, booleans and lists of strings
	return data
}
