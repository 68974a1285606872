package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

type mockOptions struct {
	vendors     []string
	listen      string
	plain       bool
	totp        bool
	seed        string
	faults      []string
	switches    []string
	latency     time.Duration
	writeConfig string
}

func newMockCmd(a *app) *cobra.Command {
	cmd := group("mock", "Serve fakes of the vendors' APIs on loopback", newMockServeCmd(a), newMockExecCmd(a))
	cmd.Long = helpMock
	return cmd
}

func (o *mockOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.vendors, "vendor", nil, "`vendor` to serve; repeatable (default: all)")
	f.StringVar(&o.listen, "listen", "127.0.0.1", "loopback `address` to listen on")
	f.BoolVar(&o.plain, "plain", false, "plain HTTP instead of TLS")
	f.BoolVar(&o.totp, "totp", false, "ask for a second factor where the vendor has one")
	f.StringVar(&o.seed, "seed", "", "`file` with the state to start from, as GET /_mock/state gives it")
	f.StringArrayVar(&o.faults, "fault", nil, "fault to start with, as `VENDOR:METHOD:PATHPART:ACTION[:COUNT]`; repeatable")
	f.StringArrayVar(&o.switches, "switch", nil, "behaviour to choose, as `VENDOR:NAME=VALUE`; repeatable")
	f.DurationVar(&o.latency, "latency", 0, "time that every answer takes")
	f.StringVar(&o.writeConfig, "write-config", "", "write a configuration that reaches the fakes to this `file`")
}

func newMockServeCmd(a *app) *cobra.Command {
	var opts mockOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve until interrupted",
		Example: `  edrctl mock serve --write-config mock.yaml
  edrctl mock serve --vendor crowdstrike --plain --latency 20ms`,
		Args: wants(0, 0),
		RunE: a.run(func(cmd *cobra.Command, _ []string) error { return runMockServe(cmd.Context(), a, opts) }),
	}
	opts.add(cmd)
	return cmd
}

