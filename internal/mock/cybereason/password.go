package cybereason

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	hashPrefix = "sha256:"
	// remembered is how many passwords of a user may not come back.
	remembered = 10
)

// hashPassword makes what the fake keeps of a password: enough to compare
// with, nothing to read.
func hashPassword(password string) string {
	salt := make([]byte, 12)
	_, _ = rand.Read(salt) // never fails: the program ends instead
	return saltedHash(hex.EncodeToString(salt), password)
}

func saltedHash(salt, password string) string {
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(password))
	return hashPrefix + salt + ":" + hex.EncodeToString(mac.Sum(nil))
}

// samePassword compares a password with a hash. Without a hash nothing fits.
func samePassword(hash, password string) bool {
	salt, _, ok := strings.Cut(strings.TrimPrefix(hash, hashPrefix), ":")
	return ok && hmac.Equal([]byte(hash), []byte(saltedHash(salt, password)))
}

// wasUsed tells whether a password is the user's present one or one of those
// remembered.
func (u user) wasUsed(password string) bool {
	return slices.ContainsFunc(append([]string{u.Password}, u.Previous...), func(hash string) bool {
		return samePassword(hash, password)
	})
}

// withPassword returns the user with another password.
func (u user) withPassword(password string) user {
	if u.Password != "" {
		// The present password is one of the ten.
		keep := u.Previous[:min(len(u.Previous), remembered-2)]
		u.Previous = append([]string{u.Password}, keep...)
	}
	u.Password = hashPassword(password)
	return u
}

// passwordCode is the result code for a password the policy refuses, or "".
func (f *fake) passwordCode(password string) string {
	rule := f.value("password-rule")
	if rule == "off" {
		return ""
	}
	length := utf8.RuneCountInString(password)
	fits := length >= 8 && length <= 64
	if rule == "basic" {
		if fits {
			return ""
		}
		return "badBasicPassword"
	}
	fits = fits && strings.ContainsFunc(password, unicode.IsUpper) &&
		strings.ContainsFunc(password, unicode.IsLower) &&
		strings.ContainsFunc(password, unicode.IsDigit) &&
		strings.ContainsAny(password, "!@#$&*")
	if rule == "strict-charset" {
		fits = fits && !strings.ContainsAny(password, "-_%,()[]{}")
	}
	if fits {
		return ""
	}
	return "badStrictPassword"
}
