package cybereason

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"edrctl/internal/provision"
)

// The vendor's extras. Their names are those of options and of User.Extra.
const (
	optTOTP           = "totp-enabled"
	optMethod         = "allowed-login-method"
	optChangePassword = "change-password-on-next-login"
	optNotifications  = "daily-notifications"
	optGroups         = "groups"
)

// passwordMethod is the only method of signing in whose name is published.
const passwordMethod = "PASSWORD"

func options() []provision.Option {
	return []provision.Option{
		{
			Name: optTOTP, Kind: provision.KindBool, OnCreate: true, OnUpdate: true,
			Help: "ask for a second factor at sign-in, where the console has that switched on; true for new users",
		},
		{
			Name: optMethod, Kind: provision.KindString, Values: []string{passwordMethod}, OnCreate: true, OnUpdate: true,
			Help: "how the user may sign in, in the console's own word; PASSWORD for new users",
		},
		{
			Name: optChangePassword, Kind: provision.KindBool, OnCreate: true, OnUpdate: true,
			Help: "have the user choose a new password at the next sign-in; false for new users",
		},
		{
			Name: optNotifications, Kind: provision.KindBool, OnCreate: true, OnUpdate: true,
			Help: "mail the user a daily summary; false for new users",
		},
		{
			Name: optGroups, Kind: provision.KindList, OnCreate: true, OnUpdate: true,
			Help: "ids of the sensor groups that the user's local roles are for",
		},
	}
}

// passwordRule is the strict policy, which new consoles have, without the
// characters that some versions refuse. (Cybereason documentation, Define a
// Password Policy.)
func passwordRule() *provision.PasswordRule {
	const special = "!@#$&*"
	return &provision.PasswordRule{
		Help:    "8 to 64 characters, with a capital and a small letter, a digit and one of " + special + "; none of the last ten passwords",
		Classes: []string{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789", special},
		Length:  20,
	}
}

// applyOptions puts options into a record. Those that it agrees with already
// keep the form they have in it.
func (u *wireUser) applyOptions(o provision.Options) error {
	for optName, text := range o {
		field, value, err := u.option(optName, text)
		if err != nil {
			return err
		}
		if encoded := raw(value); !sameJSON(*field, encoded) {
			*field = encoded
		}
	}
	return nil
}

// option is the field of an option and the value it asks for.
func (u *wireUser) option(optName, text string) (field *json.RawMessage, value any, err error) {
	switch optName {
	case optMethod:
		if !regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`).MatchString(text) {
			return nil, nil, provision.Usagef("option %s.%s is a word in capitals, such as %s, not %q", name, optName, passwordMethod, text)
		}
		return &u.AllowedLoginMethod, text, nil
	case optGroups:
		ids := []string{}
		for id := range strings.SplitSeq(text, ",") {
			if id = strings.TrimSpace(id); id != "" {
				ids = append(ids, id)
			}
		}
		return &u.Groups, ids, nil
	}
	fields := map[string]*json.RawMessage{
		optTOTP: &u.TotpEnabled, optChangePassword: &u.ChangePasswordOnNextLogin, optNotifications: &u.IsDailyNotifications,
	}
	field, ok := fields[optName]
	if !ok {
		return nil, nil, provision.Usagef("%s has no option %q", name, optName)
	}
	if value, err = strconv.ParseBool(text); err != nil {
		return nil, nil, provision.Usagef("option %s.%s is true or false, not %q", name, optName, text)
	}
	return field, value, nil
}

// extra shows a record's options, as far as they have the form they should.
func (u *wireUser) extra() map[string]any {
	extra := map[string]any{}
	show(extra, optTOTP, u.TotpEnabled, new(bool))
	show(extra, optChangePassword, u.ChangePasswordOnNextLogin, new(bool))
	show(extra, optNotifications, u.IsDailyNotifications, new(bool))
	show(extra, optMethod, u.AllowedLoginMethod, new(string))
	show(extra, optGroups, u.Groups, new([]string))
	return extra
}

func show[T any](extra map[string]any, optName string, value json.RawMessage, into *T) {
	if !absent(value) && json.Unmarshal(value, into) == nil {
		extra[optName] = *into
	}
}
