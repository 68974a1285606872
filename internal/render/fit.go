package render

import "slices"

// fit gives each column a width, so that a line is at most as wide as limit; 0
// leaves a column out. What may be cut is cut before firm columns are, and the
// widest first and to the same width, so that short ones stay whole. If that
// would leave too little of them, wide columns go, the last one first; in the
// narrowest terminals others do as well.
func fit(columns []Column, natural []int, limit int) []int {
	widths := slices.Clone(natural)
	if limit <= 0 {
		return widths
	}
	for shown(widths) > 0 {
		room := limit - len(gap)*(shown(widths)-1)
		firm, rest := split(columns, widths)
		drop := lastWide(columns, widths)
		switch {
		case sum(firm)+sum(capped(rest, minCell)) <= room:
			return merge(firm, fill(rest, room-sum(firm)))
		case sum(capped(widths, minCell)) <= room:
			rest = capped(rest, minCell)
			return merge(fill(firm, room-sum(rest)), rest)
		case drop < 0 && (sum(capped(widths, minLast)) <= room || shown(widths) == 1):
			return fill(widths, room)
		case drop < 0:
			drop = lastShown(widths)
		}
		widths[drop] = 0
	}
	return widths
}

// split separates firm columns from others; each has zeros for the other.
func split(columns []Column, widths []int) (firm, rest []int) {
	firm, rest = make([]int, len(widths)), make([]int, len(widths))
	for i, w := range widths {
		if columns[i].Firm {
			firm[i] = w
		} else {
			rest[i] = w
		}
	}
	return firm, rest
}

func merge(a, b []int) []int {
	for i := range a {
		a[i] += b[i]
	}
	return a
}

// fill cuts the widest to one width, so that all take no more than room. What
// is left over makes the first of them one wider.
func fill(widths []int, room int) []int {
	if sum(widths) <= room || len(widths) == 0 {
		return slices.Clone(widths)
	}
	level := slices.Max(widths)
	for level > 0 && sum(capped(widths, level)) > room {
		level--
	}
	cut := capped(widths, level)
	for i, left := 0, room-sum(cut); i < len(cut) && left > 0 && level > 0; i++ {
		if cut[i] < widths[i] {
			cut[i]++
			left--
		}
	}
	return cut
}

func capped(widths []int, level int) []int {
	cut := slices.Clone(widths)
	for i := range cut {
		cut[i] = min(cut[i], level)
	}
	return cut
}

func sum(widths []int) (n int) {
	for _, w := range widths {
		n += w
	}
	return n
}

func shown(widths []int) int {
	n := 0
	for _, w := range widths {
		if w > 0 {
			n++
		}
	}
	return n
}

func lastWide(columns []Column, widths []int) int {
	for i := len(columns) - 1; i >= 0; i-- {
		if columns[i].Wide && widths[i] > 0 {
			return i
		}
	}
	return -1
}

func lastShown(widths []int) int {
	for i := len(widths) - 1; i > 0; i-- {
		if widths[i] > 0 {
			return i
		}
	}
	return 0
}
