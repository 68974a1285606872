package roster

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadsCSV(t *testing.T) {
	file := lines(
		"expires,login,first-name,last-name,phone,roles,tenants,state,password,cybereason.totp-enabled",
		`2027-03-31,ines.duarte@example.com,Ines,"Duarte, ""D""",'+49 170,analyst; SOC Triage ;,falcon;cr;falcon,,env:INES,0`,
		"",
		",,,,,,,,,",
		" , tomas@example.com ,,'=SUM(A1),,,cbc,absent,,",
		",Ines.Duarte@example.com,,,,'-x;y,cbc,present,,",
	)
	first := []User{
		{
			Login: "ines.duarte@example.com", FirstName: pointer("Ines"), LastName: pointer(`Duarte, "D"`), Phone: pointer("+49 170"),
			Roles: []string{"analyst", "SOC Triage"}, Tenants: []string{"falcon", "cr"}, Password: "env:INES", State: Present,
			Options: map[string]map[string]string{"cybereason": {"totp-enabled": "0"}},
			Expires: time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC), Line: 2, Column: 1,
		},
		{Login: "tomas@example.com", LastName: pointer("=SUM(A1)"), Tenants: []string{"cbc"}, State: Absent, Line: 5, Column: 1},
		{Login: "Ines.Duarte@example.com", Roles: []string{"-x", "y"}, Tenants: []string{"cbc"}, State: Present, Line: 6, Column: 1},
	}
	for name, text := range map[string]string{
		"as it is": file, "byte-order mark": bom + file, "windows": strings.ReplaceAll(file, "\n", "\r\n"),
		"no final newline": strings.TrimSuffix(file, "\n"), "blank lines behind": file + "\n\r\n\n",
	} {
		r, err := Read(strings.NewReader(text), "people.csv")
		require.NoError(t, err, name)
		assert.Equal(t, first, byUser(r.Users), name)
	}
	quoted := `"` + strings.ReplaceAll(strings.ReplaceAll(lines("login,roles", "a@b.example,x"), ",", `","`), "\n", "\"\n\"")
	r, err := Read(strings.NewReader(strings.TrimSuffix(quoted, `"`)), "people.csv")
	require.NoError(t, err)
	assert.Equal(t, []User{{Login: "a@b.example", Roles: []string{"x"}, State: Present, Line: 2, Column: 1}}, byUser(r.Users))

	r, err = Read(strings.NewReader("login\n"), "people.csv")
	require.NoError(t, err)
	assert.Empty(t, r.Users)
}

