package cortex

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	headerID        = "X-Xdr-Auth-Id"
	headerNonce     = "X-Xdr-Nonce"
	headerTimestamp = "X-Xdr-Timestamp"
)

// keyType is the kind of a key.
func (f *fake) keyType(k key) string {
	if k.Type != "" {
		return k.Type
	}
	return f.st.Switches[swKeyType]
}

// authenticate finds the key a request was made with. The error is for the
// log: the client is told nothing.
func (f *fake) authenticate(r *http.Request) (key, error) {
	for _, name := range []string{headerID, "Authorization"} {
		if n := len(r.Header.Values(name)); n != 1 {
			return key{}, fmt.Errorf("%d headers %s", n, name)
		}
	}
	id := r.Header.Get(headerID)
	i := slices.IndexFunc(f.st.Keys, func(k key) bool { return strconv.Itoa(k.ID) == id })
	if i < 0 {
		return key{}, errors.New("no key has that id")
	}
	k := f.st.Keys[i]
	if k.Expires != nil && f.now().UnixMilli() >= *k.Expires {
		return key{}, errors.New("the key has expired")
	}
	given := r.Header.Get("Authorization")
	if f.keyType(k) == keyStandard {
		if !same(given, k.Secret) {
			return key{}, errors.New("authorization is not the standard key itself")
		}
		return k, nil
	}
	return k, f.signature(k, given, r.Header.Get(headerNonce), r.Header.Get(headerTimestamp))
}

// signature checks the headers of an advanced key and uses up the nonce.
func (f *fake) signature(k key, given, nonce, timestamp string) error {
	if nonce == "" || timestamp == "" {
		return errors.New("an advanced key needs a nonce and a timestamp")
	}
	sum := sha256.Sum256([]byte(k.Secret + nonce + timestamp))
	if !same(given, hex.EncodeToString(sum[:])) {
		return errors.New("the digest of the advanced key does not fit")
	}
	ms, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return errors.New("the timestamp is no number")
	}
	now, limit := f.now(), time.Duration(f.number(swSkewLimit))*time.Second
	if skew := now.Sub(time.UnixMilli(ms)).Abs(); skew > limit {
		return fmt.Errorf("the timestamp is %s off", skew.Round(time.Second))
	}
	if _, used := f.st.Nonces[nonce]; used && f.is(swReplay, "reject") {
		return errors.New("the nonce was used before")
	}
	f.forget(now.Add(-2 * limit).UnixMilli())
	f.st.Nonces[nonce] = ms
	return nil
}

// forget drops nonces so old that their timestamps would be refused, once
// there are many.
func (f *fake) forget(before int64) {
	if len(f.st.Nonces) < 10_000 {
		return
	}
	for nonce, ms := range f.st.Nonces {
		if ms < before {
			delete(f.st.Nonces, nonce)
		}
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
