package provision

import "strings"

// Nearest is the known name that a mistyped one most likely stands for, or
// empty when none is close. Case does not count, nor "_" for "-".
func Nearest(known []string, name string) string {
	name = plain(name)
	// Of a single letter nothing is left to be close to.
	best, limit := "", min(1+len(name)/4, len(name)-1)
	for _, candidate := range known {
		if d := distance(plain(candidate), name); d <= limit {
			best, limit = candidate, d-1
		}
	}
	return best
}

func plain(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// distance is the Levenshtein distance of two short strings, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
