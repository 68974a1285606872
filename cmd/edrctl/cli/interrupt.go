package cli

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"edrctl/internal/provision"
)

// interrupts hands each Ctrl-C to the innermost of those who wait for it: the
// question on the terminal, else the changes under way, else the command.
type interrupts struct {
	mu       sync.Mutex
	handlers []*func()
	stopped  bool
	stop     chan struct{}
}

func newInterrupts() *interrupts { return &interrupts{stop: make(chan struct{})} }

func (i *interrupts) push(handler func()) (remove func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handlers = append(i.handlers, &handler)
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.handlers = slices.DeleteFunc(i.handlers, func(h *func()) bool { return h == &handler })
	}
}

func (i *interrupts) happen() {
	i.mu.Lock()
	var innermost func()
	if n := len(i.handlers); n > 0 {
		innermost = *i.handlers[n-1]
	}
	i.mu.Unlock()
	if innermost != nil {
		innermost()
	}
}

// stopNow closes stop and reports whether it was open.
func (i *interrupts) stopNow() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	first := !i.stopped
	if first {
		i.stopped = true
		close(i.stop)
	}
	return first
}

func (i *interrupts) isStopped() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.stopped
}

// watchInterrupts passes Ctrl-C on until the returned function is called.
func (a *app) watchInterrupts() (end func()) {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-a.Interrupts:
				a.interrupts.happen()
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// cancelable returns a context that Ctrl-C ends.
func (a *app) cancelable(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	remove := a.interrupts.push(cancel)
	return ctx, func() { remove(); cancel() }
}

// interruptible returns a channel that the first Ctrl-C of this run closes and
// a context that the next one ends.
func (a *app) interruptible(ctx context.Context) (context.Context, <-chan struct{}, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	remove := a.interrupts.push(func() {
		if !a.interrupts.stopNow() {
			cancel()
			return
		}
		a.say("stopping; what is in flight will finish. Press Ctrl-C again to stop at once.")
		_ = a.err.Flush()
	})
	return ctx, a.interrupts.stop, func() { remove(); cancel() }
}

// typed shows a prompt and waits for what a person types, or for Ctrl-C.
func (a *app) typed(prompt string, read func() (string, error)) (string, error) {
	ctx, end := a.cancelable(context.Background()) // before the prompt: who sees that may press it
	defer end()
	_, _ = fmt.Fprint(a.Err, prompt)
	if err := a.err.Flush(); err != nil {
		return "", err
	}
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := read()
		lines <- line{text, err}
	}()
	select {
	case l := <-lines:
		return l.text, l.err
	case <-ctx.Done():
		if a.RestoreTerminal != nil {
			a.RestoreTerminal()
		}
		_, _ = fmt.Fprintln(a.Err)
		return "", &provision.Error{Kind: provision.ErrInterrupted, Message: "stopped by the user; nothing was changed"}
	}
}
