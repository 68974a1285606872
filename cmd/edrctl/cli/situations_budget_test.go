package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBudgets shows what commands cost in requests, from the sign-in on.
func TestBudgets(t *testing.T) {
	t.Parallel()
	platform, xdr3 := cortexPlatform(), cortexXDR3()
	falconSignIn := "POST /oauth2/token"
	cybereasonList := "GET /rest/users"
	for _, x := range []struct {
		name    string
		console vendorConsole
		environ []string
		// before are commands whose requests do not count.
		before  []string
		command string
		want    []string
	}{
		{
			name: "create, signing in", console: falcon(), command: "user create {nobody} --role id:{role-id}",
			want: []string{falconSignIn, "POST /entities/users/v1", "POST /user-role-actions/"},
		},
		{
			name: "create, signed in", console: falcon(), before: []string{"user get {ben}"}, command: "user create {nobody} --role id:{role-id}",
			want: []string{"POST /entities/users/v1", "POST /user-role-actions/"},
		},
		{
			name: "create with a role as written", console: carbonBlack(), command: "user create {nobody} --role id:{role-id}",
			want: []string{"POST /users", "GET /users"},
		},
		{
			name: "create with a role by name", console: carbonBlack(), command: "user create {nobody} --role analyst",
			want: []string{"GET /roles/permitted", "POST /users", "GET /users"},
		},
		{
			name: "create with a role by name, of a list that is kept", console: carbonBlack(), before: []string{"role list"},
			command: "user create {nobody} --role analyst", want: []string{"POST /users", "GET /users"},
		},
		{
			name: "grant the first role", console: carbonBlack(), command: "role grant {ben} id:{role-id}",
			want: []string{"GET /users", "POST /grants/_fetch", "POST /grants", "GET /grants/"},
		},
		{
			name: "grant a further role", console: carbonBlack(), before: []string{"role list"}, command: "role grant {ada} responder",
			want: []string{"GET /users", "POST /grants/_fetch", "PUT /grants/", "GET /grants/"},
		},
		{
			name: "set another role", console: carbonBlack(), command: "role set {ada} id:{other-id}",
			want: []string{"GET /users", "POST /grants/_fetch", "PUT /grants/", "GET /grants/"},
		},
		{
			// The role that is held has a name only; the list that is kept tells
			// its id, as it does that of the new one.
			name: "set another role by name, of a list that is kept", console: platform, before: []string{"role list"},
			command: "role set {ada} responder", want: []string{"GET /iam/v1/user", "PATCH /iam/v1/user/", "GET /iam/v1/user"},
		},
		{
			name: "grant the first role", console: platform, command: "role grant {ben} id:{role-id}",
			want: []string{"GET /iam/v1/user", "PATCH /iam/v1/user/", "GET /iam/v1/user"},
		},
		{
			// The generation is told; finding it out is a request more.
			name: "set another role", console: xdr3, environ: []string{"EDRCTL_CORTEX_GENERATION=xdr3"},
			command: "role set {ada} id:{other-id}", want: []string{"POST /rbac/get_users", "POST /rbac/set_user_role", "POST /rbac/get_users"},
		},
		{
			name: "set another role by name, of a list that is kept", console: xdr3, environ: []string{"EDRCTL_CORTEX_GENERATION=xdr3"},
			before: []string{"role list"}, command: "role set {ada} responder",
			want: []string{"POST /rbac/get_users", "POST /rbac/set_user_role", "POST /rbac/get_users"},
		},
		{
			name: "set another role, generation unknown", console: xdr3, command: "role set {ada} id:{other-id}",
			want: []string{"GET /iam/v1/user", "POST /rbac/get_users", "POST /rbac/set_user_role", "POST /rbac/get_users"},
		},
		{
			name: "grant, signed in", console: cybereasonConsole(), before: []string{"user get {ben}"}, command: "role grant {ben} analyst",
			want: []string{cybereasonList, "PUT /rest/users/", cybereasonList},
		},
		{
			name: "set another role, signed in", console: cybereasonConsole(), before: []string{"user get {ben}"}, command: "role set {ada} responder",
			want: []string{cybereasonList, "PUT /rest/users/", cybereasonList},
		},
	} {
		t.Run(x.console.name+"/"+x.name, func(t *testing.T) {
			t.Parallel()
			s := openScene(t, x.console)
			s.environ = x.environ
			for _, command := range x.before {
				require.Zero(t, s.run(command).status, command)
			}
			s.server(x.console).ClearRequests()
			r := s.run(x.command)
			require.Zero(t, r.status, r.String())
			var got []string
			for _, request := range s.server(x.console).Requests() {
				got = append(got, request.Method+" "+request.Path)
			}
			require.Len(t, got, len(x.want), "%v", got)
			for i, want := range x.want {
				method, part, _ := strings.Cut(want, " ")
				assert.True(t, strings.HasPrefix(got[i], method+" ") && strings.Contains(got[i], part), "%s is not %s", got[i], want)
			}
		})
	}
}
