package roster

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestChecksAgainstTheConfiguration(t *testing.T) {
	r, err := Read(strings.NewReader("apiVersion: edrctl/v1\nkind: Roster\ndefaults:\n  tenants: [falcon, cbc-eu]\nusers:\n"+lines(
		"  - {login: fine@b.example, tenants: [falcon, cbc, cr], roles: [analyst, own], tenant-roles: {falcon: [lead]}}",
		"  - {login: tenant@b.example, tenants: [cbc, faclon, other]}",
		"  - {login: default@b.example}",
		"  - {login: alias@b.example, tenants: [cbc], roles: [lead]}",
		"  - {login: further@b.example, tenants: [falcon, cr], tenant-roles: {cr: [lead]}}",
		"  - {login: gone@b.example, tenants: [cbc], roles: [lead], state: absent}",
		"  - {login: vendor@b.example, tenants: [falcon], options: {cybereasn: {x: 1}, cybereason: {totp-enabled: 1}}}",
		"  - {login: again@b.example, tenants: [falcon], options: {cybereasn: {x: 1}}}",
		"  - {login: option@b.example, tenants: [cr], options: {cybereason: {totp: 1, totp-enabled: maybe}}}",
		"  - {login: option2@b.example, tenants: [cr], options: {cybereason: {totp: 1, totp-enabled: no}}}",
	)), "r.yaml")
	require.NoError(t, err)
	const options = "known are cybereason.totp-enabled, cybereason.groups, cybereason.scope"
	assert.Equal(t, []string{
		`r.yaml:4:12: unknown tenant "cbc-eu"; known are falcon, falcon-eu, cbc, cr`,
		`r.yaml:7:5: tenant@b.example: unknown tenant "faclon"; did you mean "falcon"?`,
		`r.yaml:7:5: tenant@b.example: unknown tenant "other"; known are falcon, falcon-eu, cbc, cr`,
		`r.yaml:9:46: alias@b.example: role alias "lead" has no role for carbonblack, which tenant cbc is`,
		`r.yaml:10:5: further@b.example: role alias "lead" has no role for cybereason, which tenant cr is`,
		`r.yaml:12:72: vendor@b.example: unknown vendor of options "cybereasn"; did you mean "cybereason"?`,
		`r.yaml:12:92: vendor@b.example: options for cybereason, but none of the user's tenants is one: falcon`,
		`r.yaml:14:69: option@b.example: cybereason has no option "totp"; ` + options,
		`r.yaml:14:78: option@b.example: option cybereason.totp-enabled is true or false, not "maybe"`,
		`r.yaml:15:79: option2@b.example: option cybereason.totp-enabled is true or false, not "no"`,
	}, faultsOf(t, r.Check(testKnown())))
}

