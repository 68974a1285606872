package cli

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for what must come.
const patience = 20 * time.Second

func scriptValid(ts *testscript.TestScript, _ bool, args []string) {
	validate := validDocument
	if len(args) > 0 && args[0] == "-lines" {
		validate, args = validLines, args[1:]
	}
	need(ts, args, 1, "valid [-lines] KIND")
	out := ts.ReadFile("stdout")
	if out == "" {
		ts.Fatalf("there is no output")
	}
	ts.Check(validate(args[0], []byte(out)))
}

func scriptGetenv(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2, "getenv NAME FILE")
	line, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	ts.Setenv(args[0], line)
}

func scriptAwait(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 1, "await FILE")
	path := ts.MkAbs(args[0])
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return
		}
	}
	ts.Fatalf("%s does not come", args[0])
}

// scriptBus makes a session bus that takes calls and hangs up, so that a script
// can tell whether anybody asked for the keyring.
func scriptBus(ts *testscript.TestScript, _ bool, _ []string) {
	path := filepath.Join(ts.Getenv("WORK"), ".bus")
	listener, err := net.Listen("unix", path)
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	w := world(ts)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.calls.Add(1)
			_ = conn.Close()
		}
	}()
	ts.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+path)
}

func scriptCalls(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 1, "calls N")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := int(world(ts).calls.Load()); got != want {
		ts.Fatalf("%d calls, want %d", got, want)
	}
}
