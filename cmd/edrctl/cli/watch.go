package cli

import (
	"crypto/tls"
	"net/http"
	"sync"
	"time"
)

// connectionWatch notes what the answers of a tenant tell about the way there.
type connectionWatch struct {
	mu      sync.Mutex
	base    http.RoundTripper
	proxy   func(*http.Request) string
	name    string
	through string
	state   *tls.ConnectionState
	date    time.Time
	at      time.Time
	left    string
	limit   string
	now     func() time.Time
}

// RoundTrip implements http.RoundTripper.
func (w *connectionWatch) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.name, w.through = r.URL.Host, w.proxy(r)
	w.mu.Unlock()
	resp, err := w.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = resp.TLS
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		w.date, w.at = date, w.now()
	}
	if limit := resp.Header.Get("X-Ratelimit-Limit"); limit != "" {
		w.limit, w.left = limit, resp.Header.Get("X-Ratelimit-Remaining")
	}
	return resp, nil
}

func (w *connectionWatch) host() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.name
}

func (w *connectionWatch) proxied() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.through == "" {
		return ""
	}
	return " through the proxy " + w.through
}

// soon is how long before its end a certificate is worth a warning.
const soon = 14 * 24 * time.Hour

func (w *connectionWatch) tls(now time.Time) (message, result, hint string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == nil || len(w.state.PeerCertificates) == 0 {
		return "plain HTTP", "warn", "only a mock should be reached without TLS"
	}
	leaf := w.state.PeerCertificates[0]
	message = tls.VersionName(w.state.Version) + ", certificate of " + leaf.Issuer.CommonName +
		" valid until " + leaf.NotAfter.UTC().Format(time.DateOnly)
	if leaf.NotAfter.Sub(now) < soon {
		return message, "warn", "the certificate ends soon; tell whoever runs the server"
	}
	return message, "ok", ""
}

// skew is how many seconds the server's clock is ahead.
func (w *connectionWatch) skew() (seconds int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int(w.date.Sub(w.at.Truncate(time.Second)).Seconds()), !w.date.IsZero()
}

func (w *connectionWatch) rate() (left, limit string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left, w.limit
}
