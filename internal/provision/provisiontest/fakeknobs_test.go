package provisiontest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/provisiontest"
)

func newFake() *provisiontest.Fake { return provisiontest.NewFake(provisiontest.FakeOptions{}) }

func TestFakeFailNext(t *testing.T) {
	f := newFake()
	first, second := &provision.Error{Kind: provision.ErrConflict}, errors.New("second")
	f.FailNext(provisiontest.OpDelete, first)
	f.FailNext(provisiontest.OpDelete, second)
	_, err := f.User(t.Context(), provisiontest.FakePlain)
	require.NoError(t, err, "another operation")
	for _, want := range []error{first, second} {
		_, err = f.DeleteUser(t.Context(), provisiontest.FakePlain)
		require.ErrorIs(t, err, want)
	}
	assert.Empty(t, f.Changes())
	_, err = f.DeleteUser(t.Context(), provisiontest.FakePlain)
	require.NoError(t, err)

	f.FailNext(provisiontest.OpList, first)
	for _, err := range f.Users(t.Context(), provision.Filter{}) {
		require.ErrorIs(t, err, provision.ErrConflict)
	}
}

func TestFakeLoseNext(t *testing.T) {
	for name, applied := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.LoseNext(provisiontest.OpCreate, applied)
			spec := provision.UserSpec{Login: "new@example.com", Roles: []string{provisiontest.FakeRoleA}}
			_, err := f.CreateUser(t.Context(), spec)
			require.ErrorIs(t, err, provision.ErrUncertain)
			_, stored := f.Stored("NEW@example.com")
			assert.Equal(t, applied, stored)
			_, err = f.CreateUser(t.Context(), spec)
			if applied {
				require.ErrorIs(t, err, provision.ErrExists)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestFakeLag(t *testing.T) {
	f := newFake()
	f.Lag(2)
	_, err := f.CreateUser(t.Context(), provision.UserSpec{Login: "new@example.com"})
	require.NoError(t, err)
	for range 2 {
		_, err = f.User(t.Context(), "new@example.com")
		require.ErrorIs(t, err, provision.ErrNotFound)
	}
	_, err = f.User(t.Context(), "new@example.com")
	require.NoError(t, err)
	_, stored := f.Stored("new@example.com")
	assert.True(t, stored)
}

func TestFakeForbidAndThrottle(t *testing.T) {
	f := newFake()
	f.Forbid(true)
	_, err := f.DeleteUser(t.Context(), provisiontest.FakePlain)
	require.ErrorIs(t, err, provision.ErrForbidden)
	id, err := f.Check(t.Context())
	require.NoError(t, err)
	assert.False(t, id.MayManage)
	f.Forbid(false)

	f.ThrottleNext(2, time.Minute)
	_, err = f.User(t.Context(), provisiontest.FakePlain)
	require.NoError(t, err, "two minutes are waited for, in no time")
	assert.Equal(t, 2, f.Disturbed())
	f.ThrottleNext(1, time.Hour)
	_, err = f.DeleteUser(t.Context(), provisiontest.FakePlain)
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, provision.ErrRateLimited, e.Kind)
	assert.Equal(t, time.Hour, e.RetryAfter)
	_, stored := f.Stored(provisiontest.FakePlain)
	assert.True(t, stored)
}

func TestFakeOnCall(t *testing.T) {
	f := newFake()
	ctx, cancel := context.WithCancel(t.Context())
	f.OnCall(func(c provisiontest.Call) {
		if c.Op == provisiontest.OpDelete {
			cancel()
		}
	})
	_, err := f.DeleteUser(ctx, provisiontest.FakePlain)
	require.ErrorIs(t, err, provision.ErrInterrupted)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []provisiontest.Call{{Op: provisiontest.OpDelete, Login: provisiontest.FakePlain}}, f.Calls())
	assert.Empty(t, f.Requests())

	// Somebody else at the console meanwhile.
	f.OnCall(func(provisiontest.Call) { f.Remove(provisiontest.FakeMixed) })
	_, err = f.User(t.Context(), provisiontest.FakeMixed)
	require.ErrorIs(t, err, provision.ErrNotFound)
	f.Forget()
	assert.Empty(t, f.Calls())
	assert.Empty(t, f.Requests())
}

