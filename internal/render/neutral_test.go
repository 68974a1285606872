package render

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNeutralise(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "ines@example.com", "ines@example.com"},
		{"formula", "=1+1", "'=1+1"},
		{"phone", "+49 30 1", "'+49 30 1"},
		{"minus", "-1", "'-1"},
		{"at", "@SUM(A1)", "'@SUM(A1)"},
		{"behind blanks", "  =1", "'  =1"},
		{"behind something hidden", "\u200b=1", "'\u200b=1"},
		{"behind a wide blank", "\u3000=1", "'\u3000=1"},
		{"tab", "\tx", "'\tx"},
		{"line feed", "\nx", "'\nx"},
		{"carriage return", "\rx", "'\rx"},
		{"apostrophe", "'tis", "'tis"},
		{"apostrophe and formula", "'=1", "''=1"},
		{"two of them", "''\t", "'''\t"},
		{"apostrophe behind a blank", " '=1", " '=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, Neutralise(tt.in))
			assert.Equal(t, tt.in, Unneutralise(tt.want))
		})
	}
}

func TestUnneutraliseLeavesOthers(t *testing.T) {
	for _, cell := range []string{"", "'", "'x", "=1", "''", "' x"} {
		assert.Equal(t, cell, Unneutralise(cell))
	}
}

func TestNeutraliseRoundTrip(t *testing.T) {
	cells := rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.SampledFrom([]rune("''=+-@\t\r\n \u00a0\u200ba"))),
	)
	rapid.Check(t, func(t *rapid.T) {
		cell := cells.Draw(t, "cell")
		require.Equal(t, cell, Unneutralise(Neutralise(cell)))
		if c := Neutralise(cell); c == cell {
			require.False(t, isFormula(cell))
		}
	})
}

func FuzzNeutralise(f *testing.F) {
	for _, s := range []string{"", "=1", "'=1", "''@", "\t", "'\n", "\x80=", "\u200b="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		if back := Unneutralise(Neutralise(cell)); back != cell {
			t.Fatalf("%q comes back as %q", cell, back)
		}
	})
}
