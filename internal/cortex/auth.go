package cortex

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"edrctl/internal/provision"
)

// The two security levels of API keys.
const (
	keyAdvanced = "advanced"
	keyStandard = "standard"
)

// key is an API key. It signs each attempt of each request anew.
type key struct {
	id     string
	secret provision.Secret
	kind   string
	now    func() time.Time
}

func newKey(cfg provision.Config) (key, error) {
	k := key{id: cfg.Setting("api-key-id"), secret: cfg.Secrets["api-key"], kind: cfg.Setting("key-type"), now: cfg.Now}
	if k.kind == "" {
		k.kind = keyAdvanced
	}
	_, err := strconv.ParseUint(k.id, 10, 64)
	switch {
	case err != nil:
		return key{}, provision.Usagef("api-key-id is the number of an API key, such as 17")
	case k.secret.Empty():
		return key{}, provision.Usagef("api-key is missing")
	case k.kind != keyAdvanced && k.kind != keyStandard:
		return key{}, provision.Usagef("key-type is %s or %s, not %q", keyAdvanced, keyStandard, k.kind)
	}
	return k, nil
}

// sign puts the key on one attempt. A standard key goes out as it is; of an
// advanced one only a digest does, which is good once. (Cortex XDR REST API,
// Get Started with Cortex XDR APIs.)
func (k key) sign(r *http.Request) error {
	r.Header.Set("X-Xdr-Auth-Id", k.id)
	if k.kind == keyStandard {
		r.Header.Set("Authorization", k.secret.Reveal())
		return nil
	}
	nonce, err := newNonce(rand.Reader)
	if err != nil {
		return &provision.Error{Vendor: name, Kind: provision.ErrInternal, Message: "no random numbers", Err: err}
	}
	timestamp := strconv.FormatInt(k.now().UnixMilli(), 10)
	r.Header.Set("X-Xdr-Nonce", nonce)
	r.Header.Set("X-Xdr-Timestamp", timestamp)
	r.Header.Set("Authorization", digest(k.secret.Reveal(), nonce, timestamp))
	neverReplay(r)
	return nil
}

// digest is a plain hash over key, nonce and timestamp. It covers neither the
// method nor the path nor the body.
func digest(secret, nonce, timestamp string) string {
	sum := sha256.Sum256([]byte(secret + nonce + timestamp))
	return hex.EncodeToString(sum[:])
}

// newNonce draws 64 letters and digits, each as likely as any other.
func newNonce(random io.Reader) (string, error) {
	const (
		alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		length   = 64
		fair     = 256 - 256%len(alphabet) // bytes from here on would favour the first letters
	)
	nonce := make([]byte, 0, length)
	drawn := make([]byte, length)
	for len(nonce) < length {
		if _, err := io.ReadFull(random, drawn); err != nil {
			return "", err
		}
		for _, b := range drawn {
			if int(b) < fair && len(nonce) < length {
				nonce = append(nonce, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(nonce), nil
}

// neverReplay keeps net/http from sending a GET a second time by itself. It
// does so when a kept connection dies before the answer, and the vendor, who
// may have seen the first one, would refuse the nonce as used. A body that
// cannot be rewound prevents that; this one is empty and changes nothing on the
// wire. Whether to repeat is then up to the transport, which signs anew.
func neverReplay(r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		r.Body, r.GetBody = emptyBody{}, nil
	}
}

type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

// hint says what may be wrong with a key that is refused. The other type is
// named and not tried: that could put the key itself on the wire.
func (k key) hint(skew time.Duration) string {
	other := keyStandard
	if k.kind == keyStandard {
		other = keyAdvanced
	}
	text := fmt.Sprintf("check api-key-id and api-key, that the key has not expired, and whether it is a key of the other type (key-type: %s)", other)
	if k.kind == keyAdvanced {
		text += fmt.Sprintf("; this computer's clock says %s, ", k.now().UTC().Format(time.RFC3339))
		switch {
		case skew > 0:
			text += fmt.Sprintf("the server's is %s ahead", skew)
		case skew < 0:
			text += fmt.Sprintf("the server's is %s behind", -skew)
		default:
			text += "as does the server's"
		}
	}
	return text
}
