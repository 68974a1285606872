package crowdstrike

import (
	"fmt"
	"iter"

	"edrctl/internal/provision"
)

const (
	// pageSize is the largest page that the API gives.
	pageSize = 500
	// maxItems bounds a list whose length the vendor does not tell.
	maxItems = 1 << 20
	// newcomers is how much a short list may grow while it is read; a long one
	// may double.
	newcomers = 100
)

// pager reads a list page by page.
type pager[T any] struct {
	op string
	// read returns the page at an offset and the length of the whole list by
	// the vendor's count, 0 where it does not tell.
	read func(offset int) (page []T, total int, err error)
	key  func(T) string
	// distinct is true where no two items have the same key, so that what is
	// missing can be told.
	distinct bool
}

// pages yields what each page adds. Items that come twice, because others were
// added before them, are yielded once. A list that ends before it has as many
// items as were ever counted, or does not end at all, is an error: nobody
// should take it for whole.
func (p pager[T]) pages() iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		seen := map[string]bool{}
		least, most := maxItems, 0
		for offset := 0; ; {
			page, total, err := p.read(offset)
			if err != nil {
				yield(nil, err)
				return
			}
			added := p.unseen(page, seen)
			if len(added) > 0 && !yield(added, nil) {
				return
			}
			offset += len(page)
			least = min(least, total)
			if most == 0 {
				most = maxItems
				if total > 0 {
					most = min(2*total+newcomers, maxItems)
				}
			}
			ended := len(page) == 0 || total > 0 && offset >= total || total <= 0 && len(page) < pageSize
			switch {
			case ended && (!p.distinct || len(seen) >= least):
				return
			case ended:
				yield(nil, p.fail(fmt.Sprintf("the list ended after %d of %d", len(seen), least)))
				return
			case offset >= most, total <= 0 && len(added) == 0:
				yield(nil, p.fail(fmt.Sprintf("the list does not end; given up after %d", len(seen))))
				return
			}
		}
	}
}

func (p pager[T]) unseen(page []T, seen map[string]bool) []T {
	var added []T
	for _, item := range page {
		if k := p.key(item); !seen[k] {
			seen[k] = true
			added = append(added, item)
		}
	}
	return added
}

func (p pager[T]) fail(message string) error {
	return &provision.Error{
		Vendor: name, Op: p.op, Kind: provision.ErrInternal, Message: message,
		Hint: "run it again; if it stays so, ask CrowdStrike's support",
	}
}
