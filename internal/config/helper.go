package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// mayRunHelpers refuses programs of a configuration file that somebody else
// can have written.
func (f *File) mayRunHelpers() error {
	switch {
	case f.facts == nil:
		return provision.Usagef("programs are run only for the configuration file")
	case !f.facts.Own:
		return provision.Usagef("%s belongs to another user, and programs are run only for a file of your own", f.Path)
	case f.facts.Mode.Perm()&0o022 != 0:
		return provision.Usagef("others can write to %s, and programs are run only for a file that they cannot; run: chmod go-w %q", f.Path, f.Path)
	}
	return nil
}

// runHelper runs a program that the configuration file names.
func (f *File) runHelper(ctx context.Context, argv []string) (string, error) {
	if err := f.mayRunHelpers(); err != nil {
		return "", err
	}
	return f.startHelper(ctx, argv)
}

// startHelper runs a program that prints a secret. What it writes on its error
// stream is dropped: a program that fails is as likely as not to show there
// what it has got so far.
func (f *File) startHelper(ctx context.Context, argv []string) (string, error) {
	program, err := f.vars.find(argv[0])
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, f.limits.helper)
	defer cancel()
	out := &bounded{limit: f.limits.bytes, full: cancel}
	cmd := exec.CommandContext(limited, program, argv[1:]...) //nolint:gosec // the user names the program, see mayRunHelpers
	cmd.Env = f.helperEnviron()
	// The working folder may be somebody else's, and programs read settings
	// from it.
	cmd.Dir = string(filepath.Separator)
	if f.facts != nil {
		cmd.Dir = filepath.Dir(f.Path)
	}
	cmd.Stdout = out
	cmd.WaitDelay = time.Second
	inOwnGroup(cmd)
	err = cmd.Run()
	byHand := &provision.Error{
		Kind: provision.ErrUsage, Hint: "run it by hand to see why; what it writes on its error stream is not shown, as it may hold the secret",
	}
	var exit *exec.ExitError
	switch {
	case out.flooded:
		byHand.Message = fmt.Sprintf("program %s wrote more than %d bytes", argv[0], f.limits.bytes)
	case ctx.Err() != nil:
		return "", ctx.Err()
	case limited.Err() != nil:
		byHand.Message = fmt.Sprintf("program %s did not end within %s", argv[0], f.limits.helper)
	case errors.As(err, &exit):
		byHand.Message = fmt.Sprintf("program %s ended with %s", argv[0], exit.ProcessState)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		byHand.Message, byHand.Err = "program "+argv[0], err
	default:
		return chomp(out.data.Bytes()), nil
	}
	return "", byHand
}

// helperEnviron is the environment without edrctl's own secrets: a helper
// gets only what it had without edrctl.
func (f *File) helperEnviron() []string {
	var environ []string
	for _, name := range slices.Sorted(maps.Keys(f.vars)) {
		if slices.Contains(f.referred, name) || strings.HasPrefix(name, envPrefix) && !f.public(name) {
			continue
		}
		environ = append(environ, name+"="+f.vars[name])
	}
	return environ
}

// public reports whether a variable of edrctl's is known to hold no secret.
func (f *File) public(name string) bool {
	if _, own := ownVariables()[name]; own {
		return true
	}
	_, key, ok := f.catalog.split(name)
	return ok && !f.catalog.secret[key]
}

// find looks a program up in the absolute folders of PATH.
func (v variables) find(program string) (string, error) {
	switch {
	case filepath.IsAbs(program):
		return program, nil
	case strings.ContainsAny(program, `/\`):
		return "", provision.Usagef("program %s is neither an absolute path nor a bare name", program)
	}
	for _, folder := range v.searchPath() {
		if path, err := exec.LookPath(filepath.Join(folder, program)); err == nil {
			return path, nil
		}
	}
	return "", provision.Usagef("there is no program %s in the absolute folders of PATH", program)
}

// bounded keeps what is written up to a limit, and then has the writer ended.
type bounded struct {
	data    bytes.Buffer
	limit   int64
	flooded bool
	full    func()
}

func (b *bounded) Write(p []byte) (int, error) {
	if int64(b.data.Len()+len(p)) > b.limit {
		b.flooded = true
		b.full()
		return 0, errors.New("too much")
	}
	return b.data.Write(p)
}
