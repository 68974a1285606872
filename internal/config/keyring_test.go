package config

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zalando/go-keyring"

	"edrctl/internal/provision"
)

// ring is a keyring in memory; with hang set it does not answer.
type ring struct {
	items map[string]string
	hang  chan struct{}
	err   error
}

func (r *ring) wait() error {
	if r.hang != nil {
		<-r.hang
	}
	return r.err
}

func (r *ring) Get(service, account string) (string, error) {
	if err := r.wait(); err != nil {
		return "", err
	}
	text, ok := r.items[service+"|"+account]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return text, nil
}

func (r *ring) Set(service, account, secret string) error {
	if r.err != nil {
		return fmt.Errorf("cannot set %s: %w", secret, r.err)
	}
	r.items[service+"|"+account] = secret
	return nil
}

func (r *ring) Delete(service, account string) error {
	if _, ok := r.items[service+"|"+account]; !ok {
		return keyring.ErrNotFound
	}
	delete(r.items, service+"|"+account)
	return nil
}

func TestKeyring(t *testing.T) {
	path := writeConfig(t, oneSecret("keyring:edrctl/a/b"))
	r := &ring{items: map[string]string{"edrctl|a/b": canary}}
	got, text, err := resolveOne(t, path, Environment{Keyring: r})
	require.NoError(t, err)
	assert.Equal(t, canary, got)
	assert.Contains(t, text, "set (keyring:edrctl/a/b)")

	_, _, err = resolveOne(t, path, Environment{Keyring: &ring{}})
	require.ErrorIs(t, err, provision.ErrUsage)
	require.ErrorContains(t, err, "the keyring has no item edrctl/a/b")

	_, _, err = resolveOne(t, path, Environment{Keyring: &ring{err: errors.New("out of order")}})
	require.ErrorIs(t, err, provision.ErrUsage)
	assert.ErrorContains(t, err, "tenant cr: password: keyring: out of order")
}

func TestKeyringThatDoesNotAnswer(t *testing.T) {
	path := writeConfig(t, oneSecret("keyring:edrctl/cr"))
	hang := make(chan struct{})
	defer close(hang)
	env := Environment{Keyring: &ring{hang: hang}}
	_, _, err := resolveOne(t, path, env, func(f *File) { f.limits.keyring = 20 * time.Millisecond })
	require.ErrorIs(t, err, provision.ErrUsage)
	require.ErrorContains(t, err, "did not answer within 20ms")

	f, err := Load(env, testVendors(), path)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err = mustTenant(t, f, "cr").Resolve(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.NotErrorIs(t, err, provision.ErrUsage)
}

func TestKeyringWithoutSessionBus(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("the keyring here needs no session bus")
	}
	path := writeConfig(t, oneSecret("keyring:edrctl/cr"))
	for _, environ := range [][]string{nil, {"DBUS_SESSION_BUS_ADDRESS="}, {"XDG_RUNTIME_DIR=" + t.TempDir()}} {
		began := time.Now()
		_, _, err := resolveOne(t, path, Environment{Environ: environ})
		require.ErrorIs(t, err, provision.ErrUsage)
		require.ErrorContains(t, err, "there is no keyring here")
		assert.Less(t, time.Since(began), time.Second, "at once")
	}
}

func TestStoreAndDeleteSecret(t *testing.T) {
	r := &ring{items: map[string]string{}}
	env := Environment{Keyring: r}
	f, err := Load(env, testVendors(), writeConfig(t, oneSecret("keyring:vault/cr")))
	require.NoError(t, err)
	cr := mustTenant(t, f, "cr")
	assert.Equal(t, []string{"password", "totp-secret"}, cr.SecretKeys())

	ref, configured, err := cr.StoreSecret(t.Context(), "password", provision.NewSecret(canary))
	require.NoError(t, err)
	assert.Equal(t, "keyring:vault/cr", ref)
	assert.True(t, configured)
	ref, configured, err = cr.StoreSecret(t.Context(), "totp-secret", provision.NewSecret("ABC"))
	require.NoError(t, err)
	assert.Equal(t, "keyring:edrctl/cr/totp-secret", ref)
	assert.False(t, configured)
	assert.Equal(t, map[string]string{"vault|cr": canary, "edrctl|cr/totp-secret": "ABC"}, r.items)
	_, secrets, err := cr.Resolve(t.Context())
	require.NoError(t, err)
	assert.Equal(t, canary, secrets["password"].Reveal())

	for range 2 {
		ref, err = cr.DeleteSecret(t.Context(), "totp-secret")
		require.NoError(t, err, "what is not there is gone")
		assert.Equal(t, "keyring:edrctl/cr/totp-secret", ref)
	}
	assert.Equal(t, map[string]string{"vault|cr": canary}, r.items)

	_, _, err = cr.StoreSecret(t.Context(), "passwrd", provision.NewSecret(canary))
	require.ErrorIs(t, err, provision.ErrUsage)
	require.ErrorContains(t, err, `did you mean "password"?`)
	for _, bad := range []string{"", "a\nb", string(make([]byte, 1<<17))} {
		_, _, err = cr.StoreSecret(t.Context(), "password", provision.NewSecret(bad))
		require.ErrorIs(t, err, provision.ErrUsage)
	}
	r.err = errors.New("out of order")
	_, _, err = cr.StoreSecret(t.Context(), "password", provision.NewSecret(canary))
	require.ErrorIs(t, err, provision.ErrUsage)
	assert.NotContains(t, fmt.Sprintf("%v %+v", err, err), canary)
}
