package carbonblack

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"
)

// stamp is how the vendor writes a time.
const stamp = "2006-01-02T15:04:05.000Z"

// expiry is the JSON a time of expiry came in: a number or a string. Empty and
// zero mean never.
type expiry string

var errExpiry = errors.New("not a time of expiry")

// MarshalJSON gives back what was read.
func (e expiry) MarshalJSON() ([]byte, error) {
	if e == "" {
		return []byte("0"), nil
	}
	return []byte(e), nil
}

// UnmarshalJSON keeps the text of a number or string that is a time.
func (e *expiry) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*e = ""
		return nil
	}
	if _, ok := parseExpiry(string(b)); !ok {
		return errExpiry
	}
	*e = expiry(b)
	return nil
}

// parseExpiry gives the zero time for never.
func parseExpiry(raw string) (time.Time, bool) {
	if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
		return epoch(n), n >= 0
	}
	var text string
	if json.Unmarshal([]byte(raw), &text) != nil {
		return time.Time{}, false
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02",
		"20060102T15:04:05", "20060102T150405Z", "20060102T150405",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			if t.Unix() == 0 {
				return time.Time{}, true
			}
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// epoch reads seconds and milliseconds, told apart by size: which of them the
// vendor means is not documented.
func epoch(n int64) time.Time {
	const tooLargeForSeconds = 100_000_000_000 // in seconds, the year 5138
	switch {
	case n == 0:
		return time.Time{}
	case n > tooLargeForSeconds:
		return time.UnixMilli(n).UTC()
	}
	return time.Unix(n, 0).UTC()
}

// over reports whether the time has come.
func (e expiry) over(now time.Time) bool {
	t, ok := parseExpiry(string(e))
	return ok && !t.IsZero() && !now.Before(t)
}

// in writes the time in another form: int, datetime, or as it was sent.
func (e expiry) in(form string) expiry {
	t, _ := parseExpiry(string(e))
	ms := int64(0)
	if !t.IsZero() {
		ms = t.UnixMilli()
	}
	switch form {
	case "int":
		return expiry(strconv.FormatInt(ms, 10))
	case "datetime":
		return expiry(`"` + time.UnixMilli(ms).UTC().Format(stamp) + `"`)
	}
	return e
}

// inForce is the set of roles a grant gives in this organisation at a time.
func (g grant) inForce(now time.Time) []string {
	if g.Expires.over(now) {
		return []string{}
	}
	roles := append([]string{}, g.Roles...)
	for _, p := range g.Profiles {
		if p.Conditions.Disabled || p.Conditions.Expiration.over(now) ||
			!slices.Contains(p.Orgs.Allow, orgURN) || slices.Contains(p.Orgs.Deny, orgURN) {
			continue
		}
		roles = append(roles, p.Roles...)
	}
	return unique(roles)
}

func unique(list []string) []string {
	out := []string{}
	for _, x := range list {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}