func runMockServe(ctx context.Context, a *app, opts mockOptions) error {
	servers, err := a.startMocks(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { _ = servers.Close() }()
	if opts.writeConfig != "" {
		if err := writeMockConfig(servers, opts.writeConfig); err != nil {
			return err
		}
	}
	for _, s := range servers.All() {
		if _, err := fmt.Fprintf(a.Out, "%s %s\n", s.Vendor, s.URL); err != nil {
			return err
		}
	}
	if err := a.out.Flush(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func newMockExecCmd(a *app) *cobra.Command {
	var opts mockOptions
	cmd := &cobra.Command{
		Use:   "exec -- <command>...",
		Short: "Run a command against fakes and end with its status",
		Long: `Start the fakes, run a command with EDRCTL_CONFIG naming a configuration that
reaches them, and end with the command's status. The addresses go to stderr.`,
		Example: `  edrctl mock exec -- edrctl user list -A
  edrctl mock exec --fault crowdstrike:POST:/users/v1:429 -- ./onboard.sh`,
		Args: wants(1, -1),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return runMockExec(context.WithoutCancel(cmd.Context()), a, opts, args)
		}),
	}
	opts.add(cmd)
	cmd.Flags().SetInterspersed(false)
	return cmd
}

func runMockExec(ctx context.Context, a *app, opts mockOptions, args []string) (err error) {
	servers, err := a.startMocks(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { _ = servers.Close() }()
	path := opts.writeConfig
	if path == "" {
		dir, err := os.MkdirTemp("", "edrctl-mock-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		path = filepath.Join(dir, "config.yaml")
	}
	// The command may work in another folder.
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if err := writeMockConfig(servers, path); err != nil {
		return err
	}
	for _, s := range servers.All() {
		a.note("mock %s at %s", s.Vendor, s.URL)
	}
	_ = a.err.Flush()
	return a.runChild(ctx, args, path)
}

// runChild runs a command on the streams of this process. Ctrl-C reaches the
// child by itself; this process waits for it to end.
func (a *app) runChild(ctx context.Context, args []string, configPath string) error {
	path := a.Getenv("PATH")
	if self, err := os.Executable(); err == nil {
		// A script that calls edrctl means the one that runs it.
		path = filepath.Dir(self) + string(filepath.ListSeparator) + path
	}
	child := exec.CommandContext(ctx, lookPath(args[0], path), args[1:]...) //nolint:gosec // running it is what was asked for
	child.Env = append(slices.Clone(a.Environ), "EDRCTL_CONFIG="+configPath, "PATH="+path)
	child.Stdin, child.Stdout, child.Stderr = a.In, plainWriter(a.streams.Out, a.out), plainWriter(a.streams.Err, a.err)
	if a.AllowCores != nil {
		a.AllowCores() // it is the user's own program, and we know no secret but the fakes'
	}
	err := child.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if code := exit.ExitCode(); code >= 0 {
			return silently(code)
		}
		return silently(exitInterrupted)
	}
	if err != nil {
		return &provision.Error{Kind: provision.ErrUsage, Message: fmt.Sprintf("cannot run %q", args[0]), Err: err}
	}
	return nil
}

// lookPath finds a program in a list of folders. What is not found there is
// left to fail under its own name.
func lookPath(name, path string) string {
	if strings.ContainsRune(name, filepath.Separator) {
		return name
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found
		}
	}
	return name
}

// plainWriter hands a child the stream itself, so that a terminal stays one.
func plainWriter(stream, fallback io.Writer) io.Writer {
	if f, ok := stream.(*os.File); ok {
		return f
	}
	return fallback
}

func (a *app) startMocks(ctx context.Context, opts mockOptions) (*mock.Servers, error) {
	o := mock.Options{
		Listen: opts.listen, Plain: opts.plain, TOTP: opts.totp, Latency: opts.latency, Faults: map[string][]mock.Fault{},
	}
	for _, m := range a.Mocks {
		if len(opts.vendors) == 0 || slices.Contains(opts.vendors, m.Vendor) {
			o.Makers = append(o.Makers, m)
		}
	}
	for _, v := range opts.vendors {
		if !slices.ContainsFunc(a.Mocks, func(m mock.Maker) bool { return m.Vendor == v }) {
			return nil, provision.Usagef("there is no vendor %q; there are %s", v, strings.Join(a.vendorNames(), ", "))
		}
	}
	for _, spec := range opts.faults {
		vendor, f, err := mock.ParseFault(spec)
		if err != nil {
			return nil, provision.Usagef("--fault %q: %v", spec, err)
		}
		o.Faults[vendor] = append(o.Faults[vendor], f)
	}
	if opts.seed != "" {
		seed, err := readSeed(opts.seed)
		if err != nil {
			return nil, provision.Usagef("--seed: %v", err)
		}
		o.Seed = seed
	}
	servers, err := mock.Start(ctx, o)
	if err != nil {
		return nil, provision.Usagef("%v", err)
	}
	for _, s := range opts.switches {
		if err := turnSwitch(servers, s); err != nil {
			_ = servers.Close()
			return nil, provision.Usagef("--switch %q: %v", s, err)
		}
	}
	return servers, nil
}

func turnSwitch(servers *mock.Servers, spec string) error {
	vendor, rest, ok := strings.Cut(spec, ":")
	name, value, assigned := strings.Cut(rest, "=")
	server := servers.Server(vendor)
	switch {
	case !ok || !assigned:
		return errors.New("it is not VENDOR:NAME=VALUE")
	case server == nil:
		return fmt.Errorf("vendor %q is not served", vendor)
	}
	return server.Set(name, value)
}

// readSeed reads what GET /_mock/state gave: one vendor's state, several under
// their names, or a list of them.
func readSeed(path string) (map[string]json.RawMessage, error) {
	data, err := os.ReadFile(path) //nolint:gosec // a file the user named
	if err != nil {
		return nil, err
	}
	return mock.ParseSeed(data)
}

// writeMockConfig writes a configuration and, beside it, the certificate of the
// authority, both for the user only.
func writeMockConfig(servers *mock.Servers, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	ca := strings.TrimSuffix(path, filepath.Ext(path)) + "-ca.pem"
	if pem := servers.CAPEM(); pem != nil {
		if err := os.WriteFile(ca, pem, 0o600); err != nil {
			return provision.Usagef("--write-config: %v", err)
		}
	}
	if err := os.WriteFile(path, servers.Config(ca), 0o600); err != nil {
		return provision.Usagef("--write-config: %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil { // a file that was there keeps its mode
		return provision.Usagef("--write-config: %v", err)
	}
	return nil
}
