package crowdstrike

import (
	"errors"
	"net/url"
	"strings"
)

// regionAuto asks for the region to be found out.
const regionAuto = "auto"

// region is one of CrowdStrike's clouds.
type region struct {
	name, host string
	// gov clouds do not answer for other regions and are not found by asking.
	gov bool
}

// regions are all clouds, the one to ask first in front.
func regions() []region {
	return []region{
		{name: "us-1", host: "api.crowdstrike.com"},
		{name: "us-2", host: "api.us-2.crowdstrike.com"},
		{name: "us-3", host: "api.us-3.crowdstrike.com"},
		{name: "eu-1", host: "api.eu-1.crowdstrike.com"},
		{name: "us-gov-1", host: "api.laggar.gcw.crowdstrike.com", gov: true},
		{name: "us-gov-2", host: "api.us-gov-2.crowdstrike.mil", gov: true},
	}
}

func (r region) url() *url.URL { return &url.URL{Scheme: "https", Host: r.host} }

// address is the URL as text, empty for no region.
func (r region) address() string {
	if r.host == "" {
		return ""
	}
	return r.url().String()
}

func regionNamed(name string) (region, bool) {
	for _, r := range regions() {
		if strings.EqualFold(r.name, strings.TrimSpace(name)) {
			return r, true
		}
	}
	return region{}, false
}

// regionAt is the region an address belongs to. Nothing but its exact host
// over https counts.
func regionAt(u *url.URL) (region, bool) {
	for _, r := range regions() {
		if u.Scheme == "https" && strings.EqualFold(strings.TrimSuffix(u.Host, ":443"), r.host) {
			return r, true
		}
	}
	return region{}, false
}

// parseCID takes a CID as the console shows it, 32 hex digits in any case with
// or without a checksum of two, and returns it as the API wants it.
func parseCID(text string) (string, error) {
	cid, checksum, dashed := strings.Cut(strings.ToLower(strings.TrimSpace(text)), "-")
	if !isHex(cid, 32) || dashed && !isHex(checksum, 2) {
		return "", errors.New("is not a CID: 32 hex digits, with or without a checksum such as -0F")
	}
	return cid, nil
}

// isHex reports exactly n lower-case hex digits.
func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}
