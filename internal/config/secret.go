package config

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"edrctl/internal/private"
	"edrctl/internal/provision"
)

// limits bound what fetching a secret may take.
type limits struct {
	keyring, helper time.Duration
	// bytes is the size of a secret, from a file or a helper.
	bytes int64
}

func defaultLimits() limits {
	return limits{keyring: 3 * time.Second, helper: 30 * time.Second, bytes: 64 << 10}
}

// secretSource is where a secret comes from: a reference, or without one a
// value that is known already.
type secretSource struct {
	ref   *reference
	value provision.Secret
	// base is where a relative path begins.
	base string
	// source is that of Explain.
	source string
}

// addSecret settles where a secret of a tenant comes from.
func (t *Tenant) addSecret(r *reader, key string, inFile value, inEnv string) {
	if inFile.text != "" {
		source := secretSource{source: t.file.place(inFile.line), base: filepath.Dir(t.file.Path)}
		ref, fault := parseReference(inFile.text)
		if fault == "" && ref == nil {
			source.value = t.file.known(inFile.text)
			fault = t.file.checkLiteral()
		}
		if fault != "" {
			r.fault(inFile.line, "%s: %s", key, fault)
		}
		if ref != nil && ref.kind == refEnv {
			t.file.referred = append(t.file.referred, ref.name)
		}
		source.ref = ref
		t.secrets[key] = source
	}
	if inEnv != "" {
		t.secrets[key] = secretSource{value: t.file.known(inEnv), source: sourceEnv(variable(t.Name, key))}
	}
}

// checkLiteral reports why a secret may not stand in the file itself.
func (f *File) checkLiteral() string {
	if f.doc.scalars[keyPlaintext].text != "true" {
		return "the secret itself stands here; say where it is kept (env:NAME, file:PATH, keyring:SERVICE/ACCOUNT, " +
			"exec:[\"prog\",\"arg\"], \"prompt:\") or allow it with " + keyPlaintext + ": true"
	}
	if err := f.facts.Check(f.Path); err != nil {
		return "the secret itself stands here, and " + reason(err)
	}
	return ""
}

// reason is an error with what to do.
func reason(err error) string {
	text := err.Error()
	if e, ok := err.(*provision.Error); ok && e.Hint != "" { //nolint:errorlint // the hint of a cause would be out of place
		text += "; " + e.Hint
	}
	return text
}

// tell makes a secret known to whoever keeps it out of all output.
func (f *File) tell(secret provision.Secret) {
	if f.env.OnSecret != nil && !secret.Empty() {
		f.env.OnSecret(secret)
	}
}

// known makes a secret of a value, and tells of it.
func (f *File) known(value string) provision.Secret {
	secret := provision.NewSecret(value)
	f.tell(secret)
	return secret
}

// FlagSecret fetches what a reference on the command line means, such as
// --password. It is Secret, and exec: too: whoever types a command can run
// programs without edrctl.
func (f *File) FlagSecret(ctx context.Context, ref, dir, purpose string) (provision.Secret, error) {
	parsed, fault := parseReference(ref)
	if fault != "" || parsed == nil || parsed.kind != refExec {
		return f.Secret(ctx, ref, dir, purpose)
	}
	text, err := f.startHelper(ctx, parsed.argv)
	if err != nil {
		return provision.Secret{}, usage(purpose, err)
	}
	secret := f.known(text)
	if err := checkSecret(parsed.String(), text); err != nil {
		return provision.Secret{}, usage(purpose, err)
	}
	return secret, nil
}

