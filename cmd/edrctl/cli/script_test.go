package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"edrctl/internal/mock"
)

// TestScript runs the command scripts in testdata/script. Beside edrctl itself
// they have these commands:
//
//	mock [flags of mock serve]    start fakes and set EDRCTL_CONFIG
//	fault VENDOR:METHOD:PART:ACTION[:COUNT]
//	switch VENDOR NAME VALUE      choose a behaviour of a fake
//	activate VENDOR LOGIN         finish an invitation
//	requests VENDOR N             demand N requests since the last look
//	writes VENDOR N               demand N changing requests since then
//	forget                        begin a new count
//	state VENDOR FILE             write a fake's state to a file
//	status N edrctl ...           run edrctl and demand an exit status
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "../../../testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, ".config"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, ".state"))
			env.Setenv("TERM", "dumb")
			env.Values[worldKey{}] = &scriptWorld{seen: map[string]int{}}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"mock":     scriptMock,
			"fault":    scriptFault,
			"switch":   scriptSwitch,
			"activate": scriptActivate,
			"requests": scriptCount(func(mock.Request) bool { return true }),
			"writes":   scriptCount(func(r mock.Request) bool { return r.Write }),
			"forget":   scriptForget,
			"state":    scriptState,
			"status":   scriptStatus,
		},
	})
}

// scriptWorld is what one script has running.
type scriptWorld struct {
	servers *mock.Servers
	seen    map[string]int // requests already looked at, by vendor
}

type worldKey struct{}

func world(ts *testscript.TestScript) *scriptWorld { return ts.Value(worldKey{}).(*scriptWorld) }

func serverOf(ts *testscript.TestScript, vendor string) *mock.Server {
	w := world(ts)
	if w.servers == nil {
		ts.Fatalf("no fakes are running; begin with mock")
	}
	server := w.servers.Server(vendor)
	if server == nil {
		ts.Fatalf("vendor %q is not served", vendor)
	}
	return server
}

func scriptMock(ts *testscript.TestScript, _ bool, args []string) {
	var opts mockOptions
	cmd := &cobra.Command{RunE: func(*cobra.Command, []string) error { return nil }}
	opts.add(cmd)
	ts.Check(cmd.ParseFlags(args))
	a := &app{Env: Env{Mocks: mocks(), Vendors: vendors()}}
	servers, err := a.startMocks(context.Background(), opts)
	ts.Check(err)
	ts.Defer(func() { _ = servers.Close() })
	world(ts).servers = servers
	config := ts.MkAbs("mock.yaml")
	ts.Check(writeMockConfig(servers, config))
	ts.Setenv("EDRCTL_CONFIG", config)
	for _, s := range servers.All() {
		ts.Setenv(strings.ToUpper(s.Vendor)+"_URL", s.URL)
	}
}

func scriptFault(ts *testscript.TestScript, _ bool, args []string) {
	for _, spec := range args {
		vendor, f, err := mock.ParseFault(spec)
		ts.Check(err)
		ts.Check(serverOf(ts, vendor).Fault(f))
	}
}

func scriptSwitch(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 3, "switch VENDOR NAME VALUE")
	ts.Check(serverOf(ts, args[0]).Set(args[1], args[2]))
}

func scriptActivate(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2, "activate VENDOR LOGIN")
	ts.Check(serverOf(ts, args[0]).Activate(args[1]))
}

func scriptForget(ts *testscript.TestScript, _ bool, _ []string) {
	for _, s := range world(ts).servers.All() {
		world(ts).seen[s.Vendor] = len(s.Requests())
	}
}

func scriptState(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2, "state VENDOR FILE")
	data, err := json.MarshalIndent(serverOf(ts, args[0]).State(), "", "  ")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

// scriptCount demands a number of requests that count accepts.
func scriptCount(counts func(mock.Request) bool) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		need(ts, args, 2, "VENDOR N")
		want, err := strconv.Atoi(args[1])
		ts.Check(err)
		var got []string
		for _, r := range serverOf(ts, args[0]).Requests()[world(ts).seen[args[0]]:] {
			if counts(r) {
				got = append(got, r.Method+" "+r.Path+"?"+r.Query)
			}
		}
		if len(got) != want {
			ts.Fatalf("%d requests, want %d:\n%s", len(got), want, strings.Join(got, "\n"))
		}
	}
}

// scriptStatus runs a command and demands its exit status.
func scriptStatus(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Check(err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func need(ts *testscript.TestScript, args []string, n int, usage string) {
	if len(args) != n {
		ts.Fatalf("usage: %s", usage)
	}
}
