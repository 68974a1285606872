package render

import (
	"io"
	"sync"
	"unicode/utf8"
)

// EscapingWriter passes text on as EscapeText shows it. A character that is cut
// by the end of a write waits for its rest. It is safe for concurrent use.
type EscapingWriter struct {
	mu   sync.Mutex
	w    io.Writer
	held []byte
}

// NewEscapingWriter wraps a stream of messages.
func NewEscapingWriter(w io.Writer) *EscapingWriter { return &EscapingWriter{w: w} }

// Write implements io.Writer. It counts bytes taken, not bytes passed on.
func (w *EscapingWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := append(w.held, p...)
	cut := len(text) - cutRune(text)
	w.held = append([]byte(nil), text[cut:]...)
	if _, err := io.WriteString(w.w, EscapeText(string(text[:cut]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush passes on what was held back.
func (w *EscapingWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := string(w.held)
	w.held = nil
	_, err := io.WriteString(w.w, EscapeText(text))
	return err
}

// cutRune is the number of bytes at the end of b that begin a character and do
// not end it.
func cutRune(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		tail := b[len(b)-n:]
		if utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
