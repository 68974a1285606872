package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// timeText is a time in UTC for eyes, empty for none.
func timeText(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// dateText is the day of a time in UTC, where the hour does not matter.
func dateText(t *time.Time) string {
	day, _, _ := strings.Cut(timeText(t), " ")
	return day
}

// roleNames says of each role what it is called, and how and until when it is
// held if that is not directly and for good.
func roleNames(roles []provision.HeldRole) string {
	var names []string
	for _, r := range roles {
		name := r.Name
		if name == "" {
			name = r.ID
		}
		switch {
		case !r.Direct && r.Via != "":
			name += " (via " + r.Via + ")"
		case !r.Direct:
			name += " (inherited)"
		}
		if r.ExpiresAt != nil {
			name += " (until " + dateText(r.ExpiresAt) + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

func roleIDs(roles []provision.HeldRole) string {
	var ids []string
	for _, r := range roles {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, ", ")
}

// changes writes roles that come and go as +one -other.
func changes(added, removed []string) string {
	var words []string
	for _, r := range added {
		words = append(words, "+"+r)
	}
	for _, r := range removed {
		words = append(words, "-"+r)
	}
	return strings.Join(words, " ")
}

func resultText(r ResultItem) string {
	var remains []string
	for _, a := range r.ResidualAccess {
		remains = append(remains, a.Kind+" "+a.Name)
	}
	left := ""
	if len(remains) > 0 {
		left = "remains: " + strings.Join(remains, ", ")
	}
	// The whole message goes to stderr, where there is room for it.
	kind := errorField(r.Error, func(e *ErrorBody) string { return e.Code.Error() })
	return join("; ", changes(r.RolesAdded, r.RolesRemoved), left, r.Message, kind)
}

func errorField(e *ErrorBody, value func(*ErrorBody) string) string {
	if e == nil {
		return ""
	}
	return value(e)
}

func join(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), separator)
}

func mapText[V any](m map[string]V) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, fmt.Sprintf("%s=%v", key, m[key]))
	}
	return strings.Join(pairs, ", ")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
