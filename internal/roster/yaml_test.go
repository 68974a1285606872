package roster

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// contractFile is a roster with everything in it.
const contractFile = `apiVersion: edrctl/v1
kind: Roster
defaults: {tenants: [falcon-prod, cbc]}
users:
  - login: ines.duarte@example.com
    first-name: Ines
    last-name: Duarte
    roles: [analyst]                   # aliases or vendor roles, for all its tenants
    tenants: [falcon-prod, cbc, cr]    # optional
    tenant-roles: {cbc: [SOC Triage]}  # in addition, for that tenant
    options: {cybereason: {totp-enabled: true}}
    password: env:INES_FIRST_PASSWORD  # optional, where a vendor wants one
    expires: 2027-03-31                # optional: end of access, start of that day, UTC
  - login: tomas.keller@example.com
    state: absent
`

func contractUsers() []User {
	return []User{
		{
			Login: "ines.duarte@example.com", FirstName: pointer("Ines"), LastName: pointer("Duarte"),
			Roles: []string{"analyst"}, Tenants: []string{"falcon-prod", "cbc", "cr"},
			TenantRoles: map[string][]string{"cbc": {"SOC Triage"}},
			Options:     map[string]map[string]string{"cybereason": {"totp-enabled": "true"}},
			Password:    "env:INES_FIRST_PASSWORD", Expires: time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC),
			State: Present, Line: 5, Column: 5,
		},
		{Login: "tomas.keller@example.com", State: Absent, Line: 14, Column: 5},
	}
}

func TestReadsYAML(t *testing.T) {
	r, err := Read(strings.NewReader(contractFile), "-")
	require.NoError(t, err)
	assert.Equal(t, Defaults{Tenants: []string{"falcon-prod", "cbc"}, Line: 3, Column: 21}, r.Defaults)
	assert.Equal(t, contractUsers(), byUser(r.Users))
	assert.Equal(t, []string{"analyst", "SOC Triage"}, r.Users[0].RolesIn("cbc"))
	assert.Equal(t, []string{"analyst"}, r.Users[0].RolesIn("cr"))
	assert.Equal(t, []string{"falcon-prod", "cbc"}, r.TenantsOf(&r.Users[1]))
}

func TestReadsAnyLayoutOfYAML(t *testing.T) {
	for name, file := range map[string]string{
		"byte-order mark":  bom + contractFile,
		"windows":          strings.ReplaceAll(contractFile, "\n", "\r\n"),
		"one document":     "---\n" + contractFile + "...\n",
		"directive":        "%YAML 1.1\n---\n" + contractFile,
		"not indented":     strings.ReplaceAll(strings.ReplaceAll(contractFile, "\n    ", "\n  "), "\n  - ", "\n- "),
		"quotes":           strings.ReplaceAll(contractFile, "Ines\n", "\"Ines\"\n"),
		"escapes":          strings.ReplaceAll(contractFile, "Duarte\n", "\"\\u0044uarte\"\n"),
		"explicit types":   strings.ReplaceAll(contractFile, "Ines\n", "!!str Ines\n"),
		"repeated roles":   strings.ReplaceAll(contractFile, "[analyst]", "[analyst, analyst]"),
		"blanks in quotes": strings.ReplaceAll(contractFile, "Ines\n", "' Ines '\n"),
		"no final newline": strings.TrimSuffix(contractFile, "\n"),
		"nothing given":    strings.ReplaceAll(contractFile, "    state", "    phone:\n    roles: ~\n    options: null\n    expires:\n    state"),
		"list of groups":   strings.ReplaceAll(contractFile, "totp-enabled: true", "totp-enabled: [\"true\"]"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, tree := range []int{maxTree, 0} {
				r, err := read(strings.NewReader(file), "roster.yaml", tree, 1)
				require.NoError(t, err)
				assert.Equal(t, unplaced(contractUsers()), unplaced(r.Users))
			}
		})
	}
}

func TestKeepsScalarsAsWritten(t *testing.T) {
	for _, text := range []string{
		"no", "NO", "off", "y", "true", "0123", "1e3", "0x1f", "1_000", "1:30", "12.0", "+49", ".5", ".inf", "2027-03-31",
		"Null", "NULL", "=", "0o17", "-1",
	} {
		r, err := Read(strings.NewReader(yamlFile(
			"  - login: a@b.example",
			"    last-name: "+text,
			"    roles: ["+text+"]",
			"    options: {cybereason: {groups: "+text+"}}",
		)), "roster.yml")
		require.NoError(t, err, text)
		u := r.Users[0]
		assert.Equal(t, text, *u.LastName)
		assert.Equal(t, []string{text}, u.Roles)
		assert.Equal(t, text, u.Options["cybereason"]["groups"])
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2027-03-31":                time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC),
		"2020-02-29":                time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC),
		"2027-03-31T17:00:00Z":      time.Date(2027, 3, 31, 17, 0, 0, 0, time.UTC),
		"2027-03-31T17:00:00+02:00": time.Date(2027, 3, 31, 15, 0, 0, 0, time.UTC),
	} {
		r, err := Read(strings.NewReader(yamlFile("  - login: a@b.example", "    expires: "+text)), "r.yaml")
		require.NoError(t, err, text)
		assert.Equal(t, want, r.Users[0].Expires)
	}
}

