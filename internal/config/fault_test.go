package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFaults(t *testing.T) {
	const canary = "hunter2-canary"
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{`config.yaml:1: the file is empty; it begins with "version: 1"`}},
		{"only comments", "# nothing\n", []string{`config.yaml:1: the file is empty; it begins with "version: 1"`}},
		{"no version", "tenants:\n", []string{`config.yaml:1: the version is missing; write "version: 1"`}},
		{"other version", "version: 2\n", []string{`config.yaml:1: version is "2", and this edrctl reads version 1`}},
		{"list", "- a\n", []string{
			"config.yaml:1: the configuration is a mapping of keys to values",
			`config.yaml:1: the version is missing; write "version: 1"`,
		}},
		{"second document", "version: 1\n---\nversion: 1\n", []string{"config.yaml:2: a second document begins here; a configuration is one document"}},
		{"duplicate key", "version: 1\noutput: json\noutput: yaml\n", []string{`config.yaml:3: key "output" stands here again, after line 2`}},
		{"duplicate tenant", "version: 1\ntenants:\n  a: {}\n  b: {}\n  a: {}\n", []string{`config.yaml:5: key "a" stands here again, after line 3`}},
		{"anchor", "version: 1\noutput: &a json\n", []string{"config.yaml:2: " + aliasFault}},
		{"alias", "version: 1\noutput: &a json\nsession-cache: *a\n", []string{"config.yaml:2: " + aliasFault, "config.yaml:3: " + aliasFault}},
		{"unknown alias", "version: 1\ntenants:\n  a:\n    password: *" + canary + "\n", []string{"config.yaml:4: " + aliasFault}},
		{"own type", "version: 1\noutput: !x json\n", []string{"config.yaml:2: only text, numbers, true and false, lists and mappings are allowed here"}},
		{"binary", "version: 1\noutput: !!binary anNvbg==\n", []string{"config.yaml:2: only text, numbers, true and false, lists and mappings are allowed here"}},
		{"bad UTF-8", "version: 1\n# caf\xe9\n", []string{"config.yaml:2: a byte is not UTF-8; save the file as UTF-8"}},
		{"control character", "version: 1\noutput: \"\x1b[31m\"\n", []string{"config.yaml:2: the control character U+001B is not allowed"}},
		{"escaped control character", "version: 1\noutput: \"\\e[31m\"\n", []string{"config.yaml:2: output has a line break or another control character in it"}},
		{"syntax", "version: 1\noutput: [json\n", []string{"config.yaml:2: not YAML from here on: did not find expected ',' or ']'"}},
		{"bare prompt", "version: 1\ntenants:\n  cr:\n    password: prompt:\n", []string{
			`config.yaml:4: not YAML from here on: mapping values are not allowed in this context; a value that ends with a colon, such as "prompt:", is written in quotes`,
		}},
		{"key is a list", "version: 1\n[a]: b\n", []string{"config.yaml:2: a key is a word"}},
		{"all at once", `version: 1
outptu: json
session-cache: no
default-tenants: [crr]
tenants:
  cr:
    vendor: cybereason
    client_secret: ` + canary + `
    usernam: x
    timeout: soon
    url: http://` + canary + `:` + canary + `@example.com
  Upper: {vendor: cortex}
  x:
    vendor: cybreason
  y:
    url: [1]
roles:
  analyst:
    cybereason: analyst_l1
    sentinel: [x]
  id:1: {}
guards:
  protectd: []
  protected: [nobody]
  max-deletes: -1
`, []string{
			`config.yaml:2: unknown key "outptu"; did you mean "output"?`,
			`config.yaml:3: session-cache is one of file, off, not "no"`,
			`config.yaml:4: default-tenants: unknown tenant "crr"; did you mean "cr"?`,
			`config.yaml:8: unknown key "client_secret"; did you mean "client-cert"?`,
			`config.yaml:9: unknown key "usernam"; did you mean "username"?`,
			`config.yaml:10: timeout is a duration such as 30s, not "soon"`,
			`config.yaml:11: url has a user name in it; credentials are settings of their own`,
			`config.yaml:12: "Upper" is no name for a tenant; use a to z, 0 to 9 and, not first, dashes`,
			`config.yaml:14: unknown vendor "cybreason"; did you mean "cybereason"?`,
			`config.yaml:15: tenant y has no vendor; it is one of crowdstrike, cortex, cybereason`,
			`config.yaml:16: url is a single value`,
			`config.yaml:19: cybereason is a list, such as [one, two]`,
			`config.yaml:20: unknown vendor "sentinel"; known are crowdstrike, cortex, cybereason`,
			`config.yaml:21: "id:1" is no name for a role alias`,
			`config.yaml:23: unknown key "protectd"; did you mean "protected"?`,
			`config.yaml:24: "nobody" is not a login: there is no "@"`,
			`config.yaml:25: max-deletes is a number from 0 up, not "-1"`,
		}},
		{"key of another vendor", "version: 1\ntenants:\n  a:\n    vendor: cybereason\n    api-key: env:X\n", []string{
			`config.yaml:5: key "api-key" is one of cortex, and tenant a is cybereason`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, tt.text)
			assert.Equal(t, tt.want, faultsOf(t, err))
			assert.NotContains(t, err.Error(), canary)
		})
	}
}