func TestFakeState(t *testing.T) {
	f := newFake()
	made := f.Put(provision.User{Login: "Other@example.com", FirstName: "O"})
	assert.NotEmpty(t, made.ID)
	made.FirstName = "Changed"
	f.Put(made)
	u, err := f.User(t.Context(), "other@example.com")
	require.NoError(t, err)
	assert.Equal(t, made.ID, u.ID)
	assert.Equal(t, "Changed", u.FirstName)
	before := len(f.State())
	f.Remove("OTHER@example.com")
	assert.Len(t, f.State(), before-1)
	_, ok := f.Stored("other@example.com")
	assert.False(t, ok)

	held, err := f.User(t.Context(), provisiontest.FakeHolder)
	require.NoError(t, err)
	held.Roles[0].ID = "scribbled"
	again, err := f.User(t.Context(), provisiontest.FakeHolder)
	require.NoError(t, err)
	assert.NotEqual(t, held.Roles, again.Roles, "what is returned is a copy")
}

func TestFakeActivates(t *testing.T) {
	f := newFake()
	got, err := f.ChangeRoles(t.Context(), provisiontest.FakeDisabled, provision.RoleChange{
		Grant: []string{provisiontest.FakeRoleA}, Activate: true,
	})
	require.NoError(t, err)
	assert.True(t, got.Activated)
	assert.Equal(t, provision.StatusActive, got.User.Status)
	got, err = f.ChangeRoles(t.Context(), provisiontest.FakeDisabled, provision.RoleChange{Activate: true})
	require.NoError(t, err)
	assert.False(t, got.Changed())

	require.ErrorIs(t, f.Activate(provisiontest.FakePlain), provision.ErrNotFound, "nobody invited")
}

func TestFakeGuard(t *testing.T) {
	f := newFake()
	all := provision.RoleChange{All: true}
	require.ErrorIs(t, f.GuardRemoval(t.Context(), provisiontest.FakeAccount, all), provision.ErrRefused)
	require.NoError(t, f.GuardRemoval(t.Context(), provisiontest.FakePlain, all))
	_, err := f.ChangeRoles(t.Context(), provisiontest.FakePlain, provision.RoleChange{Grant: []string{provisiontest.FakeAdminRole}})
	require.NoError(t, err)
	require.NoError(t, f.GuardRemoval(t.Context(), provisiontest.FakePlain, all), "one of two")
	require.ErrorIs(t, f.GuardRemoval(t.Context(), provisiontest.FakeAccount, all), provision.ErrRefused, "the account in use")
	f.Remove(provisiontest.FakeAccount)
	err = f.GuardRemoval(t.Context(), provisiontest.FakePlain, provision.RoleChange{Exact: true})
	require.ErrorIs(t, err, provision.ErrRefused, "the last one")
}

func TestFakeVendorMakesAdaptersOfOneConsole(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{Name: "acme"})
	v := f.Vendor()
	assert.Equal(t, "acme", v.Name)
	p, err := v.New(t.Context(), provision.Config{
		Secrets: map[string]provision.Secret{"password": provision.NewSecret(provisiontest.FakePassword)},
	})
	require.NoError(t, err)
	_, err = p.DeleteUser(t.Context(), provisiontest.FakePlain)
	require.NoError(t, err)
	_, ok := f.Stored(provisiontest.FakePlain)
	assert.False(t, ok)

	p, err = v.New(t.Context(), provision.Config{})
	require.NoError(t, err)
	_, err = p.Check(t.Context())
	require.ErrorIs(t, err, provision.ErrUnauthenticated)
	f.LearnRoles([]provision.Role{{ID: "old"}})
	assert.Equal(t, []provision.Role{{ID: "old"}}, f.Learned())
}
