package cli

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// When progress is shown: nothing for what is over within a second, then one
// line that rewrites itself on a terminal, or a line now and then elsewhere.
const (
	progressAfter = time.Second
	progressTTY   = 200 * time.Millisecond
	progressLines = 5 * time.Second
)

// progress tells on stderr how far a command is. A nil progress is silent.
type progress struct {
	a     *app
	what  string
	total int // 0 where nobody knows
	done  atomic.Int64
	stop  chan struct{}
	ended sync.WaitGroup
}

// newProgress begins to count; close must be called.
func (a *app) newProgress(what string, total int) *progress {
	if a.flags.quiet {
		return nil
	}
	p := &progress{a: a, what: what, total: total, stop: make(chan struct{})}
	p.ended.Go(p.show)
	return p
}

func (p *progress) add() {
	if p != nil {
		p.done.Add(1)
	}
}

// close ends the display and takes it off the terminal.
func (p *progress) close() {
	if p == nil {
		return
	}
	close(p.stop)
	p.ended.Wait()
}

func (p *progress) show() {
	every := progressLines
	if p.a.ErrTTY {
		every = progressTTY
	}
	timer := time.NewTimer(progressAfter)
	defer timer.Stop()
	shown := false
	for {
		select {
		case <-p.stop:
			if shown && p.a.ErrTTY {
				p.write("\r%*s\r", len(p.line()), "")
			}
			return
		case <-timer.C:
			shown = true
			if p.a.ErrTTY {
				p.write("\r%s", p.line())
			} else {
				p.write("edrctl: %s\n", p.line())
			}
			timer.Reset(every)
		}
	}
}

func (p *progress) line() string {
	if p.total > 0 {
		return fmt.Sprintf("%d of %d %s", p.done.Load(), p.total, p.what)
	}
	return fmt.Sprintf("%d %s", p.done.Load(), p.what)
}

// write goes past the escaping of messages, which would show "\r" as text; what
// is written holds nothing from outside.
func (p *progress) write(format string, args ...any) {
	_ = p.a.err.Flush()
	_, _ = fmt.Fprintf(p.a.streams.Err, format, args...)
}
