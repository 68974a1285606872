package cli

import (
	"os"
	"path/filepath"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// refusalSituations are a vendor that does not let us in, cannot be reached or
// is not the one it should be.
func refusalSituations() []situation {
	wrong := []string{"EDRCTL_{TENANT}_{SECRET}={wrong}"}
	down := []string{"EDRCTL_{TENANT}_URL=https://127.0.0.1:1"}
	nameless := []string{"EDRCTL_{TENANT}_URL=https://edrctl.invalid"}
	once := func(s *scene, c vendorConsole, r finished) {
		assert.Equal(s.t, "auth", r.errorCode())
		assert.LessOrEqual(s.t, s.refused(c), 1, "credentials that are refused are not tried again")
	}
	unreached := func(s *scene, c vendorConsole, r finished) {
		assert.Equal(s.t, "unavailable", r.errorCode())
		assert.Empty(s.t, s.server(c).Requests())
	}
	return []situation{
		{name: "read with a wrong secret", environ: wrong, command: "user get {ada}", want: ends(exitAuth, ""), check: once},
		{name: "list with a wrong secret", environ: wrong, command: "user list", want: ends(exitAuth, ""), check: once},
		{name: "grant with a wrong secret", environ: wrong, command: "role grant {ben} id:{role-id}", want: ends(exitAuth, "failed"), check: once},
		{name: "delete with a wrong secret", environ: wrong, command: "user delete {ada} --yes", want: ends(exitAuth, "failed"), check: once},
		{
			name: "read without permission", prepare: func(s *scene) { s.take(s.consoles[0].locked) },
			command: "user get {ada}", want: ends(exitAuth, ""),
			check: func(s *scene, _ vendorConsole, r finished) { assert.Equal(s.t, "forbidden", r.errorCode()) },
		},
		{
			name: "grant without permission", prepare: func(s *scene) { s.take(s.consoles[0].looking) },
			command: "role grant {ben} id:{role-id}", want: ends(exitAuth, "failed"),
			check: func(s *scene, _ vendorConsole, r finished) { assert.Equal(s.t, "forbidden", r.errorCode()) },
		},
		{
			name: "create without permission", prepare: func(s *scene) { s.take(s.consoles[0].looking) },
			command: "user create {nobody} --role id:{role-id} {password}", want: ends(exitAuth, "failed"),
			differs: map[string]difference{"cortex": makesNone()},
		},
		{
			name: "delete without permission", prepare: func(s *scene) { s.take(s.consoles[0].looking) },
			command: "user delete {ada} --yes", want: ends(exitAuth, "failed"),
		},
		{name: "read from a host that is down", waits: true, environ: down, command: "user get {ada}", want: ends(exitUnavailable, ""), check: unreached},
		{name: "grant at a host that is down", waits: true, environ: down, command: "role grant {ben} id:{role-id}", want: ends(exitUnavailable, "failed"), check: unreached},
		{
			name: "create at a host that is down", waits: true, environ: down, command: "user create {nobody} --role id:{role-id} {password}",
			want: ends(exitUnavailable, "failed"), check: unreached,
		},
		{
			name: "read from a host that has no address", waits: true, environ: nameless, command: "--timeout 2s user get {ada}",
			want: ends(exitUnavailable, ""), check: unreached,
		},
		{
			name: "read from a host that nobody vouches for", environ: []string{"EDRCTL_{TENANT}_CA_FILE={dir}/other-ca.pem"},
			prepare: (*scene).distrust, command: "user get {ada}", want: ends(exitAuth, ""),
			check: func(s *scene, c vendorConsole, r finished) {
				assert.Equal(s.t, "untrusted", r.errorCode())
				assert.Empty(s.t, s.server(c).Requests())
			},
		},
		{
			name: "grant at a host that nobody vouches for", environ: []string{"EDRCTL_{TENANT}_CA_FILE={dir}/other-ca.pem"},
			prepare: (*scene).distrust, command: "role grant {ben} id:{role-id}", want: ends(exitAuth, "failed"),
		},
	}
}

// brokenSituations are a vendor that throttles or answers with something else
// than what was asked for.
func brokenSituations() []situation {
	signedIn := []string{"user get {ben}"} // so that the fault meets the list and not the sign-in
	made := map[string]difference{"carbonblack": invites(), "cortex": makesNone()}
	return []situation{
		{name: "read, throttled for a moment", waits: true, before: signedIn, faults: []string{"list 429"}, command: "user get {ada}", want: ends(exitOK, "")},
		{name: "grant, throttled for a moment", waits: true, faults: []string{"grant 429"}, command: "role grant {ben} analyst", want: ends(exitOK, "granted")},
		{
			name: "create, throttled for a moment", waits: true, prepare: func(s *scene) { s.faultAt(s.consoles[0], "create 429") }, command: "user create {nobody} {password}",
			want: ends(exitOK, "created"), differs: made,
		},
		{
			name: "read, throttled for long", before: signedIn, faults: []string{"any 429 -1"}, command: "--max-wait 1ms user get {ada}",
			want:  ends(exitUnavailable, ""),
			check: func(s *scene, _ vendorConsole, r finished) { assert.Equal(s.t, "rate-limited", r.errorCode()) },
		},
		{
			name: "grant, throttled for long", faults: []string{"grant 429 -1"}, command: "--max-wait 1ms role grant {ben} id:{role-id}",
			want:  ends(exitUnavailable, "failed"),
			check: func(s *scene, _ vendorConsole, r finished) { assert.Equal(s.t, "rate-limited", r.errorCode()) },
		},
		{
			name: "create, throttled for long", prepare: func(s *scene) { s.faultAt(s.consoles[0], "create 429 -1") },
			command: "--max-wait 1ms user create {nobody} {password}", want: ends(exitUnavailable, "failed"),
			differs: map[string]difference{"cortex": makesNone()},
		},
		{name: "read that fails twice", waits: true, before: signedIn, faults: []string{"list 503 2"}, command: "user get {ada}", want: ends(exitOK, "")},
		{
			name: "read that is cut off once", waits: true, before: signedIn, faults: []string{"list truncate"}, command: "user get {ada}", want: ends(exitOK, ""),
		},
		{name: "read that is dropped once", waits: true, before: signedIn, faults: []string{"list drop-before"}, command: "user get {ada}", want: ends(exitOK, "")},
		{
			name: "read answered by a portal once", waits: true, before: signedIn, faults: []string{"list html"}, command: "user get {ada}", want: ends(exitOK, ""),
		},
		{
			name: "read always answered by a portal", waits: true, before: signedIn, faults: []string{"list html -1"}, command: "user get {ada}", want: ends(exitInternal, ""),
			check: func(s *scene, _ vendorConsole, r finished) { assert.Contains(s.t, r.stderr, "Sign in to the network") },
		},
		{
			name: "grant where reading always fails", waits: true, before: signedIn, faults: []string{"list 503 -1"}, command: "role grant {ben} id:{role-id}",
			want:  ends(exitUnavailable, "failed"),
			check: func(s *scene, c vendorConsole, _ finished) { assert.Empty(s.t, s.writes(c)) },
		},
		{
			name: "session that ends on the way", before: signedIn,
			faults: []string{"list expire-session"}, command: "role grant {ben} analyst", want: ends(exitOK, "granted"),
		},
	}
}

// lostSituations are changes whose answer does not arrive, or says nothing of
// what happened.
func lostSituations() []situation {
	var all []situation
	unsettled := difference{ending: ends(exitUnknown, "unknown"), because: provision.CanListUsers}
	creates := map[string]difference{"carbonblack": unsettled, "cortex": {never: true, because: provision.CanCreateUser}}
	deletes := map[string]difference{"cortex": staysBehind()}
	for _, action := range []string{"drop-after", "drop-before", "reset", "truncate", "after-500", "500", "after-502", "html"} {
		all = append(all, situation{
			name: "create, " + action, faults: []string{"create " + action}, want: ends(exitOK, "created"), differs: creates,
			command: "user create {nobody} --role id:{role-id} {password}",
			totp:    action == "drop-after",
		}, situation{
			name: "grant, " + action, faults: []string{"grant " + action}, want: ends(exitOK, "granted"),
			command: "role grant {ben} analyst",
		}, situation{
			name: "revoke all, " + action, faults: []string{"revoke " + action}, want: ends(exitOK, "revoked"),
			command: "role revoke {ada} --all --yes",
		}, situation{
			name: "delete, " + action, faults: []string{"delete " + action}, want: ends(exitOK, "deleted"), differs: deletes,
			command: "user delete {ada} --yes",
		}, situation{
			name: "update, " + action, faults: []string{"update " + action}, want: ends(exitOK, "updated"),
			command: "user update {ada} {detail}",
			differs: map[string]difference{"cortex-xdr3": {ending: ends(exitUnsupported, "unsupported"), because: provision.CanUpdateUser}},
		})
	}
	return append(
		all,
		situation{
			name: "create, lost each time and not done", faults: []string{"create drop-before 3"}, want: ends(exitUnknown, "unknown"),
			command: "user create {nobody} --role id:{role-id} {password}",
			differs: map[string]difference{"cortex": {never: true, because: provision.CanCreateUser}},
			check:   func(s *scene, c vendorConsole, _ finished) { assert.Zero(s.t, s.account(c, personNobody).listed) },
		},
		situation{
			name: "create, lost twice and done the second time", faults: []string{"create drop-before", "create drop-after"},
			want: ends(exitOK, "created"), differs: creates, command: "user create {nobody} --role id:{role-id} {password}",
		},
		situation{
			name: "create, lost, and nothing can be read then", waits: true, faults: []string{"create drop-after", "list 503 -1"},
			want: ends(exitUnknown, "unknown"), command: "user create {nobody} --role id:{role-id} {password}",
			differs: map[string]difference{"cortex": {never: true, because: provision.CanCreateUser}},
			before:  []string{"user get {ben}"},
		},
		situation{
			name: "grant, lost for ever", faults: []string{"grant drop-before -1"}, want: ends(exitUnknown, "unknown"),
			command: "role grant {ben} analyst",
		},
	)
}

// take takes a permission from the credentials.
func (s *scene) take(turn [2]string) {
	require.NoError(s.t, s.server(s.consoles[0]).Set(turn[0], turn[1]))
}

// refused is how often the fake has turned credentials down.
func (s *scene) refused(c vendorConsole) int {
	n := 0
	for _, r := range s.server(c).Requests() {
		if r.Status == 401 || r.Method == "POST" && (r.Path == "/login.html" || r.Path == "/oauth2/token") {
			n++
		}
	}
	return n
}

// distrust writes the certificate of an authority that has nothing to do with
// the fake.
func (s *scene) distrust() {
	others, err := mock.Start(s.t.Context(), mock.Options{Makers: mocks()[:1]})
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, others.Close()) }()
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, "other-ca.pem"), others.CAPEM(), 0o600))
}
