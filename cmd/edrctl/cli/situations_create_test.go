package cli

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// invites is how a create ends where it is an invitation.
func invites() difference {
	return difference{ending: ends(exitOK, "invited"), because: provision.CanCreateUser}
}

// makesNone is how a create ends where accounts are not made by the API.
func makesNone() difference {
	return difference{ending: ends(exitUnsupported, "unsupported"), because: provision.CanCreateUser}
}

// adopts is how a create of somebody who is listed ends there.
func adopts(outcome string) difference {
	return difference{
		ending: ending{exitOK, plan.Outcome(outcome)}, because: provision.CanCreateUser,
		why: "a create gives the roles to an account that is listed",
	}
}

// createSituations are creates of somebody who is not there.
func createSituations() []situation {
	made := map[string]difference{"carbonblack": invites(), "cortex": makesNone()}
	unlisted := map[string]difference{"cortex": makesNone()}
	named := func(role string) string { return "user create {nobody} --role " + role + " {password}" }
	return []situation{
		{name: "create", command: "user create {nobody} {password}", want: ends(exitOK, "created"), differs: made, totp: true},
		{
			name: "create with names", command: "user create {nobody} --first-name Nia --last-name Okoro {password}",
			want: ends(exitOK, "created"), differs: made,
		},
		{name: "create with a role by alias", command: named("analyst"), want: ends(exitOK, "created"), differs: made},
		{name: "create with a role by display name", command: named("{role}"), want: ends(exitOK, "created"), differs: made},
		{name: "create with a role by id", command: named("{role-id}"), want: ends(exitOK, "created"), differs: made},
		{name: "create with a role as written", command: named("id:{role-id}"), want: ends(exitOK, "created"), differs: made},
		{
			name: "create with two roles", command: named("analyst,responder"), want: ends(exitOK, "created"),
			differs: map[string]difference{"carbonblack": invites(), "cortex": makesNone()},
		},
		{
			name: "create with an unknown role", command: named("no_such_role"), want: ends(exitNotFound, "failed"),
			check: func(s *scene, c vendorConsole, _ finished) { assert.Empty(s.t, s.writes(c)) },
		},
		{
			name: "create with a role as written that is unknown", command: named("id:{missing-id}"), want: ends(exitNotFound, "failed"),
			differs: map[string]difference{
				"crowdstrike": {ending: ends(exitPartial, "created"), because: provision.CanCreateUser},
				"cortex":      makesNone(),
			},
		},
		{name: "create, dry run", command: "--dry-run " + named("analyst"), want: ends(exitOK, "planned"), differs: unlisted},
		{
			name: "create in a foreign domain", command: "user create nia@elsewhere.test {password}", want: ends(exitInvalid, "failed"),
			differs: unlisted,
		},
		{
			name: "create in a foreign domain, dry run", command: "--dry-run user create nia@elsewhere.test {password}",
			want: ends(exitInvalid, "failed"),
			differs: map[string]difference{
				"crowdstrike-legacy": {ending: ends(exitOK, "planned"), because: provision.CanDryRunCreate},
				"carbonblack":        {ending: ends(exitOK, "planned"), because: provision.CanDryRunCreate},
				"cybereason":         {ending: ends(exitOK, "planned"), because: provision.CanDryRunCreate},
				"cortex":             makesNone(),
			},
		},
		{
			name: "create without a password", command: "user create {nobody}", want: ends(exitOK, "created"),
			differs: map[string]difference{
				"carbonblack": invites(), "cortex": makesNone(),
				"cybereason": {ending: ends(exitUsage, ""), because: provision.CanCreateUser},
			},
			check: func(s *scene, c vendorConsole, _ finished) {
				if c.vendor == "cybereason" {
					assert.Empty(s.t, s.server(c).Requests(), "it is known before anything is sent")
				}
			},
		},
		{
			name:    "create with a generated password",
			command: "user create {nobody} --generate-password --password-out {dir}/passwords.jsonl",
			want:    ends(exitOK, "created"), differs: made, check: checkPasswordOut,
		},
		{
			name: "create with a password that is too weak", command: "user create {nobody} --password=env:WEAK",
			environ: []string{"WEAK=abc"}, want: ends(exitInvalid, "failed"),
			differs: map[string]difference{
				"crowdstrike": {ending: ends(exitOK, "created"), because: provision.CanCreateUser, why: "the password is not used"},
				"carbonblack": invites(), "cortex": makesNone(),
			},
		},
		{name: "create with an unknown option", command: "user create {nobody} --set {vendor}.colour=red {password}", want: ends(exitUsage, "")},
		{
			name: "create twice at once", command: "user create {nobody} Nia.Okoro@example.com {password}", want: ends(exitUsage, ""),
		},
	}
}

