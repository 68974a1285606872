package provision

import "context"

type receiptKey struct{}

// WithReceipts returns a context whose changing requests report the ids that
// the vendor gave them. The function may be called from several goroutines.
func WithReceipts(ctx context.Context, report func(requestID string)) context.Context {
	return context.WithValue(ctx, receiptKey{}, report)
}

// Receipt reports the vendor's id of a changing request that was answered.
func Receipt(ctx context.Context, requestID string) {
	if report, ok := ctx.Value(receiptKey{}).(func(string)); ok && requestID != "" {
		report(requestID)
	}
}