func TestFaultsOfVariablesAndFlags(t *testing.T) {
	env := Environment{
		Environ: []string{
			"EDRCTL_A_VENDOR=cybreason", "EDRCTL_B_VENDOR=cybereason", "EDRCTL_B_URL=ftp://x", "EDRCTL_OUTPUT=tables",
			"EDRCTL_DEFAULT_TENANTS=c",
		},
		Flags: map[string]string{keyMaxWait: "-1s", keySessionCache: "maybe"},
	}
	_, err := Load(env, testVendors(), writeConfig(t, "version: 1\nsession-cach: x\n"))
	assert.ElementsMatch(t, []string{
		`config.yaml:2: unknown key "session-cach"; did you mean "session-cache"?`,
		`EDRCTL_A_VENDOR: unknown vendor "cybreason"; did you mean "cybereason"?`,
		`EDRCTL_B_URL: url is an address that begins with https://`,
		`--max-wait: max-wait is a duration such as 2m, not "-1s"`,
		`--session-cache: session-cache is one of file, off, not "maybe"`,
		`EDRCTL_OUTPUT: output is one of table, wide, json, jsonl, yaml, csv, name, not "tables"; did you mean "table"?`,
		`EDRCTL_DEFAULT_TENANTS: default-tenants: unknown tenant "c"; known are b`,
	}, faultsOf(t, err))
}

func TestFaultsText(t *testing.T) {
	_, err := load(t, "version: 1\na: 1\n")
	assert.NotContains(t, err.Error(), "\n")
	assert.Regexp(t, `^configuration: .*config\.yaml:2: unknown key "a"`, err.Error())
	_, err = load(t, "version: 1\na: 1\nb: 1\n")
	assert.Equal(t, 2, strings.Count(err.Error(), "\n"), "one a line")
}

// What is read, is read without a panic; what is refused, says where.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(exampleFile))
	f.Add([]byte("version: 1\ntenants: {a: {password: *x}}"))
	f.Add([]byte("? [a]\n: b\n--- \n"))
	f.Add([]byte("\xef\xbb\xbfversion: 1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{name: "f"}
		if root := r.parse(data); root != nil {
			file := &File{catalog: newCatalog(testVendors()), scalars: newLayers(), facts: &fileFacts{name: "f"}}
			file.doc = r.document(root, file.catalog)
			file.addTenants(r, nil)
			file.addScalars(r)
			if len(r.faults) == 0 {
				file.Explain()
			}
			return
		}
		require.NotEmpty(t, r.faults)
		for _, fault := range r.faults {
			assert.Regexp(t, `^f:[1-9]`, fault.Where)
		}
	})
}
