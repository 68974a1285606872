package roster

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// readable checks of any file that reading it ends in faults, or in a roster
// that can be written and read again.
func readable(t *testing.T, data []byte, name, format string) {
	t.Helper()
	r, err := Read(bytes.NewReader(data), name)
	if err != nil {
		require.ErrorIs(t, err, provision.ErrUsage)
		var faults Faults
		require.ErrorAs(t, err, &faults)
		for _, f := range faults {
			// The parser adds a final line break where there is none.
			require.LessOrEqual(t, f.Line, 2+bytes.Count(data, []byte("\n")), "%v", f)
		}
		return
	}
	_ = r.Check(testKnown())
	for i := range r.Users {
		require.NoError(t, provision.CheckLogin(r.Users[i].Login))
		require.Positive(t, r.Users[i].Line)
		require.Positive(t, r.Users[i].Column)
	}
	var first, second bytes.Buffer
	if err := Write(&first, r, format); err != nil {
		// A role with a semicolon, or more than fits.
		require.ErrorIs(t, err, provision.ErrUsage)
		return
	}
	again, err := Read(bytes.NewReader(first.Bytes()), "r."+format)
	require.NoError(t, err, "%s", first.String())
	require.NoError(t, Write(&second, again, format))
	require.Equal(t, first.String(), second.String())
}

func FuzzReadYAML(f *testing.F) {
	for _, seed := range []string{
		contractFile, contractJSON, laughs(), steps(5), yamlFile("  - {login: a@b.example, roles: [x, 'y'], options: {a: {b: 0123}}}"),
		yamlFile("- login: a@b.example", "  roles:", "  - x", "# end") + "defaults: {tenants: [a]}\n",
		yamlFile("  - login: \"a@b.example", "  - x\"", "    phone: |2-", "       x"), "%YAML 1.1\n--- !!map\n? users\n: []\n...\n---\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		readable(t, data, "-", YAML)
		requireAlike(t, string(data))
	})
}

func FuzzReadJSON(f *testing.F) {
	for _, seed := range []string{
		contractJSON, `{"apiVersion":"edrctl/v1","kind":"Roster","users":[]}`, `[{"a":[1e3,null,true,"\ud83d\ude00"]}]`, `{"users":[{"login":"a@b.example"`,
		strings.Repeat("[", 50),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { readable(t, data, "r.json", JSON) })
}

func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{
		"login,first-name,last-name,phone,roles,tenants,state,expires,password,cybereason.totp-enabled\n" +
			"ines@example.com,Ines,\"Duarte, \"\"D\"\"\",'+49,x;y,a;b,present,2027-03-31,env:A,true\r\n,,,,,,,,,\n",
		bom + "login;roles\n", "login\ra@b.example\r", "login,roles\na@b.example,'=x\nA@b.example,\"x\ny\"\n", "login\n\"a@b.example",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { readable(t, data, "r.csv", CSV) })
}
