package render

import (
	"io"
	"slices"
	"sync"
)

// RedactingWriter passes text on without the secrets its Redactor knows, also
// when a secret comes in several writes: the end of a write waits as long as it
// could be the beginning of a secret. It is safe for concurrent use.
type RedactingWriter struct {
	mu   sync.Mutex
	r    *Redactor
	w    io.Writer
	scan scanner
	held []byte
}

// Writer wraps a stream. Flush it when there is nothing more to come.
func (r *Redactor) Writer(w io.Writer) *RedactingWriter { return &RedactingWriter{r: r, w: w} }

// Write implements io.Writer. It counts bytes taken, not bytes passed on.
func (w *RedactingWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.pass(append(w.held, p...), false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush passes on what was held back. What comes later is looked at afresh, so
// that the parts of a secret before and behind a Flush are not recognised.
func (w *RedactingWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pass(w.held, true)
}

func (w *RedactingWriter) pass(text []byte, final bool) error {
	out, rest := w.scan.run(w.r, text, final)
	w.held = slices.Clone(rest)
	if len(out) == 0 {
		return nil
	}
	_, err := w.w.Write(out)
	return err
}
