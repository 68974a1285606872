package cortex

import (
	"bufio"
	"bytes"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

func TestDigest(t *testing.T) {
	data, err := os.ReadFile("../../testdata/cortex/advanced_key_vectors.json")
	require.NoError(t, err)
	var file struct {
		Vectors []struct{ Key, Nonce, Timestamp, Digest string }
	}
	require.NoError(t, json.Unmarshal(data, &file))
	require.NotEmpty(t, file.Vectors)
	for _, v := range file.Vectors {
		assert.Equal(t, v.Digest, digest(v.Key, v.Nonce, v.Timestamp), "timestamp %s", v.Timestamp)
	}
}

func TestNonce(t *testing.T) {
	// Bytes that would make some letters likelier than others are passed over.
	drawn := append(bytes.Repeat([]byte{0xff, 248}, 32), bytes.Repeat([]byte{0, 61, 62, 247}, 16)...)
	nonce, err := newNonce(bytes.NewReader(drawn))
	require.NoError(t, err)
	assert.Equal(t, strings.Repeat("a9a9", 16), nonce)

	_, err = newNonce(bytes.NewReader(drawn[:100]))
	assert.Error(t, err, "no more random numbers")
}

func TestSign(t *testing.T) {
	at := time.UnixMilli(1767225600123)
	k := key{id: "17", secret: provision.NewSecret("canary-key"), kind: keyAdvanced, now: func() time.Time { return at }}
	seen := map[string]bool{}
	for range 3 {
		r, err := http.NewRequest(http.MethodGet, "https://api-acme.example/", http.NoBody)
		require.NoError(t, err)
		require.NoError(t, k.sign(r))
		nonce := r.Header.Get("x-xdr-nonce")
		assert.Regexp(t, `^[a-zA-Z0-9]{64}$`, nonce)
		assert.False(t, seen[nonce], "a nonce is used once")
		seen[nonce] = true
		assert.Equal(t, "17", r.Header.Get("x-xdr-auth-id"))
		assert.Equal(t, "1767225600123", r.Header.Get("x-xdr-timestamp"))
		assert.Equal(t, digest("canary-key", nonce, "1767225600123"), r.Header.Get("Authorization"))
	}

	k.kind = keyStandard
	r, err := http.NewRequest(http.MethodGet, "https://api-acme.example/", http.NoBody)
	require.NoError(t, err)
	require.NoError(t, k.sign(r))
	assert.Equal(t, "canary-key", r.Header.Get("Authorization"), "the key itself, without a scheme")
	assert.NotContains(t, r.Header, "X-Xdr-Nonce")
	assert.NotContains(t, r.Header, "X-Xdr-Timestamp")
}

// TestNeverReplayed has a server take a request on a kept connection and go
// without an answer, which net/http would answer by sending the same again.
func TestNeverReplayed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	nonces := make(chan string, 10)
	go func() {
		for connection := 0; ; connection++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(conn)
			for request := 0; ; request++ {
				r, err := http.ReadRequest(in)
				if err != nil {
					break
				}
				nonces <- r.Header.Get("X-Xdr-Nonce")
				assert.Zero(t, r.ContentLength)
				assert.Empty(t, r.TransferEncoding)
				if connection == 0 && request == 1 {
					break
				}
				_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"data\":[]}"))
			}
			_ = conn.Close()
		}
	}()

	base := transport.Base(transport.BaseOptions{})
	t.Cleanup(base.CloseIdleConnections)
	p, err := New(t.Context(), provision.Config{
		Settings: map[string]string{"url": "http://" + listener.Addr().String(), "api-key-id": "17"},
		Secrets:  map[string]provision.Secret{"api-key": provision.NewSecret("k")},
		HTTP:     base, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	for range 2 {
		_, err = p.Check(t.Context())
		require.NoError(t, err)
	}
	close(nonces)
	seen := map[string]bool{}
	for nonce := range nonces {
		assert.False(t, seen[nonce], "the nonce was sent before")
		seen[nonce] = true
	}
	assert.Len(t, seen, 3, "the first, the one without an answer, and that again")
}

func TestHint(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	k := key{kind: keyAdvanced, now: func() time.Time { return at }}
	const before = "check api-key-id and api-key, that the key has not expired, and whether it is a key of the other type "
	const clock = "(key-type: standard); this computer's clock says 2026-01-01T00:00:00Z, "
	assert.Equal(t, before+clock+"the server's is 10m0s ahead", k.hint(10*time.Minute))
	assert.Equal(t, before+clock+"the server's is 1h0m0s behind", k.hint(-time.Hour))
	assert.Equal(t, before+clock+"as does the server's", k.hint(0))
	k.kind = keyStandard
	assert.Equal(t, before+"(key-type: advanced)", k.hint(time.Hour), "a standard key does not care for the time")
}
