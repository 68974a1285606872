package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// checkValue reports what is wrong with the value of a setting that is no
// secret; empty for nothing. Addresses are not repeated, since people paste
// them with a password in.
func checkValue(s provision.Setting, text string) string {
	if strings.ContainsFunc(text, isControl) {
		return "has a line break or another control character in it"
	}
	switch s.Name {
	case keyTimeout, keyMaxWait:
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || s.Name == keyTimeout && d == 0 {
			return fmt.Sprintf("is a duration such as %s, not %q", s.Default, text)
		}
		return ""
	case keyInsecure:
		if _, err := strconv.ParseBool(text); err != nil {
			return fmt.Sprintf("is true or false, not %q", text)
		}
		return ""
	case keyPerMinute:
		if n, err := strconv.Atoi(text); err != nil || n < 0 {
			return fmt.Sprintf("is a number from 0 up, not %q", text)
		}
		return ""
	case keyProxy:
		_, fault := parseProxy(text)
		return fault
	case keyURL:
		return checkURL(text)
	}
	if len(s.Values) > 0 {
		if !slices.Contains(s.Values, text) {
			return notOneOf(text, s.Values)
		}
		return ""
	}
	if s.Address {
		return checkURL(withScheme(text))
	}
	return ""
}

func notOneOf(text string, values []string) string {
	message := fmt.Sprintf("is one of %s, not %q", strings.Join(values, ", "), text)
	if near := provision.Nearest(values, text); near != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	}
	return message
}

// withScheme makes a URL of an address that may be a bare host.
func withScheme(address string) string {
	if strings.Contains(address, "://") {
		return address
	}
	return "https://" + address
}

// checkURL reports what is wrong with the address of a console.
func checkURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return "is no address such as https://console.example"
	case u.Scheme != "https" && u.Scheme != "http":
		return "is an address that begins with https://"
	case u.User != nil:
		return "has a user name in it; credentials are settings of their own"
	case strings.ContainsAny(text, "?#"):
		return "ends before \"?\" and \"#\""
	case !validPort(u.Port()):
		return "has a port above 65535"
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "is plain http, which only this machine itself (127.0.0.1, ::1, localhost) may be asked with; write https://"
	}
	return ""
}

func parseProxy(text string) (*url.URL, string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme):
		return nil, "is no address such as http://proxy.example:3128"
	case u.User != nil:
		return nil, "has a password in it, which a configuration does not keep; set HTTPS_PROXY instead"
	case strings.ContainsAny(text, "?#") || strings.Trim(u.Path, "/") != "" || !validPort(u.Port()):
		return nil, "ends after the port"
	}
	return u, ""
}

func validPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && n > 0 && n <= 65535
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// inDomain reports whether a host is one of the domains or below one.
func inDomain(host string, domains []string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(domains, func(domain string) bool {
		domain = strings.ToLower(strings.Trim(domain, "."))
		return host == domain || strings.HasSuffix(host, "."+domain)
	})
}
