package carbonblack

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// expiry is when access ends; zero for never.
type expiry struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler. The vendor's documents have an
// integer here and its SDK sends a time, so both are read; what is neither does
// not end anything.
func (e *expiry) UnmarshalJSON(data []byte) error {
	if n, err := strconv.ParseFloat(string(bytes.Trim(data, `"`)), 64); err == nil {
		e.Time = epoch(n)
		return nil
	}
	var text string
	_ = json.Unmarshal(data, &text) // what is no text is no time
	e.Time = moment(text)
	return nil
}

// moment reads a time in the forms of ISO 8601 that are seen in the wild. The
// year 1970 is another way to write 0.
func moment(text string) time.Time {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly,
	} {
		if t, err := time.Parse(layout, text); err == nil && t.Unix() > 0 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// epoch reads seconds and milliseconds, which the vendor's documents do not
// tell apart, by their size.
func epoch(n float64) time.Time {
	const tooLargeForSeconds = 1e11 // as seconds, the year 5138
	const tooLarge = 1e15
	switch {
	case !(n > 0 && n < tooLarge):
		return time.Time{}
	case n > tooLargeForSeconds:
		return time.UnixMilli(int64(n)).UTC()
	}
	return time.Unix(int64(n), 0).UTC()
}

// MarshalJSON implements json.Marshaler. A time is written as text: of a number
// nobody could tell whether the server counts seconds or milliseconds, and to
// guess wrong is to give access for ever.
func (e expiry) MarshalJSON() ([]byte, error) {
	if e.IsZero() {
		return []byte("0"), nil
	}
	return json.Marshal(e.UTC().Format(time.RFC3339))
}

// over reports whether the time has come.
func (e expiry) over(now time.Time) bool { return !e.IsZero() && !now.Before(e.Time) }

// earlier is the first of two ends.
func (e expiry) earlier(f expiry) expiry {
	if e.IsZero() || !f.IsZero() && f.Before(e.Time) {
		return f
	}
	return e
}

// same reports whether two ends are one. The vendor keeps whole seconds at
// least.
func (e expiry) same(f expiry) bool { return e.IsZero() == f.IsZero() && e.Unix() == f.Unix() }
