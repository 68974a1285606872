package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

const canary = "CaNaRy-7f3e"

// oneSecret is a tenant whose password is the given reference.
func oneSecret(ref string) string {
	return "version: 1\ntenants:\n  cr:\n    vendor: cybereason\n    url: https://edr.acme.example\n    username: u\n    password: '" + ref + "'\n"
}

// resolveOne loads a file with one secret and fetches it. The text is the
// error, if there is one, and what Explain shows.
func resolveOne(t *testing.T, path string, env Environment, change ...func(*File)) (secret string, text string, err error) {
	t.Helper()
	f, err := Load(env, testVendors(), path)
	if err != nil {
		return "", err.Error(), err
	}
	for _, c := range change {
		c(f)
	}
	_, secrets, err := mustTenant(t, f, "cr").Resolve(t.Context())
	text = fmt.Sprintf("%v %+v %#v", f.Explain(), err, err)
	for e := err; e != nil; e = errors.Unwrap(e) {
		text += fmt.Sprintf("%+v", e)
	}
	return secrets["password"].Reveal(), text, err
}

func TestSecretsOfVariables(t *testing.T) {
	path := writeConfig(t, oneSecret("env:CR_PASSWORD"))
	got, text, err := resolveOne(t, path, Environment{Environ: []string{"CR_PASSWORD=" + canary}})
	require.NoError(t, err)
	assert.Equal(t, canary, got)
	assert.Contains(t, text, "{tenants.cr.password set (env:CR_PASSWORD) config.yaml:7}")
	assert.NotContains(t, text, canary)

	_, _, err = resolveOne(t, path, Environment{})
	require.ErrorIs(t, err, provision.ErrUsage)
	require.EqualError(t, err, "tenant cr: password: the variable CR_PASSWORD is not set")

	got, text, err = resolveOne(t, path, Environment{Environ: []string{"EDRCTL_CR_PASSWORD=" + canary + "\n", "CR_PASSWORD=other"}})
	require.NoError(t, err)
	assert.Equal(t, canary+"\n", got, "taken as it is, and before the file")
	assert.Contains(t, text, "{tenants.cr.password set env EDRCTL_CR_PASSWORD}")
	assert.NotContains(t, text, canary)

	_, text, err = resolveOne(t, path, Environment{Environ: []string{"CR_PASSWORD=" + canary + "\x1b[0m"}})
	require.ErrorIs(t, err, provision.ErrUsage)
	assert.NotContains(t, text, canary)
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	write("plain", canary, 0o600)
	write("readonly", canary+"\n", 0o400)
	write("windows", canary+"\r\n", 0o600)
	write("twice", canary+"\n\n", 0o600)
	write("empty", "\n", 0o600)
	write("group", canary, 0o640)
	write("others", canary, 0o604)
	write("writable", canary, 0o602)
	write("large", strings.Repeat("x", 64<<10)+"\n", 0o600)
	require.NoError(t, os.Symlink("plain", filepath.Join(dir, "link")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))

	tests := []struct {
		name, ref, want, fault string
	}{
		{"absolute", "file:" + filepath.Join(dir, "plain"), canary, ""},
		{"beside the configuration", "file:plain", canary, ""},
		{"below home", "file:~/plain", canary, ""},
		{"read only", "file:readonly", canary, ""},
		{"final CRLF", "file:windows", canary, ""},
		{"two lines", "file:twice", "", "more than one line"},
		{"empty", "file:empty", "", "is empty"},
		{"missing", "file:nothing", "", "there is no file " + filepath.Join(dir, "nothing")},
		{"group may read", "file:group", "", "open to others (mode 0640)"},
		{"others may read", "file:others", "", "open to others (mode 0604)"},
		{"others may write", "file:writable", "", "open to others (mode 0602)"},
		{"link", "file:link", "", "is a symbolic link"},
		{"folder", "file:folder", "", "is no regular file"},
		{"large", "file:large", "", "too large"},
		{"device", "file:/dev/null", "", "is no regular file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, "config.yaml")
			require.NoError(t, os.WriteFile(path, []byte(oneSecret(tt.ref)), 0o600))
			got, text, err := resolveOne(t, path, Environment{HomeDir: dir})
			assert.NotContains(t, text, canary)
			if tt.fault == "" {
				require.NoError(t, err)
				assert.Equal(t, tt.want, got)
				return
			}
			require.ErrorIs(t, err, provision.ErrUsage)
			require.ErrorContains(t, err, "tenant cr: password: ")
			assert.ErrorContains(t, err, tt.fault)
		})
	}
}