func TestRefusesCSV(t *testing.T) {
	const head = "login,roles,tenants,state\n"
	tests := []struct {
		name, file string
		want       []string
	}{
		{"empty", "\r\n", []string{"1:1: the file is empty"}},
		{"semicolons", "login;roles;tenants\na@b.example;x;cbc\n", []string{"1:1: the columns are separated by semicolons; save the file with commas"}},
		{"tabs", "login\troles\n", []string{"1:1: the columns are separated by tabs; save the file with commas"}},
		{"CR only", "login,roles\ra@b.example,x\r", []string{"1:12: a carriage return stands without a line feed; save the file with line ends of Unix or Windows"}},
		{"CR in a cell", head + "a@b.example,\"x\ry\",,\n", []string{"2:15: a carriage return stands without a line feed; save the file with line ends of Unix or Windows"}},
		{"UTF-16", "\xfe\xff\x00l", []string{"1:1: the file is UTF-16; save it as UTF-8"}},
		{"UTF-16 without a mark", "l\x00o\x00", []string{"1:2: a NUL byte is not allowed; if the file is UTF-16, save it as UTF-8"}},
		{"Latin-1", head + "a@b.example,Pr\xfcfer,,\n", []string{"2:15: a byte is not UTF-8; save the file as UTF-8"}},
		{"NUL", head + "a@b.example,\x00,,\n", []string{"2:13: a NUL byte is not allowed; if the file is UTF-16, save it as UTF-8"}},
		{
			"header", "roles,login,Roles,rolse,,roles,cr.,Cr.x,.x, tenants ,tenants\na,b\n",
			[]string{
				`1:13: unknown column "Roles"; did you mean "roles"?; an option's is vendor.option`,
				`1:19: unknown column "rolse"; did you mean "roles"?; an option's is vendor.option`,
				`1:25: column 5 has no name`, `1:26: column "roles" stands here again`,
				`1:32: unknown column "cr."; known are ` + listed(columnNames()) + `; an option's is vendor.option`,
				`1:36: unknown column "Cr.x"; known are ` + listed(columnNames()) + `; an option's is vendor.option`,
				`1:41: unknown column ".x"; known are ` + listed(columnNames()) + `; an option's is vendor.option`,
				`1:54: column "tenants" stands here again`, `2:4: the row has 2 cells, and the header 11`,
			},
		},
		{"no login", "roles,tenants\n", []string{`1:1: column "login" is missing`}},
		{"no header", "a@b.example,analyst\n", []string{
			`1:1: unknown column "a@b.example"; known are ` + listed(columnNames()) + `; an option's is vendor.option`,
			`1:1: column "login" is missing`,
			`1:13: unknown column "analyst"; known are ` + listed(columnNames()) + `; an option's is vendor.option`,
		}},
		{
			"rows", head + "a@b.example,x\nc@b.example,x,cbc,,more,\n,é,cbc,\n  , ,\t,\nd@b.example,,Cbc;é,Present\n",
			[]string{
				"2:14: the row has 2 cells, and the header 4", "3:20: the row has 6 cells, and the header 4", "4:1: the row has no login",
				`6:14: "Cbc" is no name of a tenant, which has a to z, 0 to 9 and, not first, dashes`,
				`6:14: "é" is no name of a tenant, which has a to z, 0 to 9 and, not first, dashes`,
				`6:20: state is present or absent, not "Present"`,
			},
		},
		{"line break in a cell", head + "a@b.example,\"x\r\ny\",cbc,gone\n", []string{
			"2:13: roles has a line break or another control character in it", `3:8: state is present or absent, not "gone"`,
		}},
		{"short after a line break", head + "a@b.example,\"x\n\"\n", []string{"3:2: the row has 2 cells, and the header 4"}},
		{"bare quote", head + "\na@b.example,é\"x\",cbc,\n", []string{"3:14: not CSV from here on: bare \" in non-quoted-field"}},
		{"text behind a quote", head + "a@b.example,\"x\"y,cbc,\n", []string{"2:15: not CSV from here on: extraneous or missing \" in quoted-field"}},
		{"open quote", head + "a@b.example,\"x,cbc,\n", []string{"2:21: not CSV from here on: extraneous or missing \" in quoted-field"}},
		{"open quote over lines", head + "a@b.example,\"x,cbc,\nc@b.example,\"é\",,\n", []string{"3:13: not CSV from here on: extraneous or missing \" in quoted-field; the row begins in line 2"}},
		{"same tenant", head + "a@b.example,,cbc;cr,\nA@b.example,,falcon,\na@B.example,,falcon;cr,\na@b.example,,,\nc@b.example,,,\nc@b.example,,cr,\n", []string{
			`4:1: login "a@B.example" stands here again for the same tenant, after line 2; rows of one login name different tenants`,
			`5:1: login "a@b.example" stands here again for the same tenant, after line 2; rows of one login name different tenants`,
			`7:1: login "c@b.example" stands here again for the same tenant, after line 6; rows of one login name different tenants`,
		}},
		{"literal password", "login,password\na@b.example,hunter2\n", []string{
			"2:13: password is a reference (env:NAME, file:PATH, keyring:SERVICE/ACCOUNT or prompt:), never the password itself",
		}},
		{"large cell", head + "a@b.example," + strings.Repeat("x", maxValue+1) + ",,\n", []string{"2:13: roles has more than 64 KiB"}},
		{"larger cell", head + "a@b.example," + strings.Repeat("x", 2*maxValue+3) + ",,\n", []string{"2:13: a cell has more than 64 KiB; is a quote not closed?"}},
		{"many roles", head + "a@b.example," + manyItems(";") + ",,\n", []string{"2:13: roles has more than 1000 items"}},
		{"many columns", head + strings.Repeat(",", 300), []string{"2:257: a row has more than 256 cells"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(test.file), "p.csv")
			var want []string
			for _, fault := range test.want {
				want = append(want, "p.csv:"+fault)
			}
			assert.Equal(t, want, faultsOf(t, err))
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestLargestCellIsRead(t *testing.T) {
	name := strings.Repeat(`"`, maxValue)
	file := "login,last-name\na@b.example,\"" + strings.ReplaceAll(name, `"`, `""`) + "\"\n"
	r, err := Read(strings.NewReader(file), "p.csv")
	require.NoError(t, err)
	assert.Equal(t, name, *r.Users[0].LastName)
}
