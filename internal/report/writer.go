package report

import (
	"bufio"
	"fmt"
	"html/template"

	"edrctl/internal/render"
)

// markup is a part of the page's own. Everything else is text.
type markup string

// writer puts the page together. Its errors are those of out, which keeps the
// first one until Flush.
type writer struct {
	out   *bufio.Writer
	clean func(string) string
}

// add writes a format, which is markup, with its arguments, which are text: they
// are escaped for elements and for attributes in double quotes. The format must
// have them nowhere else.
func (w *writer) add(format string, args ...any) {
	for i, arg := range args {
		switch arg := arg.(type) {
		case markup, int:
		case string:
			args[i] = w.text(arg)
		default:
			args[i] = w.text(fmt.Sprint(arg))
		}
	}
	_, _ = fmt.Fprintf(w.out, format, args...)
}

// text is a text without secrets, in which what cannot be seen is shown, and
// what a browser would take for markup is not.
func (w *writer) text(s string) string {
	if w.clean != nil {
		s = w.clean(s)
	}
	return template.HTMLEscapeString(render.Escape(s))
}
