package cli

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"edrctl/internal/mock"
)

// scriptPrograms are programs that scripts run beside edrctl:
//
//	terminal [-columns N] [-answer 'PROMPT=REPLY']... [-secret 'PROMPT=REPLY']... COMMAND...
//	    run a command on a terminal of its own and show what was on it; each
//	    reply is typed once its prompt has come, and that of a secret once the
//	    terminal has stopped to echo. The reply ^D ends the input, ^C
//	    interrupts, and an empty one is the Enter key alone.
//	interrupt [-twice] URL METHOD PATHPART COMMAND...
//	    run a command and interrupt it while the fake at URL works on such a
//	    request
//	fetch METHOD URL [BODY]
//	    send a request and show the answer, as a control API's client
//
// Each but fetch ends with the status of its command.
func scriptPrograms() map[string]func() {
	program := func(run func(args []string) (int, error)) func() {
		return func() {
			status, err := run(os.Args[1:])
			if err != nil {
				_, _ = fmt.Fprintln(os.Stderr, os.Args[0]+":", err)
				status = 99 // no status of edrctl's
			}
			os.Exit(status)
		}
	}
	return map[string]func(){
		"terminal": program(runTerminal), "interrupt": program(runInterrupt), "fetch": program(runFetch),
	}
}

// typedAnswer is one of the flags -answer and -secret.
type typedAnswer struct {
	prompt, reply string
	secret        bool
}

func parseAnswer(text string, secret bool, dialogue *[]typedAnswer) error {
	prompt, reply, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("it is not PROMPT=REPLY")
	}
	*dialogue = append(*dialogue, typedAnswer{prompt, reply, secret})
	return nil
}

func runTerminal(args []string) (int, error) {
	flags := flag.NewFlagSet("terminal", flag.ContinueOnError)
	columns := flags.Int("columns", 200, "width of the terminal")
	var dialogue []typedAnswer
	flags.Func("answer", "PROMPT=REPLY", func(s string) error { return parseAnswer(s, false, &dialogue) })
	flags.Func("secret", "PROMPT=REPLY", func(s string) error { return parseAnswer(s, true, &dialogue) })
	if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
		return 0, errors.Join(err, errors.New("usage: terminal [-columns N] [-answer 'PROMPT=REPLY']... COMMAND"))
	}
	return converse(*columns, dialogue, exec.Command(flags.Arg(0), flags.Args()[1:]...))
}

// keys are what the keyboard sends for a reply.
func keys(reply string) string {
	switch reply {
	case "^D":
		return "\x04"
	case "^C":
		return "\x03"
	}
	return reply + "\n"
}

// statusOf is the exit status of a command that has ended.
func statusOf(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode(), nil
	}
	return 0, err
}

func runInterrupt(args []string) (int, error) {
	times := 1
	if len(args) > 0 && args[0] == "-twice" {
		times, args = 2, args[1:]
	}
	if len(args) < 4 {
		return 0, errors.New("usage: interrupt [-twice] URL METHOD PATHPART COMMAND")
	}
	cmd := exec.Command(args[3], args[4:]...)
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	errs := &watched{}
	cmd.Stderr = io.MultiWriter(os.Stderr, errs)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	err := until(func() bool { return inFlight(args[0], args[1], args[2]) })
	for n := range times {
		if err == nil && n > 0 { // two that arrive together are one
			err = until(func() bool { return strings.Contains(errs.String(), "stopping") })
		}
		if err == nil {
			err = cmd.Process.Signal(os.Interrupt)
		}
	}
	if err != nil {
		_ = cmd.Process.Kill()
		return 0, errors.Join(err, cmd.Wait())
	}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	return statusOf(cmd.Wait())
}

func until(is func() bool) error {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if is() {
			return nil
		}
	}
	return errors.New("what is waited for does not come")
}

// inFlight reports a request that a fake is working on.
func inFlight(url, method, part string) bool {
	body, err := request(http.MethodGet, url+"/_mock/requests", "")
	var log []mock.Request
	if err != nil || json.Unmarshal(body, &log) != nil {
		return false
	}
	for _, r := range log {
		if r.Status == 0 && r.Fault == "" && r.Method == method && strings.Contains(r.Path, part) {
			return true
		}
	}
	return false
}

func runFetch(args []string) (int, error) {
	if len(args) != 2 && len(args) != 3 {
		return 0, errors.New("usage: fetch METHOD URL [BODY]")
	}
	body, err := request(args[0], args[1], strings.Join(args[2:], ""))
	_, _ = os.Stdout.Write(body)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1, nil
	}
	return 0, nil
}

// request sends a request to a fake, whose certificate nobody has to trust.
func request(method, url, body string) ([]byte, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body)) //nolint:noctx // the client has a time limit
	if err != nil {
		return nil, err
	}
	client := http.Client{
		Timeout:   patience,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		return nil, err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return text.Bytes(), errors.New(resp.Status)
	}
	return text.Bytes(), nil
}

// watched keeps what is written for others to look at meanwhile.
type watched struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
