package provision

import "context"

type looksLaterKey struct{}

// LookLater returns a context in which an adapter trusts a vendor's word that a
// change was done and does not read it back: the caller reads, once for many.
// An answer that says less than that is looked into all the same.
func LookLater(ctx context.Context) context.Context {
	return context.WithValue(ctx, looksLaterKey{}, true)
}

// LooksLater reports whether the caller reads back.
func LooksLater(ctx context.Context) bool {
	later, _ := ctx.Value(looksLaterKey{}).(bool)
	return later
}