// Read and Check together report all faults at once and where they stand, but
// none that only follows from another.
func TestFaultsOfReadAndCheckTogether(t *testing.T) {
	for _, tt := range []struct{ name, file, text string }{
		{"r.yaml", lines(
			"apiVersion: edrctl/v1", "kind: Roster", "users:",
			"  - login: nobody",
			"    tenants: [cbc]",
			"  - login: key@b.example",
			"    tenats: [cbc]",
			"  - login: tenant@b.example",
			"    tenants:",
			"      - cbc",
			"      - nowhere",
			"  - login: name@b.example",
			"    tenants: [Upper_Case]",
			"    options: {cybereason: {totp-enabled: true}}",
			"  - login: alias@b.example",
			"    tenants: [cbc]",
			"    roles: [lead]",
			"  - login: option@b.example",
			"    tenants: [cr]",
			"    options:",
			"      cybereason:",
			"        totp-enabled: true",
			"        totp: 1",
			"  - login: foreign@b.example",
			"    tenants: [cbc]",
			"    options:",
			"      cybereason: {totp-enabled: true}",
			"  - login: without@b.example",
			"    state: gone",
			"  - login: lost@b.example",
		), `r.yaml:4:12: "nobody" is not a login: there is no "@"
r.yaml:7:5: unknown key "tenats"; did you mean "tenants"?
r.yaml:11:9: unknown tenant "nowhere"; known are falcon, falcon-eu, cbc, cr
r.yaml:13:15: "Upper_Case" is no name of a tenant, which has a to z, 0 to 9 and, not first, dashes
r.yaml:17:5: alias@b.example: role alias "lead" has no role for carbonblack, which tenant cbc is
r.yaml:23:9: option@b.example: cybereason has no option "totp"; known are cybereason.totp-enabled, cybereason.groups, cybereason.scope
r.yaml:27:20: foreign@b.example: options for cybereason, but none of the user's tenants is one: cbc
r.yaml:29:12: state is present or absent, not "gone"
r.yaml:30:5: lost@b.example: no tenant is named, and there are no default ones`},
		{
			"r.csv", "login,nme,tenants,cybereason.totp,state\na@b.example,,cr;nowhere,1,gone\nb@b.example,,other,,\n\"c@b.example\n",
			`r.csv:1:7: unknown column "nme"; known are login, first-name, last-name, phone, roles, tenants, state, expires, password; an option's is vendor.option
r.csv:2:14: unknown tenant "nowhere"; known are falcon, falcon-eu, cbc, cr
r.csv:2:25: a@b.example: cybereason has no option "totp"; known are cybereason.totp-enabled, cybereason.groups, cybereason.scope
r.csv:2:27: state is present or absent, not "gone"
r.csv:3:14: unknown tenant "other"; known are falcon, falcon-eu, cbc, cr
r.csv:4:14: not CSV from here on: extraneous or missing " in quoted-field`,
		},
		{"r.csv", "nme\na@b.example\n", `r.csv:1:1: column "login" is missing
r.csv:1:1: unknown column "nme"; known are login, first-name, last-name, phone, roles, tenants, state, expires, password; an option's is vendor.option`},
	} {
		_, err := ReadFor(strings.NewReader(tt.file), tt.name, testKnown())
		assert.ElementsMatch(t, strings.Split(tt.text, "\n"), faultsOf(t, err))
	}
	_, err := ReadFor(strings.NewReader("login,tenants\na@b.example,cbc\n"), "r.csv", testKnown())
	require.NoError(t, err)
	_, err = ReadFor(strings.NewReader("x"), "r.txt", testKnown())
	require.ErrorIs(t, err, provision.ErrUsage)
}

func TestChecksUsersWithoutTenants(t *testing.T) {
	r, err := Read(strings.NewReader("login\na@b.example\n"), "r.csv")
	require.NoError(t, err)
	assert.Equal(t, []string{"r.csv:2:1: a@b.example: no tenant is named, and there are no default ones"}, faultsOf(t, r.Check(testKnown())))
}

func TestBringsOptionsIntoOneSpelling(t *testing.T) {
	r, err := Read(strings.NewReader(yamlFile(
		"  - login: a@b.example",
		"    tenants: [cr, falcon]",
		"    options: {cybereason: {totp-enabled: TRUE, groups: [a, b], scope: 0}, crowdstrike: {cid: 0123}}",
	)), "r.yaml")
	require.NoError(t, err)
	assert.Equal(t, "TRUE", r.Users[0].Options["cybereason"]["totp-enabled"])
	require.NoError(t, r.Check(testKnown()))
	assert.Equal(t, map[string]map[string]string{
		"cybereason": {"totp-enabled": "true", "groups": "a,b", "scope": "false"}, "crowdstrike": {"cid": "0123"},
	}, r.Users[0].Options)
}

func TestWarnsOfPasswordsThatNobodyWants(t *testing.T) {
	r, err := Read(strings.NewReader(lines(
		"login,tenants,password,state",
		"a@b.example,falcon;cr,env:A,",
		"b@b.example,falcon,,",
		"c@b.example,falcon,env:C,absent",
		"d@b.example,falcon;cbc,env:D,",
	)), "r.csv")
	require.NoError(t, err)
	require.NoError(t, r.Check(testKnown()))
	const one = "r.csv:5:1: the password of d@b.example is ignored: no tenant of this user takes one"
	assert.Equal(t, []string{one}, r.Warnings(testKnown()))
	r.Users = append(r.Users, r.Users[3], r.Users[3])
	assert.Equal(t, []string{one + "; nor of 2 more users"}, r.Warnings(testKnown()))
	r.Users = r.Users[:2]
	assert.Empty(t, r.Warnings(testKnown()))
}

func TestCheckEndsWithManyFaults(t *testing.T) {
	var file strings.Builder
	file.WriteString("login,tenants\n")
	for i := range 3 * maxFaults {
		fmt.Fprintf(&file, "a%d@b.example,nowhere\n", i)
	}
	r, err := Read(strings.NewReader(file.String()), "r.csv")
	require.NoError(t, err)
	assert.Len(t, faultsOf(t, r.Check(testKnown())), maxFaults)
}
