package provision

import (
	"fmt"
	"strings"
)

// MaxLogin is the longest login, in bytes.
const MaxLogin = 254

// FoldLogin is the form in which logins are compared: trimmed and lower case.
// What is sent is the vendor's own spelling, or for a new user the one given.
func FoldLogin(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// SameLogin reports whether two spellings mean one person.
func SameLogin(a, b string) bool { return FoldLogin(a) == FoldLogin(b) }

// CheckLogin reports whether a login is an e-mail address that is safe in a
// path, a query and a filter of every vendor. Anything else is ErrUsage.
//
// It is stricter than RFC 5322: at most MaxLogin bytes, one "@", a local part
// of letters, digits and ._%+'- without a dot at an end or two in a row, and a
// domain of at least two labels of letters, digits and hyphens.
func CheckLogin(login string) error {
	bad := func(why string) error {
		return &Error{
			Kind: ErrUsage, Message: fmt.Sprintf("%q is not a login: %s", login, why),
			Hint: "a login is the e-mail address the person signs in with",
		}
	}
	if len(login) > MaxLogin {
		return &Error{Kind: ErrUsage, Message: fmt.Sprintf("a login has at most %d bytes, this one has %d", MaxLogin, len(login))}
	}
	local, domain, ok := strings.Cut(login, "@")
	switch {
	case !ok:
		return bad(`there is no "@"`)
	case strings.Contains(domain, "@"):
		return bad(`there is more than one "@"`)
	case local == "":
		return bad(`nothing stands before the "@"`)
	case strings.Trim(local, ".") != local || strings.Contains(local, ".."):
		return bad(`a dot stands at an end of the part before the "@", or two in a row`)
	}
	for _, c := range local {
		if !isAlnum(c) && !strings.ContainsRune("._%+'-", c) {
			return bad(fmt.Sprintf("%q is not allowed before the \"@\"", string(c)))
		}
	}
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return bad("the domain has no dot")
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return bad("the domain has an empty or misformed label")
		}
		for _, c := range label {
			if !isAlnum(c) && c != '-' {
				return bad(fmt.Sprintf("%q is not allowed in the domain", string(c)))
			}
		}
	}
	return nil
}

func isAlnum(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