func TestRefusesYAML(t *testing.T) {
	const who = "  - login: a@b.example"
	tests := []struct {
		name, file string
		want       []string
	}{
		{"empty", "", []string{"1:1: the file is empty"}},
		{"blank", " \n\n", []string{"1:1: the file is empty"}},
		{"only a comment", "# nothing\n", []string{"1:1: the file is empty"}},
		{"no mapping", "- a\n", []string{`1:1: a roster is a mapping that begins with "apiVersion: edrctl/v1"`}},
		{"nothing of it", "users: []\n", []string{`1:1: key "apiVersion" is missing`, `1:1: key "kind" is missing`}},
		{"no users", "apiVersion: edrctl/v1\nkind: Roster\n", []string{`1:1: key "users" is missing`}},
		{"null users", yamlFile(), []string{`3:1: users are missing; a roster of nobody says "users: []"`}},
		{"users are text", yamlFile("  all"), []string{"4:3: users is a list, such as [one, two]"}},
		{
			"another kind", "apiVersion: v1\nkind: Pod\nusers: []\n",
			[]string{`1:13: apiVersion is "v1", and this edrctl reads edrctl/v1`, `2:7: kind is "Pod", and this edrctl reads Roster`},
		},
		{
			"unknown keys",
			"apiVersion: edrctl/v1\nkind: Roster\nuser: 1\ndefaults: {tenant: [a]}\nusers:\n" + lines(who, "    role: [x]"),
			[]string{
				`3:1: unknown key "user"; did you mean "users"?`, `4:12: unknown key "tenant"; did you mean "tenants"?`,
				`7:5: unknown key "role"; did you mean "roles"?`,
			},
		},
		{
			"duplicate keys", yamlFile(who, "    roles: [a]", "    roles: [b]", "    login: c@d.example"),
			[]string{`6:5: key "roles" stands here again, after line 5`, `7:5: key "login" stands here again, after line 4`},
		},
		{"duplicate option", yamlFile(who, "    options: {cr: {a: 1, a: 2}}"), []string{`5:26: key "a" stands here again, after line 5`}},
		{"duplicate users", yamlFile(who) + "users: []\n", []string{`5:1: key "users" stands here again, after line 3`}},
		{"anchor", yamlFile(who, "    roles: &r [a]"), []string{"5:12: " + noAnchors}},
		{"alias", yamlFile(who, "    roles: &r [a]", "    tenants: *r"), []string{"5:12: " + noAnchors, "6:14: " + noAnchors}},
		{"unknown alias", yamlFile(who, "    password: *hunter2"), []string{"5:15: " + noAnchors}},
		{"merge key", yamlFile("  - <<: {login: a@b.example}"), []string{"4:5: merge keys (<<) are not allowed; write the keys themselves", "4:5: a user needs a login"}},
		{"own type", yamlFile(who, "    first-name: !x Ines"), []string{"5:17: only text, numbers, true and false, lists and mappings are allowed here"}},
		{"binary", yamlFile(who, "    first-name: !!binary aGk="), []string{"5:17: only text, numbers, true and false, lists and mappings are allowed here"}},
		{"key that is a list", yamlFile(who, "    [a]: b"), []string{"5:5: a key is a word"}},
		{"second document", yamlFile(who) + "---\na: b\n", []string{"5:1: a second document begins here; a roster is one document"}},
		{"empty second document", yamlFile(who) + "---\n", []string{"5:1: a second document begins here; a roster is one document"}},
		{"bad UTF-8", yamlFile(who, "    first-name: In\xe9s"), []string{"5:19: a byte is not UTF-8; save the file as UTF-8"}},
		{"column in characters", yamlFile(who, "    first-name: é\x01"), []string{"5:18: the character U+0001 is not allowed"}},
		{"NUL", yamlFile(who, "    first-name: \x00"), []string{"5:17: a NUL byte is not allowed; if the file is UTF-16, save it as UTF-8"}},
		{"C1", yamlFile(who, "    first-name: \u0085"), []string{"5:17: the character U+0085 is not allowed"}},
		{"line separator", yamlFile(who, "    first-name: \u2028"), []string{"5:17: the character U+2028 is not allowed"}},
		{"second mark", yamlFile(who, "    first-name: \ufeff"), []string{"5:17: the character U+FEFF is not allowed"}},
		{"UTF-16", "\xff\xfea\x00", []string{"1:1: the file is UTF-16; save it as UTF-8"}},
		{"CR only", "apiVersion: edrctl/v1\rkind: Roster\r", []string{"1:22: a carriage return stands without a line feed; save the file with line ends of Unix or Windows"}},
		{"escaped control", yamlFile(who, `    first-name: "a\u001bb"`), []string{"5:17: first-name has a line break or another control character in it"}},
		{"line break", yamlFile(who, "    first-name: |", "      a", "      b"), []string{"5:17: first-name has a line break or another control character in it"}},
		{"syntax", yamlFile(who, "    roles: [a"), []string{"5: not YAML from here on: did not find expected ',' or ']'"}},
		{"tab", yamlFile(who, "\troles: [a]"), []string{"4: not YAML from here on: found a tab character that violates indentation"}},
		{
			"prompt without quotes", yamlFile(who, "    password: prompt:"),
			[]string{`5: not YAML from here on: mapping values are not allowed in this context; a value that ends with a colon, such as "prompt:", is written in quotes`},
		},
		{
			"users of other kinds", yamlFile("  - a@b.example", "  - [x]", "  -", "  - {}"),
			[]string{
				`4:5: a user is a mapping that begins with "login:"`, `5:5: a user is a mapping that begins with "login:"`,
				`6:4: a user is a mapping that begins with "login:"`, `7:5: a user needs a login`,
			},
		},
		{
			"logins", yamlFile("  - login: ines", "  - login: ''", "  - login:", "  - login: [a@b.example]", "  - first-name: Ines"),
			[]string{
				`4:12: "ines" is not a login: there is no "@"`, "5:12: the login is empty", "6:5: a user needs a login",
				"7:12: login is a single value", "8:5: a user needs a login",
			},
		},
		{
			"login twice", yamlFile(who, "  - {login: A@B.example, tenants: [cbc]}", "  - login: a@b.EXAMPLE"),
			[]string{
				`5:5: login "A@B.example" stands here again, after line 4`,
				`6:5: login "a@b.EXAMPLE" stands here again, after line 4`,
			},
		},
		{
			"lists", yamlFile(who, "    roles: analyst", "    tenants: [cbc, '', [x], Falcon, a b]", "    tenant-roles: [cbc]", "    options: 1"),
			[]string{
				"5:12: roles is a list, such as [one, two]", "6:20: an item of tenants is empty", "6:24: an item of tenants is a single value",
				`6:29: "Falcon" is no name of a tenant, which has a to z, 0 to 9 and, not first, dashes`,
				`6:37: "a b" is no name of a tenant, which has a to z, 0 to 9 and, not first, dashes`,
				"7:19: tenant-roles is a mapping of keys to values", "8:14: options is a mapping of keys to values",
			},
		},
		{
			"options", yamlFile(who, "    options: {CR: {a: 1}, cr: {B: 1, c: {}, d: [a, 'b,c']}, falcon: x}"),
			[]string{
				`5:15: "CR" is no name of a vendor`, `5:32: "B" is no name of an option`, "5:41: c is a single value",
				"5:52: an item of option cr.d has a comma in it", "5:69: options of falcon is a mapping of keys to values",
			},
		},
		{
			"tenant without its roles", yamlFile(who, "    tenants: [cbc]", "    tenant-roles: {cr: [x], Cbc: [y]}"),
			[]string{
				`6:20: tenant-roles gives roles in tenant "cr", but is not in it; its tenants are cbc`,
				`6:29: "Cbc" is no name of a tenant, which has a to z, 0 to 9 and, not first, dashes`,
			},
		},
		{
			"state and times", yamlFile(who, "    state: gone", "    expires: 8h", "  - login: c@d.example", "    state: ''", "    expires: 0001-01-01"),
			[]string{
				`5:12: state is present or absent, not "gone"`,
				`6:14: expires is a date such as 2027-03-31 or a time such as 2027-03-31T17:00:00Z, not "8h"`,
				`8:12: state is present or absent, not ""`, "9:14: expires lies before 1970 or after 9999",
			},
		},
		{"no values", "apiVersion:\nkind: ~\nusers: []\n", []string{"1:12: apiVersion is edrctl/v1", "2:7: kind is Roster"}},
		{"anchors all over", yamlFile("  - &u {login: a@b.example}", "  - {&k login: a@b.example}", "  - login: &l a@b.example", "    roles: [&r x]"), []string{
			"4:5: " + noAnchors, "5:5: a user needs a login", "5:6: " + noAnchors, "6:12: " + noAnchors, "7:13: " + noAnchors,
		}},
		{"many items", yamlFile(who, "    roles: ["+manyItems(", ")+"]"), []string{"5:5903: roles has more than 1000 items"}},
		{"control in a list", yamlFile(who, `    roles: ["a\nb"]`), []string{"5:13: an item of roles has a line break or another control character in it"}},
		{"tenant-roles", yamlFile(who, "    tenants: [cbc]", "    tenant-roles: {cbc: x}"), []string{"6:25: tenant-roles is a list, such as [one, two]"}},
		{"long login", yamlFile("  - login: " + strings.Repeat("é", 200)), []string{"4:12: a login has at most 254 bytes, this one has 400"}},
		{"long state", yamlFile(who, "    state: x"+strings.Repeat("é", 200)), []string{`5:12: state is present or absent, not "x` + strings.Repeat("é", 39) + `"...`}},
		{"long key", yamlFile(who, "    "+strings.Repeat("x", 100)+": 1"), []string{`5:5: unknown key "` + strings.Repeat("x", 80) + `"...; known are ` + strings.Join(userKeys(), ", ")}},
		{"no such day", yamlFile(who, "    expires: 2027-02-29"), []string{`5:14: expires is a date such as 2027-03-31 or a time such as 2027-03-31T17:00:00Z, not "2027-02-29"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(test.file), "roster.yaml")
			var want []string
			for _, fault := range test.want {
				want = append(want, "roster.yaml:"+fault)
			}
			assert.Equal(t, want, faultsOf(t, err))
		})
	}
}

func TestPasswordsAreReferences(t *testing.T) {
	for text, fault := range map[string]string{
		"env:NAME_2":                "",
		"file:/run/secrets/x":       "",
		"keyring:edrctl/first":      "",
		"'prompt:'":                 "",
		"hunter2":                   "is a reference",
		"hunter2:x":                 "is a reference",
		"17":                        "is a reference",
		"env:hunter2-x":             "env: is followed by the name of a variable",
		"env:2hunter2":              "env: is followed by the name of a variable",
		"'env:'":                    "env: is followed by the name of a variable",
		"'file:'":                   "file: is followed by a path",
		"keyring:hunter2":           "keyring: is followed by a service and an account",
		"prompt:hunter2":            "prompt: stands alone",
		`'exec:["op","hunter2"]'`:   "cannot be exec:",
		"''":                        "is a reference",
		"[hunter2]":                 "is a single value",
		"{env: hunter2}":            "is a single value",
		`"hunter2\u0001"`:           "has a line break or another control character",
		"|\n      hunter2\n      x": "has a line break or another control character",
	} {
		_, err := Read(strings.NewReader(yamlFile("  - login: a@b.example", "    password: "+text)), "r.yaml")
		if fault == "" {
			require.NoError(t, err, text)
			continue
		}
		require.Len(t, faultsOf(t, err), 1, text)
		assert.Contains(t, err.Error(), "r.yaml:5:15: password "+fault)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestNamesAndFormats(t *testing.T) {
	for _, name := range []string{"-", "x.yaml", "/a/x.YML", "x.y.yaml"} {
		_, err := Read(strings.NewReader(contractFile), name)
		require.NoError(t, err, name)
	}
	for _, name := range []string{"", "x", "x.txt", "yaml", "x.yaml.gz"} {
		_, err := Read(strings.NewReader(contractFile), name)
		assert.Len(t, faultsOf(t, err), 1)
	}
}

func TestShowsSomeFaultsAndCountsTheOthers(t *testing.T) {
	_, err := Read(strings.NewReader(yamlFile(strings.Repeat("  - x\n", 60))), "r.yaml")
	assert.Len(t, faultsOf(t, err), 60)
	assert.Len(t, strings.Split(err.Error(), "\n"), 52)
	assert.True(t, strings.HasPrefix(err.Error(), "roster: 60 faults:\n  r.yaml:4:5: "), err)
	assert.True(t, strings.HasSuffix(err.Error(), "\n  and 10 more"), err)

	_, err = Read(strings.NewReader(yamlFile(strings.Repeat("  - x\n", 5000))), "r.yaml")
	all := faultsOf(t, err)
	assert.Len(t, all, maxFaults)
	assert.Equal(t, "r.yaml:1003:5: too many faults; the rest of the file was not read", all[maxFaults-1])
}
