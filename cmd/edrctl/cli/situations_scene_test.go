package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edrctl/internal/mock"
	"edrctl/internal/render"
)

// firstPassword satisfies every vendor's rule.
const firstPassword = "Correct#Horse7Battery"

// wrongSecret has the length of a Falcon secret, which is looked at.
const wrongSecret = "wrong0000000000000000000000000000000wrong"

// tester is a test, or a case of a property.
type tester interface {
	rapid.TB
	Context() context.Context
	Cleanup(f func())
}

// scene is a place of its own for one case: fakes, a configuration that names
// them, folders, and the world as edrctl sees it.
type scene struct {
	t        tester
	consoles []vendorConsole
	servers  *mock.Servers
	dir      string
	env      Env
	// before is what the fake of the first console held before the command.
	before seen
	// environ has variables beside those that every case has.
	environ []string
}

// openScene starts the fakes of some consoles. Looks at a lost answer follow
// one another at once.
func openScene(t *testing.T, consoles ...vendorConsole) *scene {
	t.Helper()
	return openSceneIn(t, t.TempDir(), mock.Options{Makers: mocks()}, consoles...)
}

// openSceneIn is openScene in a folder that is there, with fakes of some makers
// that are served in another way.
func openSceneIn(t tester, dir string, options mock.Options, consoles ...vendorConsole) *scene {
	t.Helper()
	s := &scene{t: t, consoles: consoles, dir: dir}
	makers := options.Makers
	options.Makers = nil
	for _, c := range consoles {
		options.TOTP = options.TOTP || c.totp
		for _, m := range makers {
			if m.Vendor == c.vendor {
				options.Makers = append(options.Makers, m)
			}
		}
	}
	servers, err := mock.Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, servers.Close()) })
	s.servers = servers
	for _, c := range consoles {
		c.prepare(t, s.server(c))
	}
	require.NoError(t, writeMockConfig(servers, s.config()))
	s.env = Env{Now: time.Now, Vendors: vendors(), Mocks: mocks(), Looks: []time.Duration{0, 0, 0}}
	return s
}

func (s *scene) config() string { return filepath.Join(s.dir, "config.yaml") }

func (s *scene) server(c vendorConsole) *mock.Server { return s.servers.Server(c.vendor) }

// configure appends to the configuration.
func (s *scene) configure(text string) {
	s.t.Helper()
	data, err := os.ReadFile(s.config())
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(s.config(), append(data, text...), 0o600))
}

// finished is how a command ended.
type finished struct {
	status         int
	stdout, stderr string
	// items, errors and failure are what the JSON document has.
	items, errors []object
	failure       object
}

// outcome is that of the only result; empty for a reading command and for one
// that was refused as a whole.
func (r finished) outcome() string {
	if len(r.items) != 1 {
		return ""
	}
	outcome, _ := r.items[0]["outcome"].(string)
	return outcome
}

func (r finished) texts(item int, field string) []string {
	var all []string
	list, _ := r.items[item][field].([]any)
	for _, x := range list {
		all = append(all, x.(string))
	}
	return all
}

func (r finished) String() string {
	return fmt.Sprintf("status %d\n%s%s", r.status, r.stdout, r.stderr)
}

// run runs edrctl. Words in braces are those of the first console.
func (s *scene) run(command string) finished {
	s.t.Helper()
	return s.read(s.start(command))
}

// start runs edrctl and judges nothing, so that any goroutine may call it.
func (s *scene) start(command string) finished {
	args := []string{"-o", "json"}
	for _, arg := range strings.Fields(command) {
		args = append(args, s.say(arg))
	}
	env := s.env
	var out, errs bytes.Buffer
	env.In, env.Out, env.Err = strings.NewReader(""), &out, &errs
	env.Environ = []string{
		"EDRCTL_CONFIG=" + s.config(), "XDG_CACHE_HOME=" + s.dir, "XDG_STATE_HOME=" + s.dir, "FIRST_PASSWORD=" + firstPassword,
	}
	for _, v := range s.environ {
		env.Environ = append(env.Environ, s.say(v))
	}
	status := Main(args, env)
	return finished{status: status, stdout: out.String(), stderr: errs.String()}
}

