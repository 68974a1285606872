package roster

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestReadLogins(t *testing.T) {
	tests := []struct {
		name, file string
		want       []string
	}{
		{"one column", "login\nada@example.com\n", []string{"ada@example.com"}},
		{"email, among others", "Name,E-Mail,Email\nAda,x,ADA@Example.com\n", []string{"ada@example.com"}},
		{"login goes before email", "email,LOGIN\nold@example.com,new@example.com\n", []string{"new@example.com"}},
		{"mark, line ends of Windows and blanks", "\ufeff login \r\n  bo@example.com \r\n\r\n", []string{"bo@example.com"}},
		{"quotes", "name,login\n\"Quist, \"\"Ada\"\"\n(second line)\",\"ada@example.com\"\n", []string{"ada@example.com"}},
		{"again, in another case", "login\nb@example.com\na@example.com\nB@EXAMPLE.com\n", []string{"b@example.com", "a@example.com"}},
		{"made harmless for spreadsheets", "login\n'-x@example.com\n'+y@example.com\n", []string{"-x@example.com", "+y@example.com"}},
		{"nobody", "login,name\n", nil},
		{"rows of nothing", "login,name\n,\n \n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadLogins(strings.NewReader(tt.file), "people.csv")
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestReadLoginsRefuses(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"no header", "ada@example.com\n", `people.csv:1:1: there is no column "login" or "email"; the first line names the columns`},
		{"two columns", "email,name,Email\na@b.example,c,d\n", `people.csv:1:12: column "email" stands here again`},
		{"semicolons", "login;name\na;b\n", "people.csv:1:1: the columns are separated by semicolons; save the file with commas"},
		{"no login", "login,name\na@b.example,A\n,B\n", "people.csv:3:1: the row has no login"},
		{"no address", "name,login\nĄda,a@b.example\nĄda,ada\n", `people.csv:3:5: "ada" is not a login: there is no "@"`},
		{"short row", "login,name\na@b.example\n", "people.csv:2:12: the row has 1 cells, and the header 2"},
		{"all of them", "login\nada\n\nbo\n", "2 faults:\n  people.csv:2:1: \"ada\" is not a login: there is no \"@\"\n" +
			"  people.csv:4:1: \"bo\" is not a login: there is no \"@\""},
		{"after a cell of two lines", "name,login\n\"A\nB\",ada\n", `people.csv:3:4: "ada" is not a login: there is no "@"`},
		{"a quote that is not closed", "login\n\"a@b.example\n", `people.csv:2:14: not CSV from here on: extraneous or missing " in quoted-field`},
		{"empty", "", "people.csv:1:1: the file is empty"},
		{"UTF-16", "\xff\xfel\x00", "people.csv:1:1: the file is UTF-16; save it as UTF-8"},
		{"Latin-1", "login,name\na@b.example,Andr\xe9\n", "people.csv:2:17: a byte is not UTF-8; save the file as UTF-8"},
		{"a long cell", "login,name\na@b.example," + strings.Repeat("x", 2*maxValue+9), "people.csv:2:13: a cell has more than 64 KiB; is a quote not closed?"},
		{"many cells", "login" + strings.Repeat(",", maxColumns), "people.csv:1:262: a row has more than 256 cells"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadLogins(strings.NewReader(tt.file), "people.csv")
			assert.Nil(t, got)
			require.ErrorIs(t, err, provision.ErrUsage)
			require.EqualError(t, err, "list of people: "+tt.want)
		})
	}
}

func TestReadLoginsEndsWithATooLargeFile(t *testing.T) {
	row := bytes.Repeat([]byte("no login at all\n"), maxFile/16+1)
	_, err := ReadLogins(bytes.NewReader(row), "people.csv")
	require.ErrorContains(t, err, "the file has more than 64 MiB")

	var many strings.Builder
	many.WriteString("login\n")
	for i := range maxFaults + 5 {
		fmt.Fprintln(&many, "nobody", i)
	}
	_, err = ReadLogins(strings.NewReader(many.String()), "people.csv")
	require.ErrorContains(t, err, "and 950 more")
}

func FuzzReadLogins(f *testing.F) {
	f.Add([]byte("login,name\nada@example.com,\"A\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		logins, err := ReadLogins(bytes.NewReader(data), "x.csv")
		if err != nil {
			require.ErrorIs(t, err, provision.ErrUsage)
		}
		for _, l := range logins {
			require.NoError(t, provision.CheckLogin(l))
		}
	})
}
