// Package cli is the command line: it reads what people type, opens the
// tenants they mean, has plan.Apply or a Provisioner do the work, and shows
// what came of it. It holds no knowledge of a vendor but the list of them.
package cli

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// Env is the outside world. It is made once and never changed.
type Env struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// InTTY, OutTTY and ErrTTY tell which streams are terminals.
	InTTY, OutTTY, ErrTTY bool
	// Width is the number of columns of the terminal at Out; 0 without one.
	Width int
	// ReadSecret reads a line from the terminal without echo; RestoreTerminal
	// gives the echo back to a terminal where nobody waits for that line.
	ReadSecret      func() (string, error)
	RestoreTerminal func()

	// Environ are the environment variables, as os.Environ gives them.
	Environ []string
	// ConfigDir, CacheDir and HomeDir are the user's folders; empty where the
	// system does not tell.
	ConfigDir, CacheDir, HomeDir string
	// Proxy chooses a proxy for tenants that configure none.
	Proxy func(*http.Request) (*url.URL, error)
	Now   func() time.Time
	// Looks are the pauses before each look at a change whose answer was lost;
	// nil for those of plan.Options.
	Looks []time.Duration
	// Interrupts receives a value for each Ctrl-C.
	Interrupts <-chan os.Signal
	// AllowCores lets programs that are started from now on write core dumps,
	// if the user has them do that; nil where they may anyway.
	AllowCores func()

	Vendors []provision.Vendor
	Mocks   []mock.Maker
}

// Getenv is the value of a variable, empty if it is not set.
func (e Env) Getenv(name string) string {
	for i := len(e.Environ) - 1; i >= 0; i-- {
		if key, value, ok := strings.Cut(e.Environ[i], "="); ok && key == name {
			return value
		}
	}
	return ""
}

// System is the real world. From then on no core of this process is dumped.
func System() Env {
	allowCores := forbidCores()
	collectLate(os.Getenv)
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	// A reader who goes away makes writing fail, and does not end changes half way.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	config, _ := os.UserConfigDir()
	cache, _ := os.UserCacheDir()
	home, _ := os.UserHomeDir()
	return Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY: isTerminal(os.Stdin), OutTTY: isTerminal(os.Stdout), ErrTTY: isTerminal(os.Stderr),
		Width:      width(os.Stdout),
		ReadSecret: readSecret, RestoreTerminal: restorer(os.Stdin),
		Environ:   os.Environ(),
		ConfigDir: config, CacheDir: cache, HomeDir: home,
		Proxy: http.ProxyFromEnvironment, Now: time.Now,
		Interrupts: interrupts, AllowCores: allowCores,
		Vendors: vendors(), Mocks: mocks(),
	}
}

// collectLate has garbage collected when there is much of it. A one-off command
// ends before that; one that lasts, or that a vendor answers without end, stays
// about the limit, beyond which memory is for what is in use. Who sets Go's own
// variables is obeyed.
func collectLate(getenv func(string) string) {
	if getenv("GOGC") == "" && getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(64 << 20)
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func width(f *os.File) int {
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

func readSecret() (string, error) {
	line, err := term.ReadPassword(int(os.Stdin.Fd()))
	return string(line), err
}

// restorer returns what puts a terminal back to how it is now.
func restorer(f *os.File) func() {
	fd := int(f.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return nil
	}
	return func() { _ = term.Restore(fd, state) }
}

// cacheDir is the user's folder for caches, in which sessions are kept.
func (e Env) cacheDir() (string, error) {
	if dir := e.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	if e.CacheDir == "" {
		return "", &provision.Error{
			Kind: provision.ErrUsage, Message: "there is no place to keep sessions",
			Hint: "set HOME or XDG_CACHE_HOME to a folder of yours, or session-cache to off",
		}
	}
	return e.CacheDir, nil
}
