package transport

import (
	"context"
	"sync"
	"time"
)

// window keeps the requests of any minute below a number, and lets them go as
// fast as they come until then.
type window struct {
	mu   sync.Mutex
	sent []time.Time // a ring, once it is full
	next int
	size int
}

func newWindow(perMinute int) *window {
	if perMinute <= 0 {
		return nil
	}
	return &window{size: perMinute}
}

// wait returns when one more request fits into the minute, and counts it.
func (w *window) wait(ctx context.Context) error {
	if w == nil {
		return nil
	}
	for {
		left := w.take()
		if left <= 0 {
			return nil
		}
		if err := sleep(ctx, left); err != nil {
			return err
		}
	}
}

// take counts a request, or tells how long it is until one fits.
func (w *window) take() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if len(w.sent) < w.size {
		w.sent = append(w.sent, now)
		return 0
	}
	if left := time.Minute - now.Sub(w.sent[w.next]); left > 0 {
		return left
	}
	w.sent[w.next] = now
	w.next = (w.next + 1) % w.size
	return 0
}
