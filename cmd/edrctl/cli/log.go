package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// newLogger writes what is being done, in words, to stderr: nothing, or with -v
// the messages, or with --trace each request too.
func (a *app) newLogger() *slog.Logger {
	level := slog.LevelWarn
	switch {
	case a.flags.trace:
		level = slog.LevelDebug
	case a.flags.verbose:
		level = slog.LevelInfo
	}
	return slog.New(&lineHandler{w: a.Err, level: level})
}

// lineHandler writes a record as one line for people.
type lineHandler struct {
	w     io.Writer
	level slog.Level
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle implements slog.Handler.
func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	line.WriteString("edrctl: " + r.Message)
	add := func(a slog.Attr) bool {
		value := a.Value.Resolve().String()
		if strings.ContainsAny(value, " \"\t\n") {
			value = fmt.Sprintf("%q", value)
		}
		line.WriteString(" " + a.Key + "=" + value)
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	line.WriteString("\n")
	_, err := io.WriteString(h.w, line.String())
	return err
}

// WithAttrs implements slog.Handler.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(append([]slog.Attr{}, h.attrs...), attrs...)
	return &c
}

// WithGroup implements slog.Handler; groups are not used.
func (h *lineHandler) WithGroup(string) slog.Handler { return h }
