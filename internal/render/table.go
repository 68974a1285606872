package render

import (
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

const (
	// gap stands between columns.
	gap = "  "
	// minCell is how far columns are cut before wide ones are left out, and
	// minLast how far before any are.
	minCell  = 8
	minLast  = 3
	ellipsis = "…"
	// nothing fills an empty cell, so that columns can be counted.
	nothing = "-"
)

// ruler measures text as a terminal shows it. It is our own, since the one of
// the package depends on the locale.
func ruler() *runewidth.Condition { return &runewidth.Condition{StrictEmojiNeutral: true} }

// table lays out all items.
func (w *Writer) table() error {
	rows, columns := w.doc.Rows, w.doc.Columns
	if rows == nil {
		rows = any(w.items)
	}
	if columns == nil {
		columns = columnsOf(w.doc.Kind, sliceOf(rows))
	}
	if len(columns) == 0 {
		return nil
	}
	g := grid{width: w.opts.Width, color: w.opts.Color}
	for _, c := range columns {
		if c.Wide && w.opts.Format != Wide {
			continue
		}
		g.columns = append(g.columns, c)
	}
	for _, item := range sliceOf(rows) {
		var cells []string
		for _, c := range g.columns {
			cells = append(cells, cellText(w.opts.Redactor.String(c.Value(item))))
		}
		g.rows = append(g.rows, cells)
	}
	return g.write(w.w)
}

func cellText(s string) string {
	if s = strings.TrimSpace(Escape(s)); s != "" {
		return s
	}
	return nothing
}

// grid is a table whose cells are ready to be shown.
type grid struct {
	columns []Column
	rows    [][]string
	width   int
	color   bool
}

func (g grid) write(w io.Writer) error {
	rule := ruler()
	natural := make([]int, len(g.columns))
	for i, c := range g.columns {
		natural[i] = rule.StringWidth(c.Header)
		for _, row := range g.rows {
			natural[i] = max(natural[i], rule.StringWidth(row[i]))
		}
	}
	widths := fit(g.columns, natural, g.width)
	var b strings.Builder
	header := make([]string, len(g.columns))
	for i, c := range g.columns {
		header[i] = c.Header
	}
	g.line(&b, rule, header, widths, false)
	for _, row := range g.rows {
		g.line(&b, rule, row, widths, g.color)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// line writes one row. Blanks are written only before something that is shown.
func (g grid) line(b *strings.Builder, rule *runewidth.Condition, row []string, widths []int, color bool) {
	blanks := ""
	for i, cell := range row {
		if widths[i] == 0 {
			continue
		}
		text := strings.TrimRight(rule.Truncate(cell, widths[i], ellipsis), " ")
		pad := strings.Repeat(" ", widths[i]-rule.StringWidth(text))
		if color && g.columns[i].Status {
			text = colored(cell, text)
		}
		b.WriteString(blanks + text)
		blanks = pad + gap
	}
	b.WriteByte('\n')
}
