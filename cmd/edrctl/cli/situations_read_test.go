package cli

import (
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
)

func readSituations() []situation {
	return []situation{
		{
			name: "show a user", command: "user get {ada}", want: ends(exitOK, ""), totp: true,
			check: func(s *scene, c vendorConsole, r finished) {
				s.shows(r, personAda)
				role := objects(r.items[0]["roles"])[0]
				assert.Equal(s.t, c.words["role-id"], role["id"])
				assert.Equal(s.t, c.words["role"], role["name"])
				assert.Equal(s.t, true, role["direct"])
			},
		},
		{
			name: "show a user in another case", command: "user get {ADA}", want: ends(exitOK, ""),
			check: func(s *scene, _ vendorConsole, r finished) { s.shows(r, personAda) },
		},
		{
			name: "show nobody", command: "user get {nobody}", want: ends(exitNotFound, ""),
			check: func(s *scene, _ vendorConsole, r finished) { assert.Equal(s.t, "not-found", r.errorCode()) },
		},
		{name: "show somebody who has no address", command: "user get nobody", want: ends(exitUsage, "")},
		{
			name: "list all users", command: "user list", want: ends(exitOK, ""), totp: true,
			check: func(s *scene, c vendorConsole, r finished) {
				assert.Len(s.t, r.items, len(objects(stateOf(s.t, s.server(c))["users"])))
				s.shows(r, personAda, personBen)
			},
		},
		{
			name: "list those who hold a role", command: "user list --role analyst", want: ends(exitOK, ""),
			check: func(s *scene, c vendorConsole, r finished) {
				s.shows(r, personAda)
				for _, u := range r.items {
					assert.NotEqual(s.t, personBen, u["login"])
					held := objects(u["roles"])
					assert.True(s.t, slices.ContainsFunc(held, func(h object) bool { return h["id"] == c.words["role-id"] }), u["login"])
				}
			},
		},
		{
			name: "list the roles", command: "role list", want: ends(exitOK, ""),
			check: func(s *scene, c vendorConsole, r finished) {
				found := map[string]string{}
				for _, role := range r.items {
					found[role["id"].(string)] = role["name"].(string)
				}
				assert.Equal(s.t, c.words["role"], found[c.words["role-id"]])
				assert.Equal(s.t, c.words["other"], found[c.words["other-id"]])
			},
		},
	}
}

// detailSituations are about names, phone numbers and vendor options.
func detailSituations() []situation {
	old := difference{ending: ends(exitUnsupported, "unsupported"), because: provision.CanUpdateUser}
	nameless := difference{ending: ends(exitUnsupported, "unsupported"), because: provision.CanStoreName}
	noPhone := difference{ending: ends(exitUnsupported, "unsupported"), because: provision.CanStorePhone}
	names := map[string]difference{"cybereason": nameless, "cortex-xdr3": old}
	return []situation{
		{
			name: "change a detail", command: "user update {ada} {detail}", want: ends(exitOK, "updated"),
			differs: map[string]difference{"cortex-xdr3": old},
			check: func(s *scene, _ vendorConsole, r finished) {
				if r.status == exitOK {
					assert.Equal(s.t, "unchanged", s.run("user update {ada} {detail}").outcome(), "it is there")
				}
			},
		},
		{
			name: "change a name", command: "user update {ada} --last-name Reyes", want: ends(exitOK, "updated"), differs: names,
			check: func(s *scene, _ vendorConsole, r finished) {
				if r.status == exitOK {
					shown := s.run("user get {ada}").items[0]
					assert.Equal(s.t, "Ada Reyes", shown["firstName"].(string)+" "+shown["lastName"].(string))
				}
			},
		},
		{name: "change a name to what it is", command: "user update {ada} --last-name Moreau", want: ends(exitOK, "unchanged"), differs: names},
		{
			name: "change a phone number", command: "user update {ada} --phone +46555010199", want: ends(exitOK, "updated"),
			differs: map[string]difference{"crowdstrike": noPhone, "cybereason": noPhone, "cortex-xdr3": old},
		},
		{
			name: "change a detail of nobody", command: "user update {nobody} {detail}", want: ends(exitNotFound, "failed"),
			differs: map[string]difference{"cortex-xdr3": old},
		},
		{
			name: "change a detail, dry run", command: "--dry-run user update {ada} {detail}", want: ends(exitOK, "planned"),
		},
		{name: "change nothing", command: "user update {ada}", want: ends(exitUsage, "")},
		{name: "change a detail that does not exist", command: "user update {ada} --set {vendor}.colour=red", want: ends(exitUsage, "")},
		{
			name: "reset the second factor", command: "user reset-mfa {ada}", want: ends(exitOK, "updated"),
			differs: map[string]difference{
				"crowdstrike-legacy": {ending: ends(exitUnsupported, "unsupported"), because: provision.CanResetMFA},
				"cortex":             {ending: ends(exitUnsupported, "unsupported"), because: provision.CanResetMFA},
				"cybereason":         {ending: ends(exitUnsupported, "unsupported"), because: provision.CanResetMFA},
			},
		},
		{
			name: "reset the second factor of nobody", command: "user reset-mfa {nobody}", want: ends(exitNotFound, "failed"),
			differs: map[string]difference{
				"crowdstrike-legacy": {ending: ends(exitUnsupported, "unsupported"), because: provision.CanResetMFA},
				"cortex":             {ending: ends(exitUnsupported, "unsupported"), because: provision.CanResetMFA},
				"cybereason":         {ending: ends(exitUnsupported, "unsupported"), because: provision.CanResetMFA},
			},
		},
		{
			name: "reset the password", command: "user reset-password {ada}", want: ends(exitOK, "updated"),
			differs: map[string]difference{
				"crowdstrike-legacy": {ending: ends(exitUnsupported, "unsupported"), because: provision.CanResetPassword},
				"carbonblack":        {ending: ends(exitUnsupported, "unsupported"), because: provision.CanResetPassword},
				"cortex":             {ending: ends(exitUnsupported, "unsupported"), because: provision.CanResetPassword},
				"cybereason":         {ending: ends(exitUnsupported, "unsupported"), because: provision.CanResetPassword},
			},
		},
	}
}

// shows fails unless all of these are among the items.
func (s *scene) shows(r finished, logins ...string) {
	s.t.Helper()
	var shown []string
	for _, item := range r.items {
		shown = append(shown, item["login"].(string))
	}
	assert.Subset(s.t, shown, logins)
}

// errorCode is that of the first failure there is.
func (r finished) errorCode() string {
	for _, holder := range append(append([]object{{"error": r.failure}}, r.errors...), r.items...) {
		if e, ok := holder["error"].(object); ok && e != nil {
			return strings.TrimSpace(e["code"].(string))
		}
	}
	return ""
}
