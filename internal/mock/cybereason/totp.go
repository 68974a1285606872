package cybereason

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238 with the algorithm that authenticator apps use
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

const (
	stepSeconds = 30
	// keyCanary begins every second-factor key of the fake, so that a key that
	// leaks is found by searching for it.
	keyCanary = "CANARYTOTPSID"
)

// totpCode is the code of RFC 6238 for a step: SHA-1, six digits.
func totpCode(key []byte, step uint64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], step)
	mac := hmac.New(sha1.New, key)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[offset:])&0x7fffffff)%1_000_000)
}

// codeFits tells whether a code belongs to the present step or a neighbour of
// it, so that a request on its way when the step ends still counts.
func codeFits(secret, code string, now time.Time) bool {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(secret, "="))
	unix := now.Unix()
	if err != nil || len(key) == 0 || unix < stepSeconds {
		return false
	}
	step := uint64(unix) / stepSeconds
	for _, s := range []uint64{step - 1, step, step + 1} {
		if hmac.Equal([]byte(totpCode(key, s)), []byte(code)) {
			return true
		}
	}
	return false
}

// newKey makes a second-factor key that can be recognised.
func newKey() *string {
	const length = 32
	random := make([]byte, length)
	_, _ = rand.Read(random) // never fails: the program ends instead
	key := (keyCanary + base32.StdEncoding.EncodeToString(random))[:length]
	return &key
}
