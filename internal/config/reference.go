package config

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// The kinds of references to secrets.
const (
	refEnv     = "env"
	refFile    = "file"
	refKeyring = "keyring"
	refExec    = "exec"
	refPrompt  = "prompt"
)

// reference says where a secret is kept.
type reference struct {
	kind string
	// name is the variable, the path, or the account in the keyring.
	name string
	// service is that in the keyring.
	service string
	// argv is the helper with its arguments.
	argv []string
}

// parseReference reads a reference. It is nil for a text that is none, and the
// fault says what is wrong with one. Neither repeats the text, which may be the
// secret itself.
func parseReference(text string) (ref *reference, fault string) {
	kind, rest, found := strings.Cut(text, ":")
	if !found {
		return nil, ""
	}
	switch kind {
	case refEnv:
		if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(rest) {
			return nil, "env: is followed by the name of a variable, as in env:FALCON_SECRET"
		}
		return &reference{kind: kind, name: rest}, ""
	case refFile:
		if rest == "" || strings.ContainsFunc(rest, isControl) {
			return nil, "file: is followed by a path, as in file:/run/secrets/edr"
		}
		return &reference{kind: kind, name: rest}, ""
	case refKeyring:
		service, account, _ := strings.Cut(rest, "/")
		if service == "" || account == "" || strings.ContainsFunc(rest, isControl) {
			return nil, "keyring: is followed by a service and an account, as in keyring:edrctl/falcon"
		}
		return &reference{kind: kind, service: service, name: account}, ""
	case refExec:
		var argv []string
		if err := json.Unmarshal([]byte(rest), &argv); err != nil || len(argv) == 0 || argv[0] == "" || strings.Contains(strings.Join(argv, ""), "\x00") {
			return nil, "exec: is followed by a program and its arguments as a list in JSON, as in exec:[\"op\",\"read\",\"op://it/edr\"]"
		}
		return &reference{kind: kind, argv: argv}, ""
	case refPrompt:
		if rest != "" {
			return nil, "prompt: stands alone"
		}
		return &reference{kind: kind}, ""
	}
	return nil, ""
}

// String is the reference as written, but for a helper's arguments: they may
// hold what nobody should read.
func (r reference) String() string {
	switch r.kind {
	case refKeyring:
		return fmt.Sprintf("keyring:%s/%s", r.service, r.name)
	case refExec:
		program, _ := json.Marshal(r.argv[0])
		if len(r.argv) == 1 {
			return fmt.Sprintf("exec:[%s]", program)
		}
		return fmt.Sprintf("exec:[%s,...]", program)
	default:
		return r.kind + ":" + r.name
	}
}
