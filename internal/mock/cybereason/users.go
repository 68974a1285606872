package cybereason

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// index finds a user by its login, -1 without one.
func (f *fake) index(login string) int {
	return slices.IndexFunc(f.st.Users, func(u user) bool { return u.Username == login })
}

// indexFold does so without regard to case; the exact spelling goes first.
func (f *fake) indexFold(login string) int {
	if i := f.index(login); i >= 0 {
		return i
	}
	return slices.IndexFunc(f.st.Users, func(u user) bool { return strings.EqualFold(u.Username, login) })
}

// indexPath finds the user a path names.
func (f *fake) indexPath(login string) int {
	if f.is("path-case", "fold") {
		return f.indexFold(login)
	}
	return f.index(login)
}

// blankUser has nothing but a login and the vendor's defaults.
func blankUser(login string, created int64) user {
	return user{
		Username:                login,
		Roles:                   []string{},
		CreationTime:            created,
		LastUpdateTime:          created,
		AllowedLoginMethod:      passwordMethod,
		Groups:                  []json.RawMessage{},
		InvestigationViewConfig: []json.RawMessage{},
	}
}

// nextUpdate is the time of a change, later than the change before it even
// when the clock stands still.
func (f *fake) nextUpdate(last int64) int64 {
	return max(f.clock().UnixMilli(), last+1)
}

// wireUser is a user as the console shows it: with the second-factor key,
// without the password.
type wireUser struct {
	Username                  string            `json:"username"`
	Roles                     json.RawMessage   `json:"roles,omitempty"`
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
}

func (u user) wire() wireUser {
	roles, _ := json.Marshal(u.Roles) // strings always encode
	return wireUser{
		Username:                  u.Username,
		Roles:                     roles,
		CreationTime:              u.CreationTime,
		LastUpdateTime:            u.LastUpdateTime,
		TotpEnabled:               u.TotpEnabled,
		TotpSid:                   u.TotpSid,
		ChangePasswordOnNextLogin: u.ChangePasswordOnNextLogin,
		IsDailyNotifications:      u.IsDailyNotifications,
		AllowedLoginMethod:        u.AllowedLoginMethod,
		Groups:                    u.Groups,
		UserClassification:        u.UserClassification,
		InvestigationViewConfig:   u.InvestigationViewConfig,
	}
}

// hide keeps reads from seeing the write that follows. Of several writes that
// nobody could see, the first one says what is still shown.
func (f *fake) hide(login string, before *user) {
	n := f.number("visibility-reads")
	if n == 0 {
		delete(f.st.Hidden, login)
		return
	}
	if h, ok := f.st.Hidden[login]; ok {
		before = h.Before
	}
	f.st.Hidden[login] = hidden{Before: before, Reads: n}
}

// shown is the user that a read shows, which counts as one read of it.
func (f *fake) shown(login string, now *user) *user {
	h, ok := f.st.Hidden[login]
	if !ok {
		return now
	}
	h.Reads--
	f.st.Hidden[login] = h
	if h.Reads <= 0 {
		delete(f.st.Hidden, login)
	}
	return h.Before
}

func (f *fake) listUsers(*request, user) answer {
	list := []wireUser{}
	add := func(u *user) {
		if u != nil {
			list = append(list, u.wire())
		}
	}
	var gone []string
	for login := range f.st.Hidden {
		if f.index(login) < 0 {
			gone = append(gone, login)
		}
	}
	for i := range f.st.Users {
		add(f.shown(f.st.Users[i].Username, &f.st.Users[i]))
	}
	slices.Sort(gone)
	for _, login := range gone {
		add(f.shown(login, nil))
	}
	return asJSON(f.distort(list))
}

// distort makes the list odd in the ways the switches ask for.
func (f *fake) distort(list []wireUser) []wireUser {
	if len(list) < 2 {
		return list
	}
	if f.is("list-two-spellings", "on") {
		twin := list[1]
		twin.Username = strings.ToLower(twin.Username)
		if twin.Username == list[1].Username {
			twin.Username = strings.ToUpper(twin.Username)
		}
		list = append(list, twin)
	}
	switch f.value("list-missing-roles") {
	case "on":
		list[1].Roles = nil
	case "null":
		list[1].Roles = json.RawMessage("null")
	}
	return list
}

func (f *fake) getCurrent(_ *request, caller user) answer { return asJSON(caller.wire()) }

func (f *fake) getUser(r *request, _ user) answer {
	login := r.path[2]
	var now *user
	if i := f.indexPath(login); i >= 0 {
		now = &f.st.Users[i]
		login = now.Username
	}
	u := f.shown(login, now)
	switch {
	case u != nil:
		return asJSON(u.wire())
	case f.is("single-get", "code"):
		return asJSON(notFound)
	}
	return complaint(http.StatusNotFound, notFound, r.path[2])
}