// read takes apart what edrctl has written.
func (s *scene) read(r finished) finished {
	s.t.Helper()
	for _, secret := range []string{firstPassword, wrongSecret} {
		assert.NotContains(s.t, r.stdout+r.stderr, secret)
	}
	var doc struct {
		Kind   string
		Items  []object
		Errors []object
		Error  object
	}
	require.NoError(s.t, json.Unmarshal([]byte(r.stdout), &doc), r.String())
	r.items, r.errors, r.failure = doc.Items, doc.Errors, doc.Error
	assert.Equal(s.t, doc.Kind == render.KindError, r.failure != nil)
	return r
}

// say puts the words of the first console into a text.
func (s *scene) say(text string) string {
	c := s.consoles[0]
	words := []string{
		"{ada}", strings.ToLower(personAda), "{ADA}", strings.ToUpper(personAda), "{ben}", personBen, "{eve}", personEve,
		"{nobody}", personNobody, "{password}", "--password=env:FIRST_PASSWORD", "{dir}", s.dir, "{wrong}", wrongSecret,
		"{vendor}", c.vendor, "{TENANT}", strings.ToUpper(c.vendor),
	}
	for word, means := range c.words {
		words = append(words, "{"+word+"}", means)
	}
	return strings.NewReplacer(words...).Replace(text)
}

// fault orders a fault for the requests of an operation: "create drop-after",
// "list 429=60", with a number of times at the end if it is not one.
func (s *scene) fault(order string) {
	s.t.Helper()
	c := s.consoles[0]
	if operation, _, _ := strings.Cut(order, " "); operation != "any" && c.routes[operation] == "" {
		s.t.Fatalf("%s has no %s", c.name, operation)
	}
	s.faultAt(c, order)
}

// faultAt is fault for one of several consoles. An operation that it does not
// have is left alone.
func (s *scene) faultAt(c vendorConsole, order string) {
	s.t.Helper()
	words := strings.Fields(order)
	method, path := "*", "*"
	if words[0] != "any" {
		route, ok := c.routes[words[0]]
		if !ok {
			return
		}
		method, path, _ = strings.Cut(route, " ")
	}
	_, f, err := mock.ParseFault(strings.Join(append([]string{c.vendor, method, path}, words[1:]...), ":"))
	require.NoError(s.t, err)
	require.NoError(s.t, s.server(c).Fault(f))
}

func (s *scene) account(c vendorConsole, login string) account {
	s.t.Helper()
	return c.account(stateOf(s.t, s.server(c)), login)
}

// lasting is the part of a fake's state that requests change on purpose.
func (s *scene) lasting(c vendorConsole) string {
	s.t.Helper()
	state := stateOf(s.t, s.server(c))
	for _, u := range objects(state["users"]) {
		delete(u, "codes") // of the second factor
	}
	kept := object{}
	for _, field := range []string{"users", "grants", "pending", "groups", "googleAuth", "actions"} {
		kept[field] = state[field]
	}
	data, err := json.Marshal(kept)
	require.NoError(s.t, err)
	return string(data)
}

// writes are the requests that may have changed something, since the log was
// last cleared.
func (s *scene) writes(c vendorConsole) []mock.Request {
	return slices.DeleteFunc(s.server(c).Requests(), func(r mock.Request) bool { return !r.Write })
}

// creates are the requests that ask for an account.
func (s *scene) creates(c vendorConsole) []mock.Request {
	method, path, ok := strings.Cut(c.routes["create"], " ")
	return slices.DeleteFunc(s.server(c).Requests(), func(r mock.Request) bool {
		return !ok || !r.Write || r.Method != method || !strings.Contains(r.Path, path)
	})
}

// carriedOut reports whether a fake acted on a request, as far as the log
// tells.
func carriedOut(r mock.Request) bool {
	switch r.Fault {
	case "":
		return r.Status < 300
	case "drop-before", "reset", "html":
		return false
	}
	return !regexp.MustCompile(`^[0-9]+$`).MatchString(r.Fault)
}