// Secret fetches what a reference in a file other than the configuration means,
// such as the password of a roster: env:, file:, keyring: and prompt:. Literals
// and helpers are refused. A relative path begins at dir; with an empty dir it
// is refused. The purpose is what a prompt asks for.
func (f *File) Secret(ctx context.Context, ref, dir, purpose string) (provision.Secret, error) {
	parsed, fault := parseReference(ref)
	switch {
	case fault != "":
		return provision.Secret{}, provision.Usagef("%s: %s", purpose, fault)
	case parsed == nil:
		return provision.Secret{}, &provision.Error{
			Kind: provision.ErrUsage, Message: purpose + ": this is no reference, and secrets are not taken literally",
			Hint: "say where it is kept: env:NAME, file:PATH, keyring:SERVICE/ACCOUNT or prompt:",
		}
	case parsed.kind == refExec:
		return provision.Secret{}, &provision.Error{
			Kind: provision.ErrUsage, Message: purpose + ": programs are run only for the configuration file",
			Hint: "use env:NAME, file:PATH, keyring:SERVICE/ACCOUNT or prompt:",
		}
	}
	secret, err := f.fetch(ctx, secretSource{ref: parsed, base: dir}, purpose)
	if err != nil {
		return provision.Secret{}, usage(purpose, err)
	}
	return secret, nil
}

// fetch gets a secret from where it is kept.
func (f *File) fetch(ctx context.Context, s secretSource, purpose string) (provision.Secret, error) {
	if s.ref == nil {
		return s.value, nil
	}
	if err := ctx.Err(); err != nil {
		return provision.Secret{}, err
	}
	var text string
	var err error
	switch s.ref.kind {
	case refEnv:
		var ok bool
		if text, ok = f.vars.get(s.ref.name); !ok {
			err = provision.Usagef("the variable %s is not set", s.ref.name)
		}
	case refFile:
		text, err = f.readSecret(s.ref.name, s.base)
	case refKeyring:
		text, err = f.keyringGet(ctx, s.ref.service, s.ref.name)
	case refExec:
		text, err = f.runHelper(ctx, s.ref.argv)
	default:
		return f.prompt(ctx, purpose)
	}
	if err != nil {
		return provision.Secret{}, err
	}
	// From here on it is in no output, not even when it is refused.
	secret := f.known(text)
	if err := checkSecret(s.ref.String(), text); err != nil {
		return provision.Secret{}, err
	}
	return secret, nil
}

// checkSecret refuses what no vendor takes. It would otherwise come back as a
// wrong password, and count as an attempt.
func checkSecret(from, text string) error {
	switch {
	case text == "":
		return provision.Usagef("%s is empty", from)
	case strings.ContainsFunc(text, isControl):
		return provision.Usagef("%s has more than one line, or a control character such as that of a colour", from)
	}
	return nil
}

func (f *File) prompt(ctx context.Context, purpose string) (provision.Secret, error) {
	if f.env.Prompt == nil {
		return provision.Secret{}, &provision.Error{
			Kind: provision.ErrUsage, Message: "there is nobody to ask for it",
			Hint: "run it on a terminal and without --no-input, or keep the secret elsewhere",
		}
	}
	f.prompting.Lock()
	defer f.prompting.Unlock()
	if err := ctx.Err(); err != nil {
		return provision.Secret{}, err
	}
	secret, err := f.env.Prompt(ctx, purpose)
	if err != nil {
		return provision.Secret{}, err
	}
	f.tell(secret)
	return secret, checkSecret("what was typed", secret.Reveal())
}

// readSecret reads a secret file without its last line break.
func (f *File) readSecret(path, base string) (string, error) {
	path, err := f.locate(path, base)
	if err != nil {
		return "", err
	}
	data, err := private.Read(path, f.limits.bytes)
	if private.Missing(err) {
		return "", &provision.Error{
			Kind: provision.ErrUsage, Message: fmt.Sprintf("there is no file %s", path), Hint: "write the secret to it, and run: chmod 600",
		}
	}
	if err != nil {
		return "", err
	}
	return chomp(data), nil
}

// chomp drops one final line break.
func chomp(data []byte) string {
	data = bytes.TrimSuffix(data, []byte("\n"))
	return string(bytes.TrimSuffix(data, []byte("\r")))
}