func TestLiterals(t *testing.T) {
	text := oneSecret(canary)
	allowed := "allow-plaintext-secrets: true\n" + text
	tests := []struct {
		name, text string
		mode       os.FileMode
		link       bool
		fault      string
	}{
		{"not allowed", text, 0o600, false, "config.yaml:7: password: the secret itself stands here; say where it is kept"},
		{"allowed", allowed, 0o600, false, ""},
		{"read only", allowed, 0o400, false, ""},
		{"others may read", allowed, 0o644, false, "config.yaml:8: password: the secret itself stands here, and "},
		{"group may read", allowed, 0o640, false, "is open to others (mode 0640); run: chmod 600"},
		{"link", allowed, 0o600, true, "is a symbolic link; name the file itself"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := writeConfig(t, tt.text)
			require.NoError(t, os.Chmod(path, tt.mode))
			if tt.link {
				link := filepath.Join(t.TempDir(), "link.yaml")
				require.NoError(t, os.Symlink(path, link))
				path = link
			}
			var told []string
			got, text, err := resolveOne(t, path, Environment{OnSecret: func(s provision.Secret) { told = append(told, s.Reveal()) }})
			assert.NotContains(t, text, canary)
			assert.Equal(t, []string{canary}, told, "kept out of output even where it is refused")
			if tt.fault == "" {
				require.NoError(t, err)
				assert.Equal(t, canary, got)
				assert.Contains(t, text, "{tenants.cr.password set config.yaml:8}")
				return
			}
			require.ErrorIs(t, err, provision.ErrUsage)
			assert.ErrorContains(t, err, tt.fault)
		})
	}
}

// A file without literals is no secret: it may be shared and linked to.
func TestFileWithoutLiteralsMayBeRead(t *testing.T) {
	path := writeConfig(t, oneSecret("env:CR_PASSWORD"))
	require.NoError(t, os.Chmod(path, 0o644))
	link := filepath.Join(t.TempDir(), "link.yaml")
	require.NoError(t, os.Symlink(path, link))
	_, _, err := resolveOne(t, link, Environment{Environ: []string{"CR_PASSWORD=x"}})
	require.NoError(t, err)
}

func TestReferences(t *testing.T) {
	faulty := []string{
		"env:", "env:1A", "env:A B", "env:" + canary, "file:", "file:\t", "keyring:", "keyring:x", "keyring:/x", "keyring:x/",
		"exec:", "exec:op", `exec:"op"`, "exec:[]", `exec:[""]`, `exec:["op",1]`, `exec:["op"] x`, "prompt:" + canary,
	}
	for _, text := range faulty {
		ref, fault := parseReference(text)
		assert.Nil(t, ref, text)
		assert.NotEmpty(t, fault, text)
		assert.NotContains(t, fault, canary)
	}
	for _, text := range []string{"", "secret", "vault:x", "http://x", ":", "Env:X"} {
		ref, fault := parseReference(text)
		assert.Nil(t, ref, text)
		assert.Empty(t, fault, "a literal is judged elsewhere: "+text)
	}
	shown := map[string]string{
		"env:A_1":                "env:A_1",
		"file:~/x y":             "file:~/x y",
		"keyring:edrctl/a/b":     "keyring:edrctl/a/b",
		`exec:["op"]`:            `exec:["op"]`,
		`exec:[ "op", "s3" ]`:    `exec:["op",...]`,
		"prompt:":                "prompt:",
		`exec:["a\"b","\u001b"]`: `exec:["a\"b",...]`,
	}
	for text, want := range shown {
		ref, fault := parseReference(text)
		require.Empty(t, fault)
		assert.Equal(t, want, ref.String())
	}
}