// checkPasswordOut finds the password of a new account where the vendor wants
// one, and no file where it does not.
func checkPasswordOut(s *scene, c vendorConsole, _ finished) {
	path := filepath.Join(s.dir, "passwords.jsonl")
	if c.vendor != "cybereason" {
		assert.NoFileExists(s.t, path)
		return
	}
	data, err := os.ReadFile(path)
	require.NoError(s.t, err)
	var line map[string]string
	require.NoError(s.t, json.Unmarshal(data, &line))
	assert.Equal(s.t, "cybereason "+personNobody, line["tenant"]+" "+line["login"])
	assert.Len(s.t, line["password"], 20)
	info, err := os.Stat(path)
	require.NoError(s.t, err)
	assert.Equal(s.t, os.FileMode(0o600), info.Mode().Perm())
}

// strictCreateSituations are creates of somebody who is there.
func strictCreateSituations() []situation {
	pending := map[string]difference{
		"carbonblack": {ending: ends(exitNotFound, "failed"), because: provision.CanListUsers},
		"cortex":      {never: true, because: provision.CanCreateUser},
	}
	second := difference{ending: ends(exitConflict, "failed"), because: provision.CanChangeRoles, why: adopts("").why}
	return []situation{
		{
			name: "create somebody who is there", command: "user create {ada} --role analyst {password}", want: ends(exitConflict, "failed"),
			differs: map[string]difference{"cortex": adopts("unchanged")},
			check: func(s *scene, _ vendorConsole, r finished) {
				if r.status != exitOK {
					assert.Equal(s.t, "exists", r.errorCode())
				}
			},
		},
		{
			name: "create somebody who is there, in another case", command: "user create {ADA} --role analyst {password}",
			want: ends(exitConflict, "failed"), differs: map[string]difference{"cortex": adopts("unchanged")},
		},
		{
			name: "create somebody who is there without roles", command: "user create {ben} --role analyst {password}",
			want: ends(exitConflict, "failed"), differs: map[string]difference{"cortex": adopts("granted")},
		},
		{
			name: "create somebody who is there, dry run", command: "--dry-run user create {ada} --role analyst {password}",
			want: ends(exitConflict, "failed"), differs: map[string]difference{"cortex": adopts("unchanged")},
		},
		{
			name:    "create somebody unless there",
			command: "user create {ada} --role analyst --if-not-exists {password}", want: ends(exitOK, "unchanged"), totp: true,
		},
		{
			name:    "create somebody unless there, with another role",
			command: "user create {ada} --role responder --if-not-exists {password}", want: ends(exitOK, "unchanged"),
			differs: map[string]difference{"cortex": second},
			check: func(s *scene, c vendorConsole, r finished) {
				if r.status == exitOK {
					assert.Contains(s.t, r.items[0]["message"], c.words["other-id"], "it names the role that is not held")
				}
			},
		},
		{
			name: "create somebody unless there, twice", before: []string{"user create {nobody} --role analyst {password}"},
			command: "user create {nobody} --role analyst --if-not-exists {password}", want: ends(exitOK, "unchanged"),
			differs: map[string]difference{
				"carbonblack": {ending: ends(exitOK, "invited"), because: provision.CanListUsers},
				"cortex":      {never: true, because: provision.CanCreateUser},
			},
		},
		{
			name: "create somebody twice", before: []string{"user create {nobody} --role analyst {password}"},
			command: "user create {nobody} --role analyst {password}", want: ends(exitConflict, "failed"),
			differs: map[string]difference{"cortex": {never: true, because: provision.CanCreateUser}},
		},
		{
			name: "show somebody who was just created", before: []string{"user create {nobody} --role analyst {password}"},
			command: "user get {nobody}", want: ends(exitOK, ""),
			differs: map[string]difference{
				"carbonblack": {ending: ends(exitNotFound, ""), because: provision.CanListUsers},
				"cortex":      {never: true, because: provision.CanCreateUser},
			},
		},
		{
			name: "grant to somebody who was just created", before: []string{"user create {nobody} --role analyst {password}"},
			command: "role grant {nobody} responder", want: ends(exitOK, "granted"), differs: pending,
			check: saysPending,
		},
		{
			name: "delete somebody who was just created", before: []string{"user create {nobody} --role analyst {password}"},
			command: "user delete {nobody} --yes", want: ends(exitOK, "deleted"), differs: pending,
			check: saysPending,
		},
		{
			name: "create two, one of them there", command: "user create {nobody} {ada} --role analyst {password}",
			want: ends(exitPartial, ""),
			check: func(s *scene, c vendorConsole, r finished) {
				assert.Len(s.t, r.items, 2)
				assert.Equal(s.t, 1, s.account(c, personAda).listed)
			},
		},
	}
}

// saysPending finds the reason why somebody who was just created is not found.
func saysPending(s *scene, c vendorConsole, r finished) {
	if c.vendor == "carbonblack" {
		assert.Contains(s.t, r.stderr, "invited")
		assert.Equal(s.t, 1, s.account(c, personNobody).invited, "the invitation stands")
	}
}
