package cybereason

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTOTPCode(t *testing.T) {
	// The SHA-1 vectors of RFC 6238, appendix B, of which six digits are used.
	vectors := map[int64]string{
		59:          "94287082",
		1111111109:  "07081804",
		1111111111:  "14050471",
		1234567890:  "89005924",
		2000000000:  "69279037",
		20000000000: "65353130",
	}
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for unix, want := range vectors {
		assert.Equal(t, want[2:], totpCode([]byte("12345678901234567890"), uint64(unix)/30), unix)
		assert.Equal(t, want[2:], TOTPCode(secret, time.Unix(unix, 0)), unix)
	}
}

func TestCodeFits(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	at := time.Unix(1111111110, 0)
	for off, want := range map[int64]bool{-60: false, -30: true, 0: true, 29: true, 30: true, 60: false} {
		code := TOTPCode(secret, at.Add(time.Duration(off)*time.Second))
		assert.Equal(t, want, codeFits(secret, code, at), "%d seconds off", off)
	}
	code := TOTPCode(secret, at)
	assert.False(t, codeFits(secret, "", at))
	assert.False(t, codeFits("not base32!", code, at))
	assert.False(t, codeFits("", code, at))
	assert.False(t, codeFits(secret, code, time.Unix(-5, 0)))
}

func TestKeys(t *testing.T) {
	seeded := defaultState(true)
	made, another := *newKey(), *newKey()
	assert.NotEqual(t, made, another)
	keys := []string{made, *seeded.Users[0].TotpSid, *seeded.Users[3].TotpSid}
	for _, key := range keys {
		assert.True(t, strings.HasPrefix(key, keyCanary))
		assert.Len(t, key, 32)
		assert.NotEmpty(t, TOTPCode(key, time.Unix(59, 0)), "%s is base32", key)
	}
}
