package cli

import (
	"maps"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
)

// grantSituations are about giving and setting roles.
func grantSituations() []situation {
	second := map[string]difference{"cortex": {ending: ends(exitConflict, "failed"), because: provision.CanChangeRoles}}
	several := map[string]difference{"cortex": {ending: ends(exitUnsupported, "unsupported"), because: provision.CanChangeRoles}}
	endless := map[string]difference{
		"cortex":             {ending: ends(exitUnsupported, "unsupported"), because: provision.CanExpireRoles},
		"cybereason":         {ending: ends(exitUnsupported, "unsupported"), because: provision.CanExpireRoles},
		"crowdstrike-legacy": {ending: ends(exitUnsupported, "unsupported"), because: provision.CanExpireRoles},
	}
	beside := maps.Clone(endless)
	beside["carbonblack-roles"] = difference{ending: ends(exitUnsupported, "unsupported"), because: provision.CanExpireRoles}
	return []situation{
		{name: "grant the first role", command: "role grant {ben} analyst", want: ends(exitOK, "granted"), totp: true},
		{name: "grant by display name", command: "role grant {ben} id:{other-id}", want: ends(exitOK, "granted")},
		{name: "grant in another case", command: "role grant {ADA} analyst", want: ends(exitOK, "unchanged")},
		{name: "grant a role beside another", command: "role grant {ada} responder", want: ends(exitOK, "granted"), differs: second},
		{name: "grant two roles", command: "role grant {ben} analyst responder", want: ends(exitOK, "granted"), differs: several},
		{name: "grant a role that is held", command: "role grant {ada} analyst", want: ends(exitOK, "unchanged")},
		{name: "grant, dry run", command: "--dry-run role grant {ben} analyst", want: ends(exitOK, "planned")},
		{
			name: "grant an unknown role", command: "role grant {ben} no_such_role", want: ends(exitNotFound, "failed"),
			check: func(s *scene, c vendorConsole, _ finished) { assert.Empty(s.t, s.writes(c)) },
		},
		{name: "grant a role as written that is unknown", command: "role grant {ben} id:{missing-id}", want: ends(exitNotFound, "failed")},
		{name: "grant to nobody", command: "role grant {nobody} analyst", want: ends(exitNotFound, "failed")},
		{name: "grant to nobody, dry run", command: "--dry-run role grant {nobody} analyst", want: ends(exitNotFound, "failed")},
		{
			name: "grant for a time", command: "role grant {ben} analyst --expires 8h", want: ends(exitOK, "granted"), differs: endless,
		},
		{
			name: "grant for a time beside a lasting role", command: "role grant {ada} responder --expires 8h",
			want: ends(exitOK, "granted"), differs: beside,
		},
		{name: "grant until yesterday", command: "role grant {ben} analyst --expires 2001-01-01", want: ends(exitUsage, "")},
		{name: "set what is held", command: "role set {ada} analyst", want: ends(exitOK, "unchanged")},
		{
			name: "set another role", command: "role set {ada} responder", want: ends(exitOK, "updated"), totp: true,
			check: func(s *scene, c vendorConsole, _ finished) {
				assert.Equal(s.t, []string{c.words["other-id"]}, s.account(c, personAda).roles)
			},
		},
		{name: "set the first role", command: "role set {ben} analyst", want: ends(exitOK, "updated")},
		{name: "set two roles", command: "role set {ada} analyst responder", want: ends(exitOK, "updated"), differs: several},
		{name: "set, dry run", command: "--dry-run role set {ada} responder", want: ends(exitOK, "planned")},
		{name: "set an unknown role", command: "role set {ada} no_such_role", want: ends(exitNotFound, "failed")},
		{name: "set a role of nobody", command: "role set {nobody} analyst", want: ends(exitNotFound, "failed")},
	}
}

// revokeSituations are about taking roles.
func revokeSituations() []situation {
	noGroups := func(why string) difference { return difference{never: true, why: why} }
	return []situation{
		{
			name: "revoke", command: "role revoke {ada} analyst", want: ends(exitOK, "revoked"),
			check: func(s *scene, c vendorConsole, _ finished) { assert.Empty(s.t, s.account(c, personAda).roles) },
		},
		{name: "revoke a role that is not held", command: "role revoke {ada} responder", want: ends(exitOK, "unchanged")},
		{name: "revoke an unknown role", command: "role revoke {ada} no_such_role", want: ends(exitNotFound, "failed")},
		{name: "revoke from nobody", command: "role revoke {nobody} analyst", want: ends(exitNotFound, "failed")},
		{name: "revoke, dry run", command: "--dry-run role revoke {ada} analyst", want: ends(exitOK, "planned")},
		{
			name: "revoke all", command: "role revoke {ada} --all --yes", want: ends(exitOK, "revoked"),
			check: func(s *scene, c vendorConsole, _ finished) { assert.Empty(s.t, s.account(c, personAda).roles) },
		},
		{name: "revoke all of nothing", command: "role revoke {ben} --all --yes", want: ends(exitOK, "unchanged")},
		{name: "revoke all, unconfirmed", command: "role revoke {ada} --all", want: ends(exitRefused, "")},
		{name: "revoke all, dry run", command: "--dry-run role revoke {ada} --all", want: ends(exitOK, "planned")},
		{
			name: "revoke an inherited role", command: "role revoke {eve} id:{inherited}", want: ends(exitUnsupported, "unsupported"),
			differs: map[string]difference{
				"carbonblack":        noGroups("Carbon Black Cloud has no groups that give roles"),
				"cybereason":         noGroups("Cybereason has no groups that give roles"),
				"crowdstrike-legacy": {never: true, because: provision.CanListUsers},
			},
		},
		{name: "revoke without saying what", command: "role revoke {ada}", want: ends(exitUsage, "")},
	}
}
