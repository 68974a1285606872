package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type cells []string

func cellColumns(headers ...string) []Column {
	var columns []Column
	for i, h := range headers {
		columns = append(columns, Column{
			Header: strings.Trim(h, "+*!"), Wide: strings.Contains(h, "+"), Status: strings.Contains(h, "*"), Firm: strings.Contains(h, "!"),
			Value: func(item any) string { return item.(cells)[i] },
		})
	}
	return columns
}

func TestTable(t *testing.T) {
	rows := []cells{
		{"ada@example.com", "active", "東京都千代田区", "0123456789012345678901234567890123456789"},
		{"ines.duarte@example.com", "locked", "e\u0301te\u0301", ""},
		{"\x1b[2J", "unheard of", "a\nb ", "x"},
	}
	tests := []struct {
		name  string
		opts  Options
		heads []string
		want  string
	}{
		{"unlimited", Options{}, []string{"LOGIN", "STATUS*", "NAME", "TEXT+"}, `
LOGIN                    STATUS      NAME
ada@example.com          active      東京都千代田区
ines.duarte@example.com  locked      été
\x1b[2J                  unheard of  a\nb
`},
		{"wide", Options{Format: Wide}, []string{"LOGIN", "STATUS*", "NAME", "TEXT+"}, `
LOGIN                    STATUS      NAME            TEXT
ada@example.com          active      東京都千代田区  0123456789012345678901234567890123456789
ines.duarte@example.com  locked      été             -
\x1b[2J                  unheard of  a\nb            x
`},
		{"longest first", Options{Format: Wide, Width: 70}, []string{"LOGIN", "STATUS*", "NAME", "TEXT+"}, `
LOGIN                 STATUS      NAME            TEXT
ada@example.com       active      東京都千代田区  0123456789012345678…
ines.duarte@example…  locked      été             -
\x1b[2J               unheard of  a\nb            x
`},
		{"firm ones last", Options{Format: Wide, Width: 70}, []string{"LOGIN!", "STATUS*!", "NAME", "TEXT+"}, `
LOGIN                    STATUS      NAME            TEXT
ada@example.com          active      東京都千代田区  0123456789012345…
ines.duarte@example.com  locked      été             -
\x1b[2J                  unheard of  a\nb            x
`},
		{"wide ones go", Options{Format: Wide, Width: 33}, []string{"LOGIN", "STATUS*", "NAME", "TEXT+"}, `
LOGIN       STATUS      NAME
ada@examp…  active      東京都千…
ines.duar…  locked      été
\x1b[2J     unheard of  a\nb
`},
		{"very narrow", Options{Width: 14}, []string{"LOGIN", "STATUS", "NAME!", "TEXT"}, `
LOG…  ST…  NA…
ada…  ac…  東…
ine…  lo…  été
\x1…  un…  a\…
`},
		{"colour", Options{Color: true, Width: 40}, []string{"LOGIN", "STATUS*"}, `
LOGIN                    STATUS
ada@example.com          ` + "\x1b[32mactive\x1b[0m" + `
ines.duarte@example.com  ` + "\x1b[31mlocked\x1b[0m" + `
\x1b[2J                  unheard of
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := Document{Rows: rows, Columns: cellColumns(tt.heads...)}
			got := strings.ReplaceAll(text(t, doc, tt.opts), "e\u0301", "é")
			assert.Equal(t, tt.want, "\n"+got)
		})
	}
}

func TestTablesFit(t *testing.T) {
	rule := ruler()
	cell := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("ab 東京👩\u200d\u0301\x1b-é"))))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "columns")
		var heads []string
		for i := range n {
			heads = append(heads, rapid.SampledFrom([]string{"A", "LOGIN", "LAST LOGIN", "WIDE+", "STATUS*"}).Draw(t, "head"))
			_ = i
		}
		var rows []cells
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			rows = append(rows, cells(rapid.SliceOfN(cell, n, n).Draw(t, "row")))
		}
		width := rapid.IntRange(0, 100).Draw(t, "width")
		var out strings.Builder
		require.NoError(t, Write(&out, Document{Rows: rows, Columns: cellColumns(heads...)}, Options{Format: Wide, Width: width}))
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		require.Len(t, lines, len(rows)+1)
		for _, line := range lines {
			require.Equal(t, strings.TrimRight(line, " "), line)
			if width > 0 {
				require.LessOrEqual(t, rule.StringWidth(line), width, line)
			}
		}
	})
}

// TestColoursDoNotMoveAnything takes the colours away again.
func TestColoursDoNotMoveAnything(t *testing.T) {
	for _, width := range []int{0, 80, 40} {
		plain := text(t, results(), Options{Width: width})
		colour := text(t, results(), Options{Width: width, Color: true})
		assert.NotEqual(t, plain, colour)
		for _, code := range []string{"\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"} {
			colour = strings.ReplaceAll(colour, code, "")
		}
		assert.Equal(t, plain, colour)
	}
}
