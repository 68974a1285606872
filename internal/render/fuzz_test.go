package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// FuzzCSV writes strings from outside as CSV and reads them back: the cells are
// what is shown of the strings, and none is a formula.
func FuzzCSV(f *testing.F) {
	f.Fuzz(func(t *testing.T, first, last, role string) {
		u := provision.User{
			Login: "a@b.example", FirstName: first, LastName: last, Roles: []provision.HeldRole{{ID: role}, {ID: "other"}},
		}
		var out bytes.Buffer
		require.NoError(t, Write(&out, Document{Kind: KindUserList, Items: []UserItem{{User: u}}}, Options{Format: CSV}))
		rows, err := csv.NewReader(&out).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.Len(t, rows[1], len(rows[0]))
		cells := map[string]string{}
		for i, cell := range rows[1] {
			visible := strings.TrimLeftFunc(cell, unicode.IsSpace)
			require.False(t, cell != "" && strings.ContainsRune("\t\r\n", rune(cell[0])), "%q", cell)
			require.False(t, visible != "" && strings.ContainsRune("=+-@", rune(visible[0])), "%q", cell)
			cells[rows[0][i]] = Unneutralise(cell)
		}
		require.Equal(t, EscapeText(first), cells["firstName"])
		require.Equal(t, EscapeText(last), cells["lastName"])
		if role != "" {
			require.Equal(t, EscapeText(role+";other"), cells["roles"])
		}
	})
}

// FuzzJSON writes strings from outside as JSON, which reads back the same and
// has nothing hidden in it.
func FuzzJSON(f *testing.F) {
	f.Fuzz(func(t *testing.T, key, value string) {
		text := appendJSON(nil, object{{key, value}}, 0)
		require.False(t, bytes.ContainsFunc(text, func(r rune) bool { return isHidden(r) && r != '\n' }), "%q", text)
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return
		}
		var back map[string]string
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, map[string]string{key: value}, back)
	})
}
