package render

import (
	"strings"
	"unicode"
)

// Neutralise makes a cell harmless to spreadsheets, which run what looks like a
// formula: if its first visible character is = + - or @, or it begins with a tab
// or a line break, it gets an apostrophe in front. So does a cell that has such
// apostrophes already, so that Unneutralise gives every cell back.
func Neutralise(cell string) string {
	if isFormula(cell) {
		return "'" + cell
	}
	return cell
}

// Unneutralise takes away exactly what Neutralise put in front.
func Unneutralise(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && isFormula(rest) {
		return rest
	}
	return cell
}

// isFormula looks behind leading apostrophes, so that a cell and the same cell
// with one more apostrophe are judged alike.
func isFormula(cell string) bool {
	cell = strings.TrimLeft(cell, "'")
	if strings.HasPrefix(cell, "\t") || strings.HasPrefix(cell, "\n") || strings.HasPrefix(cell, "\r") {
		return true
	}
	visible := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || isHidden(r) })
	return visible != "" && strings.ContainsRune("=+-@", rune(visible[0]))
}
