package roster

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxQuoted is how much of a value a message repeats, in bytes.
const maxQuoted = 80

// quote repeats a value in a message, cut if it is long.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return fmt.Sprintf("%q", s)
	}
	cut := maxQuoted
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%q...", s[:cut])
}

// unknown words the fault of a name that is none of the known ones.
func unknown(what, name string, known []string) string {
	text := fmt.Sprintf("unknown %s %s; ", what, quote(name))
	if near := closest(known, name); near != "" {
		return text + fmt.Sprintf("did you mean %q?", near)
	}
	if len(known) == 0 {
		return text + "there is none"
	}
	return text + "known are " + strings.Join(known, ", ")
}

// closest is the known name that a mistyped one most likely stands for, or
// empty.
func closest(known []string, name string) string {
	if len(name) > maxQuoted {
		return ""
	}
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	// Of a single letter nothing is left to be close to.
	best, limit := "", min(1+len(name)/4, len(name)-1)
	for _, candidate := range known {
		if d := edits(strings.ToLower(candidate), name); d <= limit {
			best, limit = candidate, d-1
		}
	}
	return best
}

// edits is how many bytes must be put in, left out or replaced to make one word
// of another.
func edits(from, to string) int {
	costs := make([]int, len(to)+1)
	for i := range costs {
		costs[i] = i
	}
	for i, a := range []byte(from) {
		skipped := costs[0]
		costs[0] = i + 1
		for j, b := range []byte(to) {
			replaced := skipped
			if a != b {
				replaced++
			}
			skipped = costs[j+1]
			costs[j+1] = min(replaced, costs[j]+1, skipped+1)
		}
	}
	return costs[len(to)]
}
