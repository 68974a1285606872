package cybereason

import (
	"encoding/base32"
	"time"
)

// TOTPCode is the code an authenticator app shows.
func TOTPCode(secret string, at time.Time) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		return ""
	}
	return totpCode(key, uint64(at.Unix())/stepSeconds)
}
