package transport

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// lostAnswer says how an attempt ended without an answer.
type lostAnswer struct {
	err error
	// sent is true when the request's header went out, so that the server may
	// have acted on it.
	sent bool
	// final is true when the attempt failed on our side, before any network.
	final bool
}

// foreignAnswer is a success status with a body that is not the API's.
type foreignAnswer struct {
	text     string
	tooLarge bool
}

func (e *foreignAnswer) Error() string { return e.text }

func (l *lostAnswer) repeatable(req *Request) bool {
	var foreign *foreignAnswer
	var refusal *proxyRefusal
	switch {
	case l.final, l.untrusted(), errors.Is(l.err, context.Canceled), nameNotFound(l.err), errors.As(l.err, &refusal):
		return false
	case errors.As(l.err, &foreign) && foreign.tooLarge:
		return false // it would be as large again
	}
	return !l.sent || !req.Change && !req.Single
}

// lost turns a lost answer into an error.
func (c *Client) lost(ctx context.Context, req *Request, l *lostAnswer) error {
	var own *provision.Error
	var foreign *foreignAnswer
	switch {
	case l.final && errors.As(l.err, &own):
		return l.err
	case l.final:
		return c.fail(req, provision.ErrInternal, "the request cannot be made", l.err)
	case l.untrusted():
		return c.untrusted(req, l.err)
	case l.sent && req.Change:
		e := c.fail(req, provision.ErrUncertain, "the answer was lost", l.err)
		e.Hint = "look at the user before asking again"
		return e
	case ctx.Err() != nil:
		return c.fail(req, provision.ErrInterrupted, "stopped", context.Cause(ctx))
	case errors.As(l.err, &foreign):
		e := c.fail(req, provision.ErrInternal, "not the API: "+foreign.text, nil)
		e.Hint = fmt.Sprintf("check %s (%s), and proxies or portals on the way", c.originKey(), c.o.Origin.Host)
		return e
	}
	e := c.fail(req, provision.ErrUnavailable, c.o.Origin.Host+" "+unreachable(l.err), l.err)
	e.Hint = fmt.Sprintf("check the network and the tenant's %s and proxy", c.originKey())
	return e
}

func (c *Client) originKey() string {
	if c.o.OriginKey == "" {
		return "url"
	}
	return c.o.OriginKey
}

func unreachable(err error) string {
	var op *net.OpError
	var timeout net.Error
	var record tls.RecordHeaderError
	var refusal *proxyRefusal
	switch {
	case errors.As(err, &refusal), errors.As(err, &op) && op.Op == "proxyconnect":
		return "cannot be reached through the proxy"
	case nameNotFound(err):
		return "is not known to the DNS"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "did not answer in time"
	case errors.As(err, &op) && op.Op == "dial":
		return "cannot be reached"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "does not speak TLS"
	default:
		return "closed the connection"
	}
}

func nameNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// untrusted reports a certificate that does not verify, or a TLS handshake that
// one side broke off, as over a version that is too old. A connection that
// breaks after the request went out is another matter, unless the server speaks
// of our certificate: under TLS 1.3 it looks at that so late.
func (l *lostAnswer) untrusted() bool {
	var verification *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case errors.As(l.err, &verification):
		return true
	case errors.As(l.err, &op) && op.Op == "remote error":
		return !l.sent || strings.Contains(op.Err.Error(), "certificate")
	case l.sent:
		return false
	}
	var record tls.RecordHeaderError
	local := errors.As(l.err, &op) && op.Op == "local error" || strings.HasPrefix(l.err.Error(), "tls: ")
	return local && !errors.As(l.err, &record)
}

func (c *Client) untrusted(req *Request, cause error) error {
	e := c.fail(req, provision.ErrUntrusted, c.o.Origin.Host+" cannot be trusted", cause)
	e.Hint = "if the server's certificate comes from a private authority, name that in the tenant's ca-file"
	var verification *tls.CertificateVerificationError
	switch {
	case !errors.As(cause, &verification):
		e.Hint = "the TLS handshake failed: edrctl speaks TLS 1.2 or better; a server may also want a client-cert"
	case len(verification.UnverifiedCertificates) > 0:
		e.Message += ": " + describe(verification.UnverifiedCertificates[0])
	}
	return e
}

func describe(leaf *x509.Certificate) string {
	sum := sha256.Sum256(leaf.Raw)
	return fmt.Sprintf("its certificate is for %q, issued by %q, valid until %s, SHA-256 %s",
		names(leaf), leaf.Issuer.String(), leaf.NotAfter.UTC().Format(time.RFC3339), hex.EncodeToString(sum[:]))
}

func names(leaf *x509.Certificate) string {
	if len(leaf.DNSNames) > 0 {
		return leaf.DNSNames[0]
	}
	if len(leaf.IPAddresses) > 0 {
		return leaf.IPAddresses[0].String()
	}
	return leaf.Subject.CommonName
}

func (c *Client) fail(req *Request, kind provision.Kind, message string, cause error) *provision.Error {
	return &provision.Error{Vendor: c.o.Vendor, Op: req.Op, Kind: kind, Message: message, Err: cause}
}
