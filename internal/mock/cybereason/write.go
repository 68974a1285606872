package cybereason

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

const (
	success  = "success"
	notFound = "userNotFound"
)

func badRequest(message string) answer { return complaint(http.StatusBadRequest, message) }

// forced answers a write with the result code a switch holds ready.
func (f *fake) forced(r *request) (answer, bool) {
	code := f.value("next-code")
	if code == "none" {
		return answer{}, false
	}
	f.st.Switches["next-code"] = "none"
	return f.result(r, code), true
}

// store keeps a user that a write made or changed.
func (f *fake) store(r *request, u user, i int) answer {
	if u.TotpEnabled && u.TotpSid == nil {
		u.TotpSid, u.KeyShown = newKey(), false
	}
	if i < 0 {
		f.hide(u.Username, nil)
		f.st.Users = append(f.st.Users, u)
	} else {
		before := f.st.Users[i]
		f.hide(u.Username, &before)
		f.st.Users[i] = u
	}
	f.st.Counters.Writes++
	return f.result(r, success)
}

func (f *fake) createUser(r *request, _ user) answer {
	if a, ok := f.forced(r); ok {
		return a
	}
	login := r.path[2]
	p, err := f.readPayload(r.body)
	if err != nil || !p.complete() {
		return badRequest("the user is incomplete, or a value has the wrong type")
	}
	if p.username == nil || *p.username != login || !acceptedAddress(login) {
		return f.result(r, "badUsername")
	}
	if f.indexFold(login) >= 0 {
		return f.result(r, "userExists")
	}
	password := ""
	set(&password, p.password)
	if code := f.passwordCode(password); code != "" {
		return f.result(r, code)
	}
	roles, bad := f.rolesOf(p, nil)
	if bad != nil {
		return *bad
	}
	now := f.nextUpdate(0)
	u := blankUser(login, now)
	u = p.apply(u).withPassword(password)
	u.Roles, u.CreationTime = roles, now
	if a, refused := f.conflict(r, u); refused {
		return a
	}
	return f.store(r, u, -1)
}

func (f *fake) updateUser(r *request, _ user) answer {
	if a, ok := f.forced(r); ok {
		return a
	}
	login := r.path[2]
	p, err := f.readPayload(r.body)
	if err != nil {
		return badRequest(strings.ReplaceAll(err.Error(), "\n", ", "))
	}
	if p.username == nil || *p.username != login {
		return f.result(r, "badUsername")
	}
	i := f.indexPath(login)
	if p.password != nil {
		f.st.Counters.PutsWithPassword++
	}
	if i < 0 {
		return f.result(r, notFound)
	}
	old := f.st.Users[i]
	if f.stale(p, old) {
		return f.result(r, "staleUser")
	}
	if code := f.newPasswordCode(p.password, old); code != "" {
		return f.result(r, code)
	}
	u, bad := f.updated(p, old)
	if bad != nil {
		return *bad
	}
	if p.password != nil {
		if !sameSet(u.Roles, old.Roles) {
			f.st.Counters.RoleChangesWithPassword++
		}
		u = u.withPassword(*p.password)
	}
	if a, refused := f.conflict(r, u); refused {
		return a
	}
	if p.password == nil && unchanged(u, old) {
		return f.result(r, "userNotChanged")
	}
	u.LastUpdateTime = f.nextUpdate(old.LastUpdateTime)
	return f.store(r, u, i)
}

// updated is the user as an update wants it.
func (f *fake) updated(p payload, old user) (user, *answer) {
	u := old
	if f.is("put-unsent", "default") {
		blank := blankUser(old.Username, old.CreationTime)
		u.Roles, u.Groups, u.AllowedLoginMethod = blank.Roles, blank.Groups, blank.AllowedLoginMethod
		u.TotpEnabled, u.ChangePasswordOnNextLogin, u.IsDailyNotifications = false, false, false
	}
	u = p.apply(u)
	if _, sent := p.keys["roles"]; !sent {
		return u, nil
	}
	roles, bad := f.rolesOf(p, old.Roles)
	u.Roles = roles
	return u, bad
}

// stale tells whether an update is refused because the user has changed since
// it was read. Without lastUpdateTime nobody can tell that it has not.
func (f *fake) stale(p payload, old user) bool {
	switch f.value("stale") {
	case "once":
		f.st.Switches["stale"] = "none"
		return true
	case "check":
		return p.updated == nil || *p.updated != old.LastUpdateTime
	}
	return false
}

// newPasswordCode is the result code that keeps an update from setting a
// password, or from leaving it out.
func (f *fake) newPasswordCode(password *string, u user) string {
	switch {
	case password == nil && f.is("put-password", "required"):
		return "badStrictPassword"
	case password == nil:
		return ""
	}
	if code := f.passwordCode(*password); code != "" {
		return code
	}
	if u.wasUsed(*password) {
		return "previousPassword"
	}
	return ""
}

func (f *fake) conflict(r *request, u user) (answer, bool) {
	code := f.value("role-conflict")
	if code == "accept" || !u.breaksRules() {
		return answer{}, false
	}
	return f.result(r, code), true
}

func (f *fake) deleteUser(r *request, _ user) answer {
	if a, ok := f.forced(r); ok {
		return a
	}
	i := f.indexPath(r.path[2])
	if i < 0 {
		return f.result(r, notFound)
	}
	u := f.st.Users[i]
	f.hide(u.Username, &u)
	f.st.Users = slices.Delete(slices.Clone(f.st.Users), i, i+1)
	for key, s := range f.st.Sessions {
		if s.Login == u.Username {
			delete(f.st.Sessions, key)
		}
	}
	f.st.Counters.Writes++
	return f.result(r, success)
}

// changeOwnPassword takes the old password and the new one.
func (f *fake) changeOwnPassword(r *request, caller user) answer {
	if a, ok := f.forced(r); ok {
		return a
	}
	var pair []string
	if err := json.Unmarshal(r.body, &pair); err != nil || len(pair) != 2 {
		return badRequest("the body has to be the old and the new password")
	}
	if !samePassword(caller.Password, pair[0]) {
		return f.result(r, "incorrectPassword")
	}
	if code := f.newPasswordCode(&pair[1], caller); code != "" {
		return f.result(r, code)
	}
	u := caller.withPassword(pair[1])
	u.ChangePasswordOnNextLogin = false
	u.LastUpdateTime = f.nextUpdate(u.LastUpdateTime)
	return f.store(r, u, f.index(caller.Username))
}

// sameSet compares without regard to order; neither list repeats anything.
func sameSet(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

// unchanged compares what an update can set.
func unchanged(u, old user) bool {
	groups, _ := json.Marshal(u.Groups) // raw JSON that was decoded before
	before, _ := json.Marshal(old.Groups)
	return sameSet(u.Roles, old.Roles) && u.CreationTime == old.CreationTime && u.TotpEnabled == old.TotpEnabled &&
		u.ChangePasswordOnNextLogin == old.ChangePasswordOnNextLogin &&
		u.IsDailyNotifications == old.IsDailyNotifications &&
		u.AllowedLoginMethod == old.AllowedLoginMethod && string(groups) == string(before)
}
