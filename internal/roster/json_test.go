package roster

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const contractJSON = `{
  "apiVersion": "edrctl/v1", "kind": "Roster",
  "defaults": {"tenants": ["falcon-prod", "cbc"]},
  "users": [
    {
      "login": "ines.duarte@example.com", "first-name": "Ines", "last-name": "\u0044uarte",
      "roles": ["analyst"], "tenants": ["falcon-prod", "cbc", "cr"], "tenant-roles": {"cbc": ["SOC Triage"]},
      "options": {"cybereason": {"totp-enabled": true}}, "phone": null,
      "password": "env:INES_FIRST_PASSWORD", "expires": "2027-03-31"
    },
    {"login": "tomas.keller@example.com", "state": "absent"}
  ]
}
`

func TestReadsJSON(t *testing.T) {
	want := contractUsers()
	want[1].Line = 11
	for _, name := range []string{"r.json", "-"} {
		r, err := Read(strings.NewReader(contractJSON), name)
		require.NoError(t, err)
		assert.Equal(t, want, byUser(r.Users))
		assert.Equal(t, Defaults{Tenants: []string{"falcon-prod", "cbc"}, Line: 3, Column: 27}, r.Defaults)
	}
	minified := strings.Join(strings.Fields(strings.ReplaceAll(contractJSON, "SOC Triage", "SOC\u00a0Triage")), "")
	r, err := Read(strings.NewReader(bom+minified), "r.JSON")
	require.NoError(t, err)
	assert.Equal(t, unplaced(want)[1:], unplaced(r.Users)[1:])
}

func TestKeepsNumbersAsWritten(t *testing.T) {
	for _, text := range []string{"1e3", "-0", "1.50", "12345678901234567890123", "true", "false"} {
		r, err := Read(strings.NewReader(`{"apiVersion":"edrctl/v1","kind":"Roster","users":[{"login":"a@b.example","last-name":`+text+`,"roles":[`+text+`]}]}`), "r.json")
		require.NoError(t, err, text)
		assert.Equal(t, text, *r.Users[0].LastName)
		assert.Equal(t, []string{text}, r.Users[0].Roles)
	}
}

func TestRefusesJSON(t *testing.T) {
	const head = `{"apiVersion": "edrctl/v1", "kind": "Roster",` + "\n"
	tests := []struct {
		name, file string
		want       []string
	}{
		{"no object", "[1]", []string{`1:1: a roster is a mapping that begins with "apiVersion: edrctl/v1"`}},
		{"text", `"x"`, []string{`1:1: a roster is a mapping that begins with "apiVersion: edrctl/v1"`}},
		{"YAML", contractFile, []string{"1:1: not JSON from here on: invalid character 'a' looking for beginning of value"}},
		{"nothing of it", `{"users": []}`, []string{`1:1: key "apiVersion" is missing`, `1:1: key "kind" is missing`}},
		{"null users", head + `"users": null}`, []string{`2:1: users are missing; a roster of nobody says "users: []"`}},
		{"users are an object", head + `"users": {"a": 1}}`, []string{"2:10: users is a list, such as [one, two]"}},
		{"duplicate keys", head + `"users": [{"login": "a@b.example", "login": "c@d.example"}], "kind": "Roster"}`, []string{
			`2:36: key "login" stands here again, after line 2`, `2:62: key "kind" stands here again, after line 1`,
		}},
		{"duplicate users", head + `"users": [], "users": []}`, []string{`2:14: key "users" stands here again, after line 2`}},
		{"escaped duplicate", head + `"users": [], "user\u0073": []}`, []string{`2:14: key "users" stands here again, after line 2`}},
		{"merge key", head + `"users": [{"login": "a@b.example", "<<": {}}]}`, []string{`2:36: unknown key "<<"; known are ` + strings.Join(userKeys(), ", ")}},
		{"unknown key", head + `"users": [{"login": "a@b.example", "rolse": []}]}`, []string{`2:36: unknown key "rolse"; did you mean "roles"?`}},
		{"login twice in a line", head + `"users": [{"login": "a@b.example"}, {"login": "A@b.example"}]}`, []string{
			`2:37: login "A@b.example" stands here again, after column 11 of this line`,
		}},
		{"more", head + `"users": []} {}`, []string{"2:14: more follows here; a roster is one object"}},
		{"more of no kind", head + `"users": []} x`, []string{"2:14: not JSON from here on: invalid character 'x' looking for beginning of value"}},
		{"cut", head + `"users": [{"login": "a@b.example"`, []string{"2:34: the file ends here, in the middle of something"}},
		{"cut in a text", head + `"users": [{"login": "a@b`, []string{"2:25: the file ends here, in the middle of something"}},
		{"cut in a list", head + `"users": [`, []string{"2:11: the file ends here, in the middle of something"}},
		{"comma too many", head + `"users": [{"login": "a@b.example"},]}`, []string{"2:36: not JSON from here on: invalid character ']' looking for beginning of value"}},
		{"no comma", head + "\"users\": [{\"login\": \"a@b.example\"\n  \"state\": \"absent\"}]}", []string{"3:3: not JSON from here on: invalid character '\"' after object key:value pair"}},
		{"comment", "// x\n{}", []string{"1:1: not JSON from here on: invalid character '/' looking for beginning of value"}},
		{"control", head + `"users": [{"login": "a@b.example", "phone": "1` + "\x1b" + `"}]}`, []string{"2:47: the character U+001B is not allowed"}},
		{"escaped control", head + `"users": [{"login": "a@b.example", "phone": "\u001b"}]}`, []string{"2:45: phone has a line break or another control character in it"}},
		{"half a pair", head + `"users": [{"login": "a@b.example", "phone": "\ud83dx"}]}`, []string{"2:45: half a surrogate pair stands in this text, which is no character"}},
		{"bad UTF-8", head + "\"users\": [{\"login\": \"é\xff\"}]}", []string{"2:23: a byte is not UTF-8; save the file as UTF-8"}},
		{"deep", head + `"users": [` + strings.Repeat("[", 20), []string{"2:26: lists and objects stand in one another more than 16 deep"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(test.file), "r.json")
			var want []string
			for _, fault := range test.want {
				want = append(want, "r.json:"+fault)
			}
			assert.Equal(t, want, faultsOf(t, err))
		})
	}
}
