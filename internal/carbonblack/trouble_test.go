package carbonblack_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// TestThrottled has several workers meet a limit. None of them may send
// anything before the time is over: the vendor would prolong it.
func TestThrottled(t *testing.T) {
	x := open(t)
	require.NoError(t, x.server.Fault(mock.Fault{Method: "POST", Path: "/users", Action: "429", RetryAfter: 1}))
	var wg sync.WaitGroup
	for _, login := range []string{tomas, "a@example.com", "b@example.com", "c@example.com"} {
		wg.Go(func() {
			_, err := x.CreateUser(t.Context(), provision.UserSpec{Login: login, Roles: []string{level1}})
			assert.NoError(t, err, login)
		})
	}
	wg.Wait()
	assert.Len(t, x.state().Pending, 5)
}

func TestThrottledInTurn(t *testing.T) {
	x := open(t)
	require.NoError(t, x.server.Fault(mock.Fault{Path: "/profiles/", Action: "429", RetryAfter: 1}))
	_, err := x.ChangeRoles(t.Context(), ines, provision.RoleChange{Grant: []string{viewAll}})
	require.NoError(t, err)
	raw, err := json.Marshal(x.server.State())
	require.NoError(t, err)
	var state struct{ EarlyRequests int }
	require.NoError(t, json.Unmarshal(raw, &state))
	assert.Zero(t, state.EarlyRequests)
	assert.Equal(t, []string{"GET users", "POST _fetch", "PUT profile", "PUT profile", "GET grant"}, x.sent())
}

// TestPortal has something else answer in the place of the API.
func TestPortal(t *testing.T) {
	tests := []struct {
		method, path string
		do           func(x *tenant) error
		want         provision.Kind
	}{
		{"GET", "/users", func(x *tenant) error { _, err := x.User(x.t.Context(), ines); return err }, provision.ErrInternal},
		{"POST", "/users", func(x *tenant) error {
			_, err := x.CreateUser(x.t.Context(), provision.UserSpec{Login: tomas})
			return err
		}, provision.ErrUncertain},
		{"DELETE", "/users/", func(x *tenant) error { _, err := x.DeleteUser(x.t.Context(), lea); return err }, provision.ErrUncertain},
		{"DELETE", "/grants/", func(x *tenant) error { _, err := x.DeleteUser(x.t.Context(), ines); return err }, provision.ErrUncertain},
		{"DELETE", "/google-auth", func(x *tenant) error {
			return x.Reset(x.t.Context(), ines, provision.CredentialMFA)
		}, provision.ErrUncertain},
		{"PUT", "/profiles/", func(x *tenant) error {
			_, err := x.ChangeRoles(x.t.Context(), ines, provision.RoleChange{Grant: []string{viewAll}})
			return err
		}, provision.ErrUncertain},
	}
	for _, tt := range tests {
		t.Run(tt.method+tt.path, func(t *testing.T) {
			x := open(t)
			require.NoError(t, x.server.Fault(mock.Fault{Method: tt.method, Path: tt.path, Action: "html", Count: -1}))
			require.ErrorIs(t, tt.do(x), tt.want)
		})
	}
}

// TestErrorKeys finds the vendor's text wherever it is.
func TestErrorKeys(t *testing.T) {
	for _, key := range []string{"message", "description", "error_code", "errorMessage", "error", "text"} {
		x := open(t, "error-key="+key, "permission=none")
		_, err := x.User(t.Context(), ines)
		require.ErrorIs(t, err, provision.ErrForbidden, key)
		want := "lacks Manage Users"
		if key == "error_code" {
			want = "FORBIDDEN"
		}
		require.ErrorContains(t, err, want)
	}
}

// TestSuccessBelied has every answer be a 2xx with an error in it.
func TestSuccessBelied(t *testing.T) {
	x := open(t, "error-message-on-2xx=reads")
	_, err := x.User(t.Context(), ines)
	require.ErrorIs(t, err, provision.ErrUnavailable)

	for name, do := range map[string]func(x *tenant) error{
		"delete": func(x *tenant) error { _, err := x.DeleteUser(x.t.Context(), ines); return err },
		"reset":  func(x *tenant) error { return x.Reset(x.t.Context(), ines, provision.CredentialMFA) },
		"update": func(x *tenant) error {
			first := "I"
			_, _, err := x.UpdateUser(x.t.Context(), ines, provision.UserPatch{FirstName: &first})
			return err
		},
		"grant": func(x *tenant) error {
			_, err := x.ChangeRoles(x.t.Context(), ines, provision.RoleChange{Grant: []string{viewAll}})
			return err
		},
	} {
		x := open(t, "error-message-on-2xx=writes:1")
		require.ErrorIs(t, do(x), provision.ErrUncertain, name)
		require.NoError(t, do(x), "%s again", name)
	}
}
