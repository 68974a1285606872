package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestServersThatAreNotTrusted meets each vendor behind a certificate or a TLS
// that will not do. Nothing is sent, and the status tells.
func TestServersThatAreNotTrusted(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		for _, tt := range []struct {
			name  string
			alter func(t *testing.T, s *stage)
			says  string
		}{
			{"wrong name", func(t *testing.T, s *stage) {
				s.server.TLS.Certificates = []tls.Certificate{s.ca.issue(t, func(x *x509.Certificate) {
					x.IPAddresses, x.DNSNames = nil, []string{"other.example"}
				})}
			}, "other.example"},
			{"expired", func(t *testing.T, s *stage) {
				s.server.TLS.Certificates = []tls.Certificate{s.ca.issue(t, func(x *x509.Certificate) { x.NotAfter = time.Now().Add(-time.Minute) })}
			}, "expired"},
			{"not valid yet", func(t *testing.T, s *stage) {
				s.server.TLS.Certificates = []tls.Certificate{s.ca.issue(t, func(x *x509.Certificate) { x.NotBefore = time.Now().Add(time.Hour) })}
			}, "not yet valid"},
			{"for clients", func(t *testing.T, s *stage) {
				s.server.TLS.Certificates = []tls.Certificate{s.ca.issue(t, func(x *x509.Certificate) {
					x.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
				})}
			}, "key usage"},
			{"unknown authority", func(t *testing.T, s *stage) {
				s.server.TLS.Certificates = []tls.Certificate{newAuthority(t, "somebody else").issue(t, nil)}
			}, "ca-file"},
			{"TLS 1.1", func(_ *testing.T, s *stage) {
				s.server.TLS.MinVersion, s.server.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			}, "TLS 1.2 or better"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s := newStage(t, c, func(s *stage) { tt.alter(t, s) })
				h := newHome(t)
				h.environ = append(h.environ, "FIRST="+c.firstPassword)
				h.configure(t, s)
				seen := 0
				s.put(func(http.ResponseWriter, *http.Request, http.Handler) { seen++ })
				for _, args := range [][]string{{"user", "list"}, c.change()[0], {"user", "delete", c.listed, "--yes"}} {
					r := h.edrctl(args...)
					assert.Equal(t, 3, r.status, "%v: %s", args, r.err)
					assert.Contains(t, r.err, tt.says)
				}
				assert.Zero(t, seen, "requests")
			})
		}
	})
}

// addressKeys are the keys that name a vendor's host, with a value for each of
// its own cloud.
func addressKeys(vendor string) map[string][]string {
	return map[string]map[string][]string{
		"crowdstrike": {
			"url":    {"https://api.crowdstrike.com", "https://API.US-2.CrowdStrike.com.", "https://api.laggar.gcw.crowdstrike.com:443", "https://api.us-gov-2.crowdstrike.mil"},
			"region": {"", "auto", "us-1", "us-gov-2"},
		},
		"carbonblack": {"url": {"https://defense-prod05.conferdeploy.net", "https://defense.conferdeploy.net:443/", "https://dashboard.confer.net"}},
		"cortex": {
			"fqdn": {"acme.xdr.us.paloaltonetworks.com", "https://acme.xdr.eu.paloaltonetworks.com/", "api-acme.xdr.us.paloaltonetworks.com"},
			"url":  {"https://api-acme.xdr.us.paloaltonetworks.com"},
		},
		"cybereason": {"url": {"https://acme.cybereason.net:8443", "https://acme.CYBEREASON.net."}},
	}[vendor]
}

// TestTrustCannotBeSwitchedOffInTheCloud tries insecure-skip-verify for hosts of
// the vendors' own clouds, and for one that is not.
func TestTrustCannotBeSwitchedOffInTheCloud(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		s := newStage(t, c, nil)
		settings := s.api.Settings(s.server.URL)
		for key, values := range addressKeys(c.vendor.Name) {
			for _, value := range values {
				for _, where := range []string{"file", "environment"} {
					h := newHome(t)
					given := map[string]string{key: value}
					for k, v := range settings {
						if k != "url" {
							given[k] = v
						}
					}
					if where == "file" {
						given["insecure-skip-verify"] = "true"
					} else {
						h.environ = append(h.environ, "EDRCTL_LAB_INSECURE_SKIP_VERIFY=1")
					}
					h.tenant(t, c.vendor.Name, given)
					r := h.edrctl("user", "list")
					assert.Equal(t, 2, r.status, "%s=%s: %s", key, value, r.err)
					assert.Contains(t, r.err, "insecure-skip-verify is refused", "%s=%s", key, value)
				}
			}
		}
		// Elsewhere it works, and warns on each run.
		h := newHome(t)
		settings["insecure-skip-verify"] = "true"
		h.tenant(t, c.vendor.Name, settings)
		for range 2 {
			r := h.edrctl("-q", "user", "list")
			assert.Equal(t, 0, r.status, r.err)
			assert.Contains(t, r.err, "insecure-skip-verify is on")
		}
	})
}

// TestPlainHTTPIsForLoopback tries plain http everywhere else.
func TestPlainHTTPIsForLoopback(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		settings := newStage(t, c, nil).api.Settings("x")
		keys := []string{"url"}
		if c.vendor.Name == "cortex" {
			keys = append(keys, "fqdn")
		}
		for _, key := range keys {
			for host, fits := range map[string]bool{
				"console.example": false, "10.0.0.1": false, "192.168.1.1:80": false, "0.0.0.0": false, "[::]": false, "127.0.0.1.example": false,
				"localhost.example": false, "2130706433": false, "127.1": false, "[::ffff:10.0.0.1]": false,
				"127.0.0.1:9": true, "localhost:9": true, "[::1]:9": true, "127.8.8.8:9": true,
			} {
				h := newHome(t)
				given := map[string]string{}
				for k, v := range settings {
					given[k] = v
				}
				delete(given, "url")
				given[key] = "http://" + host
				h.tenant(t, c.vendor.Name, given)
				r := h.edrctl("config", "validate")
				assert.Equal(t, fits, r.status == 0, "%s=http://%s: %s", key, host, r.err)
			}
		}
	})
}

// tenant writes a configuration of one tenant named lab.
func (h *home) tenant(t *testing.T, vendor string, settings map[string]string) {
	t.Helper()
	text := "version: 1\nallow-plaintext-secrets: true\ntenants:\n  lab:\n    vendor: " + vendor + "\n"
	keys := make([]string, 0, len(settings))
	for key := range settings {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		text += fmt.Sprintf("    %s: '%s'\n", key, strings.ReplaceAll(settings[key], "'", "''"))
	}
	require.NotContains(t, text, "\t")
	h.write(t, ".config/edrctl/config.yaml", text)
}
