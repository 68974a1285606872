package cli

import (
	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
)

// staysBehind is how a delete ends where accounts cannot be removed.
func staysBehind() difference {
	return difference{ending: ends(exitOK, "revoked"), because: provision.CanDeleteUser}
}

func deleteSituations() []situation {
	stays := map[string]difference{"cortex": staysBehind()}
	return []situation{
		{
			name: "delete", command: "user delete {ada} --yes", want: ends(exitOK, "deleted"), differs: stays, totp: true,
			check: func(s *scene, c vendorConsole, _ finished) { assert.Empty(s.t, s.account(c, personAda).roles) },
		},
		{name: "delete in another case", command: "user delete {ADA} --yes", want: ends(exitOK, "deleted"), differs: stays},
		{name: "delete somebody without roles", command: "user delete {ben} --yes", want: ends(exitOK, "deleted"), differs: map[string]difference{
			"cortex-platform": staysBehind(),
			"cortex-xdr3":     {ending: ends(exitOK, "unchanged"), because: provision.CanDeleteUser},
		}},
		{name: "delete nobody", command: "user delete {nobody} --yes", want: ends(exitNotFound, "failed")},
		{name: "delete nobody if there", command: "user delete {nobody} --yes --if-exists", want: ends(exitOK, "absent")},
		{name: "delete, unconfirmed", command: "user delete {ada}", want: ends(exitRefused, "")},
		{name: "delete, dry run", command: "--dry-run user delete {ada}", want: ends(exitOK, "planned")},
		{name: "delete nobody, dry run", command: "--dry-run user delete {nobody}", want: ends(exitNotFound, "failed")},
		{
			name: "delete twice", before: []string{"user delete {ada} --yes"}, command: "user delete {ada} --yes", want: ends(exitNotFound, "failed"),
			differs: map[string]difference{"cortex": {ending: ends(exitOK, "unchanged"), because: provision.CanDeleteUser}},
		},
		{
			name: "delete twice if there", before: []string{"user delete {ada} --yes"}, command: "user delete {ada} --yes --if-exists",
			want:    ends(exitOK, "absent"),
			differs: map[string]difference{"cortex": {ending: ends(exitOK, "unchanged"), because: provision.CanDeleteUser}},
		},
		{
			name: "delete two", command: "user delete {ada} {ben} --yes", want: ends(exitOK, ""),
			check: func(s *scene, c vendorConsole, r finished) {
				assert.Len(s.t, r.items, 2)
				assert.Empty(s.t, s.account(c, personAda).roles)
			},
		},
		{
			name: "delete two, one of them nobody", command: "user delete {ada} {nobody} --yes", want: ends(exitPartial, ""),
			check: func(s *scene, c vendorConsole, r finished) {
				assert.Equal(s.t, "failed", r.items[1]["outcome"])
				assert.Empty(s.t, s.account(c, personAda).roles)
			},
		},
		{
			name: "delete somebody with a role from a group", command: "user delete {eve} --yes", want: ends(exitOK, "deleted"),
			differs: map[string]difference{
				"carbonblack":     {never: true, why: "Carbon Black Cloud has no groups that give roles"},
				"cybereason":      {never: true, why: "Cybereason has no groups that give roles"},
				"cortex-platform": staysBehind(),
				"cortex-xdr3":     {ending: ends(exitPartial, "revoked"), because: provision.CanDeleteUser},
			},
			check: func(s *scene, _ vendorConsole, r finished) {
				if r.status == exitPartial {
					assert.NotEmpty(s.t, r.items[0]["residualAccess"])
				}
			},
		},
	}
}

// guardSituations are what edrctl itself refuses.
func guardSituations() []situation {
	const protected = "guards:\n  protected: [ada.moreau@EXAMPLE.com]\n"
	unseen := difference{because: provision.CanListUsers, why: "so the list does not show who is the last"}
	gone, revoked := unseen, unseen
	gone.ending, revoked.ending = ends(exitOK, "deleted"), ends(exitOK, "revoked")
	return []situation{
		{name: "delete somebody protected", configure: protected, command: "user delete {ada} --yes", want: ends(exitRefused, "")},
		{name: "delete somebody protected, dry run", configure: protected, command: "--dry-run user delete {ada}", want: ends(exitRefused, "")},
		{name: "grant to somebody protected", configure: protected, command: "role grant {ada} responder", want: ends(exitRefused, "")},
		{name: "update somebody protected", configure: protected, command: "user update {ada} {detail}", want: ends(exitRefused, "")},
		{
			name: "create somebody protected", configure: "guards:\n  protected: [{nobody}]\n",
			command: "user create {nobody} --role analyst {password}", want: ends(exitRefused, ""),
		},
		{
			name: "delete somebody protected beside another", configure: protected, command: "user delete {ben} {ada} --yes",
			want: ends(exitRefused, ""),
		},
		{name: "delete too many", configure: "guards:\n  max-deletes: 1\n", command: "user delete {ada} {ben} --yes", want: ends(exitRefused, "")},
		{
			name: "delete the last administrator", command: "user delete {admin} --yes", want: ends(exitRefused, ""),
			differs: map[string]difference{"crowdstrike": gone},
		},
		{
			name: "take administration from the last who has it", command: "role revoke {admin} id:{admin-id}", want: ends(exitRefused, ""),
			differs: map[string]difference{"crowdstrike": revoked},
		},
		{
			name: "take all from the last administrator", command: "role revoke {admin} --all --yes", want: ends(exitRefused, ""),
			differs: map[string]difference{"crowdstrike": revoked},
		},
		{
			name: "set other roles for the last administrator", command: "role set {admin} analyst", want: ends(exitRefused, ""),
			differs: map[string]difference{"crowdstrike": {
				ending: ends(exitOK, "updated"), because: unseen.because, why: unseen.why,
			}},
		},
		{
			name:    "take administration from the last who has it, deliberately",
			command: "--allow-lockout role revoke {admin} id:{admin-id}", want: ends(exitOK, "revoked"),
		},
	}
}
