package provision

import "strings"

// nearest is the id or name of the role that a mistyped name is closest to, or
// empty when none is close.
func nearest(roles []Role, name string) string {
	best, limit := "", 1+len(name)/4
	for _, r := range roles {
		for _, candidate := range []string{r.ID, r.Name} {
			if d := distance(strings.ToLower(candidate), strings.ToLower(name)); d <= limit {
				best, limit = candidate, d-1
			}
		}
	}
	return best
}

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
