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
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"edrctl/internal/mock"
)

const scriptDir = "../../../testdata/script"

// TestScript runs the command scripts in testdata/script. Beside edrctl itself
// they have these commands, and $VENDORS is how many vendors there are:
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
//	valid [-lines] KIND           demand that stdout is a document, or lines of jsonl, of a kind
//	getenv NAME FILE              set a variable to the first line of a file or of stdout
//	await FILE                    wait until something in the background has written a file
//	bus                           a D-Bus whose keyring hangs up
//	calls N                       demand N calls of that bus
//
// and the programs terminal, interrupt and fetch of scriptPrograms. When a
// script has ended, the secrets in it must be nowhere: see secretWatch.
func TestScript(t *testing.T) {
	testscript.RunT(scriptT{T: t}, testscript.Params{
		Dir: scriptDir,
		Setup: func(env *testscript.Env) error {
			env.T().(scriptT).watch.begin(env)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, ".config"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, ".state"))
			env.Setenv("TERM", "dumb")
			env.Setenv("VENDORS", strconv.Itoa(len(vendors())))
			env.Values[worldKey{}] = &scriptWorld{watch: env.T().(scriptT).watch, seen: map[string]int{}}
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
			"valid":    scriptValid,
			"getenv":   scriptGetenv,
			"await":    scriptAwait,
			"bus":      scriptBus,
			"calls":    scriptCalls,
		},
	})
}

// scriptWorld is what one script has running.
type scriptWorld struct {
	watch   *secretWatch
	servers *mock.Servers
	seen    map[string]int // requests already looked at, by vendor
	calls   atomic.Int32   // of the bus
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
	world(ts).servers, world(ts).seen = servers, map[string]int{}
	config := ts.MkAbs("mock.yaml")
	ts.Check(writeMockConfig(servers, config))
	watchOf(ts).started(servers, config)
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
	watchOf(ts).exempt(ts.MkAbs(args[1]))
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