func TestPrompt(t *testing.T) {
	path := writeConfig(t, oneSecret("prompt:"))
	_, _, err := resolveOne(t, path, Environment{})
	require.ErrorIs(t, err, provision.ErrUsage)
	require.ErrorContains(t, err, "there is nobody to ask")

	var asked []string
	env := Environment{Prompt: func(_ context.Context, text string) (provision.Secret, error) {
		asked = append(asked, text)
		return provision.NewSecret(canary), nil
	}}
	f, err := Load(env, testVendors(), path)
	require.NoError(t, err)
	cr := mustTenant(t, f, "cr")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			_, secrets, err := cr.Resolve(t.Context())
			if assert.NoError(t, err) {
				assert.Equal(t, canary, secrets["password"].Reveal())
			}
		})
	}
	all.Wait()
	assert.Equal(t, []string{"password of tenant cr"}, asked, "asked once")

	env.Prompt = func(context.Context, string) (provision.Secret, error) { return provision.Secret{}, nil }
	_, _, err = resolveOne(t, path, env)
	require.ErrorContains(t, err, "is empty")

	env.Prompt = func(context.Context, string) (provision.Secret, error) { return provision.Secret{}, context.Canceled }
	_, _, err = resolveOne(t, path, env)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestSecretOutsideTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "s"), []byte(canary+"\n"), 0o600))
	f, err := Load(Environment{Environ: []string{"P=" + canary}}, testVendors(), writeConfig(t, "version: 1\n"))
	require.NoError(t, err)
	for _, tt := range []struct {
		ref, dir, fault string
	}{
		{"env:P", "", ""},
		{"file:s", dir, ""},
		{"file:" + filepath.Join(dir, "s"), "", ""},
		{"file:s", "", "s is not absolute"},
		{`exec:["echo","x"]`, dir, "programs are run only for the configuration file"},
		{canary, dir, "this is no reference"},
		{"env:Q", "", "the variable Q is not set"},
	} {
		t.Run(tt.ref, func(t *testing.T) {
			secret, err := f.Secret(t.Context(), tt.ref, tt.dir, "--password")
			if tt.fault == "" {
				require.NoError(t, err)
				assert.Equal(t, canary, secret.Reveal())
				return
			}
			require.ErrorIs(t, err, provision.ErrUsage)
			require.ErrorContains(t, err, "--password: "+tt.fault)
			assert.NotContains(t, fmt.Sprintf("%+v", err), canary)
		})
	}
}

func TestSecretOnTheCommandLine(t *testing.T) {
	f, err := Load(Environment{Environ: []string{"P=" + canary, "PATH=/usr/bin:/bin"}}, testVendors(), writeConfig(t, "version: 1\n"))
	require.NoError(t, err)
	for _, tt := range []struct{ ref, fault string }{
		{"env:P", ""},
		{`exec:["printf","` + canary + `\\n"]`, ""},
		{`exec:["printf",""]`, `exec:["printf",...] is empty`},
		{`exec:["edrctl-no-such-program"]`, "there is no program edrctl-no-such-program"},
		{`exec:true`, "exec: is followed by a program"},
		{canary, "this is no reference"},
	} {
		secret, err := f.FlagSecret(t.Context(), tt.ref, t.TempDir(), "--password")
		if tt.fault == "" {
			require.NoError(t, err)
			assert.Equal(t, canary, secret.Reveal())
			continue
		}
		require.ErrorIs(t, err, provision.ErrUsage)
		require.ErrorContains(t, err, "--password: "+tt.fault)
	}
}

// Nothing that a File exports, or prints, holds a secret.
func TestFileDoesNotPrintSecrets(t *testing.T) {
	f, err := Load(Environment{Environ: []string{"EDRCTL_CR_TOTP_SECRET=" + canary}}, testVendors(),
		writeConfig(t, "allow-plaintext-secrets: true\n"+oneSecret(canary)))
	require.NoError(t, err)
	cr := mustTenant(t, f, "cr")
	_, secrets, err := cr.Resolve(t.Context())
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(verb, secrets), canary)
		assert.NotContains(t, fmt.Sprintf(verb, cr.secrets), canary)
		assert.NotContains(t, fmt.Sprintf(verb, f.Explain()), canary)
		assert.NotContains(t, fmt.Sprintf(verb, cr.layers.values.AllSettings()), canary)
	}
}
