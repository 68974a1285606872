package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/zalando/go-keyring"

	"edrctl/internal/provision"
)

// Keyring keeps secrets by service and account. Get and Delete of what is not
// there give keyring.ErrNotFound of zalando/go-keyring.
type Keyring interface {
	Get(service, account string) (string, error)
	Set(service, account, secret string) error
	Delete(service, account string) error
}

// osKeyring is that of the user's session.
type osKeyring struct{}

func (osKeyring) Get(service, account string) (string, error) {
	return keyring.Get(service, account)
}

func (osKeyring) Set(service, account, secret string) error {
	return keyring.Set(service, account, secret)
}

func (osKeyring) Delete(service, account string) error {
	return keyring.Delete(service, account)
}

// withKeyring lets work use the keyring for a limited time. A locked keyring
// may wait for somebody who is not there, and its calls cannot be ended.
func (f *File) withKeyring(ctx context.Context, work func(Keyring) (string, error)) (string, error) {
	ring := f.env.Keyring
	if ring == nil {
		if err := f.vars.checkSessionBus(); err != nil {
			return "", err
		}
		ring = osKeyring{}
	}
	limited, cancel := context.WithTimeout(ctx, f.limits.keyring)
	defer cancel()
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := work(ring)
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		return a.text, a.err
	case <-limited.Done():
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return "", &provision.Error{
		Kind: provision.ErrUsage, Message: fmt.Sprintf("the keyring did not answer within %s", f.limits.keyring),
		Hint: "unlock it and run this again",
	}
}

// checkSessionBus tells at once that there is no keyring where the library
// would start a bus of its own and wait.
func (v variables) checkSessionBus() error {
	if slices.Contains([]string{"windows", "darwin", "ios"}, runtime.GOOS) {
		return nil
	}
	if _, ok := v.get("DBUS_SESSION_BUS_ADDRESS"); ok {
		return nil
	}
	if dir, ok := v.get("XDG_RUNTIME_DIR"); ok {
		if _, err := os.Stat(filepath.Join(dir, "bus")); err == nil {
			return nil
		}
	}
	return &provision.Error{
		Kind: provision.ErrUsage, Message: "there is no keyring here: this session has no D-Bus (DBUS_SESSION_BUS_ADDRESS is not set)",
		Hint: "log in to a desktop session, or keep the secret elsewhere: env:NAME, file:PATH or exec:[...]",
	}
}

func (f *File) keyringGet(ctx context.Context, service, account string) (string, error) {
	text, err := f.withKeyring(ctx, func(k Keyring) (string, error) { return k.Get(service, account) })
	if errors.Is(err, keyring.ErrNotFound) {
		return "", &provision.Error{
			Kind: provision.ErrUsage, Message: fmt.Sprintf("the keyring has no item %s/%s", service, account),
			Hint: "`edrctl auth set TENANT KEY` puts one there",
		}
	}
	if err != nil {
		return "", usage("keyring", err)
	}
	return text, nil
}

// StoreSecret puts a secret into the keyring, where the tenant's configuration
// looks for it or, if that looks elsewhere, under edrctl/TENANT/KEY. It returns
// the reference, and whether the configuration already has it.
func (t *Tenant) StoreSecret(ctx context.Context, key string, s provision.Secret) (ref string, configured bool, err error) {
	at, configured, err := t.keyringItem(key)
	if err != nil {
		return "", false, err
	}
	t.file.tell(s)
	if err := checkSecret("the secret", s.Reveal()); err != nil {
		return "", false, err
	}
	if int64(len(s.Reveal())) > t.file.limits.bytes {
		return "", false, provision.Usagef("the secret has more than %d bytes", t.file.limits.bytes)
	}
	_, err = t.file.withKeyring(ctx, func(k Keyring) (string, error) {
		return "", k.Set(at.service, at.name, s.Reveal())
	})
	if err != nil && strings.Contains(err.Error(), s.Reveal()) {
		err = errors.New("the keyring refused it")
	}
	if err != nil {
		return "", false, t.usage(key, usage("keyring", err))
	}
	return at.String(), configured, nil
}

// DeleteSecret removes what StoreSecret put there and returns its reference.
// That there is nothing is no error.
func (t *Tenant) DeleteSecret(ctx context.Context, key string) (ref string, err error) {
	at, _, err := t.keyringItem(key)
	if err != nil {
		return "", err
	}
	_, err = t.file.withKeyring(ctx, func(k Keyring) (string, error) { return "", k.Delete(at.service, at.name) })
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return "", t.usage(key, usage("keyring", err))
	}
	return at.String(), nil
}

// keyringItem is where in the keyring a tenant's secret is, or would be.
func (t *Tenant) keyringItem(key string) (at reference, configured bool, err error) {
	if !slices.Contains(t.SecretKeys(), key) {
		return reference{}, false, provision.Usagef("tenant %s: %s", t.Name, unknown("secret", key, t.SecretKeys()))
	}
	if ref := t.secrets[key].ref; ref != nil && ref.kind == refKeyring {
		return *ref, true, nil
	}
	return reference{kind: refKeyring, service: "edrctl", name: t.Name + "/" + key}, false, nil
}
