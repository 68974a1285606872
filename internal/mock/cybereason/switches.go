package cybereason

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"edrctl/internal/mock"
)

// Kinds of value a switch may take beside the words it lists.
const (
	anyCount  = "N"   // a whole number, zero or more
	anyNumber = "±N"  // any whole number
	anyWord   = "..." // any text
	anyURL    = "URL"
)

type switchDef struct {
	name, initial string
	// takes lists words and kinds of value, separated by a bar.
	takes, help string
}

func switchTable() []switchDef {
	return []switchDef{
		{"login-rejected", "error-query", "error-query|error-fragment|plain|page", "how a refused sign-in is answered"},
		{"login-accepted", "one", "one|two", "redirects after a sign-in; with two the code page comes after one redirect"},
		{"app-page", "app", "app|bare", "whether the signed-in page has an app element"},
		{"tfa", "off", "on|off", "on asks users with totpEnabled for a code and gives the service account that flag; off asks nobody"},
		{"tfa-first-time", "off", "on|off", "the service account's next code page shows its key; goes off by itself"},
		{"tfa-cookie", "same", "same|new", "whether an accepted code brings a new session cookie"},
		{"wrong-code", "error-query", "error-query|error-fragment|page", "how a refused code is answered"},
		{"password-expired", "off", "on|off", "the service account must change its password; goes off when it has"},
		{"password-rule", "strict", "strict|strict-charset|basic|off", "password policy; strict-charset also refuses - _ % , and brackets"},
		{"lockout-after", "0", anyCount, "refused sign-ins of one user that lock it until this is 0; 0 never locks"},
		{"session-requests", "0", anyCount, "requests under /rest a session is good for; 0 is no limit"},
		{"session-seconds", "28800", anyCount, "seconds a session is good for"},
		{"session-gone", "302", "302|page|401", "how a request under /rest without session is answered"},
		{"sso-only", "off", "off|on|" + anyURL, "a sign-in is sent to another host, with a URL to that address"},
		{"current", "present", "present|missing", "whether users/current exists"},
		{"single-get", "present", "present|code|missing", "whether one user can be read; for an absent one present answers 404, code \"userNotFound\""},
		{"path-case", "exact", "exact|fold", "whether the case of a login in a path matters"},
		{"raw-plus", "plus", "plus|space", "what an unescaped + in a path means"},
		{"put-password", "optional", "optional|required", "whether an update has to carry a password"},
		{"put-unsent", "keep", "keep|default", "whether keys an update leaves out keep their value or go back to a default"},
		{"stale", "none", "none|once|check", "staleUser for the next update, or for each whose lastUpdateTime is not the stored one"},
		{"role-conflict", "actionNotAllowed", "actionNotAllowed|actionFailed|accept", "answer to roles that exclude each other or need a second factor"},
		{"unknown-role", "reject", "reject|accept", "whether a role the console does not have answers 400"},
		{"write-reply", "quoted", "quoted|bare|empty|204|400|500", "form of a result code: quoted, as bare text, always an empty 200, 204 for success, 400 for failures, 500 for success"},
		{"next-code", "none", "none|" + anyWord, "result code of the next write, which then changes nothing; goes back to none"},
		{"visibility-reads", "0", anyCount, "reads of a user that still show it as it was before a write"},
		{"admin-role", "on", "on|off", "whether the service account has user_admin"},
		{"list-missing-roles", "off", "off|on|null", "the second record of the list has no roles, or null"},
		{"list-two-spellings", "off", "off|on", "the list has the second record again, with its login in another case"},
		{"list-size", "0", anyCount, "made-up users fill the list up to this size"},
		{"clock-offset", "0", anyNumber, "seconds the console's clock is ahead"},
		{"server-version", "21.2.43", "missing|" + anyWord, "the console's version, or none to read"},
		{"error-body", "html", "html|json", "body of answers with status 500 and above"},
	}
}

func defaultSwitches(totp bool) map[string]string {
	switches := map[string]string{}
	for _, d := range switchTable() {
		switches[d.name] = d.initial
	}
	if totp {
		switches["tfa"] = "on"
	}
	return switches
}

func (d switchDef) allows(value string) bool {
	return slices.ContainsFunc(strings.Split(d.takes, "|"), func(word string) bool {
		n, err := strconv.Atoi(value)
		small := err == nil && n <= 1_000_000 && n >= -1_000_000
		switch word {
		case anyCount:
			return small && n >= 0
		case anyNumber:
			return small
		case anyWord:
			return value != ""
		case anyURL:
			u, err := url.Parse(value)
			return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
		}
		return word == value
	})
}

func checkSwitch(name, value string) error {
	var known []string
	for _, d := range switchTable() {
		if d.name == name {
			if !d.allows(value) {
				return fmt.Errorf("switch %s: %q is none of %s", name, value, d.takes)
			}
			return nil
		}
		known = append(known, d.name)
	}
	return fmt.Errorf("no switch %q, only %s", name, strings.Join(known, ", "))
}

// Set turns a switch. Some of them change the users at once.
func (f *fake) Set(name, value string) error {
	if err := checkSwitch(name, value); err != nil {
		return fmt.Errorf("cybereason: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.st.Switches[name] = value
	switch {
	case name == "list-size":
		f.fillList(f.number(name))
	case name == "tfa" && value == "on":
		f.changeService(func(u *user) { u.TotpEnabled = true })
	case name == "admin-role":
		f.changeService(func(u *user) {
			roles := slices.DeleteFunc(slices.Clone(u.Roles), func(role string) bool { return role == userAdmin })
			if value == "on" {
				roles = append(roles, userAdmin)
			}
			u.Roles = roles
		})
	}
	return nil
}

// Switches lists every switch; its help begins with the values it takes.
func (f *fake) Switches() map[string]mock.Switch {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]mock.Switch{}
	for _, d := range switchTable() {
		all[d.name] = mock.Switch{Value: f.st.Switches[d.name], Help: d.takes + ": " + d.help}
	}
	return all
}

func (f *fake) value(name string) string { return f.st.Switches[name] }

func (f *fake) is(name, value string) bool { return f.st.Switches[name] == value }

func (f *fake) number(name string) int {
	n, err := strconv.Atoi(f.st.Switches[name])
	if err != nil {
		return 0
	}
	return n
}

// changeService changes the service account, if it is still there.
func (f *fake) changeService(change func(*user)) {
	if i := f.index(serviceLogin); i >= 0 {
		change(&f.st.Users[i])
	}
}

// fillList makes up users until there are n, or takes them away again.
func (f *fake) fillList(n int) {
	users := slices.DeleteFunc(slices.Clone(f.st.Users), func(u user) bool { return u.Synthetic })
	for i := 1; len(users) < n; i++ {
		made := blankUser(fmt.Sprintf("load.%05d@load.example", i), 1735689600000+int64(i))
		made.Roles, made.Synthetic = []string{"analyst_l1"}, true
		users = append(users, made)
	}
	f.st.Users = users
}
