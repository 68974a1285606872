package crowdstrike

import (
	"cmp"
	"math"
	"slices"
)

const (
	usualPage   = 100
	largestPage = 500
)

// paged cuts the page out of a list that offset and limit ask for. A cap, when
// there is one, makes pages shorter than the limit without saying so.
func paged[T any](f *fake, c *call, list []T) ([]T, *pagination, error) {
	offset, err := c.number("offset", 0, 0, math.MaxInt32)
	if err != nil {
		return nil, nil, err
	}
	limit, err := c.number("limit", usualPage, 1, largestPage)
	if err != nil {
		return nil, nil, err
	}
	p := &pagination{Offset: offset, Limit: limit, Total: len(list)}
	if most := f.count("page-size"); most > 0 {
		limit = min(limit, most)
	}
	from := min(offset, len(list))
	return list[from:min(from+limit, len(list))], p, nil
}

// arrange sorts a list by a key. Without one the order is another each time,
// since the vendor promises none.
func arrange[T any](f *fake, list []T, sorted, desc bool, key func(T) string) []T {
	if !sorted {
		return rotate(list, f.answers)
	}
	slices.SortStableFunc(list, func(a, b T) int {
		if desc {
			a, b = b, a
		}
		return cmp.Compare(key(a), key(b))
	})
	return list
}

func rotate[T any](list []T, by int) []T {
	if len(list) == 0 {
		return []T{}
	}
	by %= len(list)
	return append(append(make([]T, 0, len(list)), list[by:]...), list[:by]...)
}
