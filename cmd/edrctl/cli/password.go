package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strings"

	"edrctl/internal/private"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// passwords are the first passwords of new users.
type passwords struct {
	given    provision.Secret
	generate bool
	out      string
	dryRun   bool
	// kept is what was written to out.
	kept []passwordLine
	// made is told each password that was generated.
	made func(provision.Secret)
}

// newPasswords checks --password, --generate-password and --password-out, and
// fetches what the reference means.
func (a *app) newPasswords(ctx context.Context, ref string, generate bool, out string) (*passwords, error) {
	switch {
	case ref != "" && generate:
		return nil, provision.Usagef("give --password or --generate-password, not both")
	case generate && out == "":
		return nil, provision.Usagef("--generate-password needs --password-out, a new file for the passwords")
	case out != "" && !generate:
		return nil, provision.Usagef("--password-out goes with --generate-password")
	}
	a.passwords = nil
	p := &passwords{
		generate: generate, out: out, dryRun: a.flags.dryRun, made: func(s provision.Secret) { a.redactor.Add(s) },
	}
	if ref == "" {
		a.passwords = p
		return p, nil
	}
	file, err := a.load()
	if err != nil {
		return nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	p.given, err = file.FlagSecret(ctx, ref, dir, "first password")
	return p, err
}

// first is the first password of one new user. It is empty where the vendor wants
// none, also if one is given: it is for other tenants of the command, and a vendor
// that invites people by mail might send none to somebody who has a password.
func (p *passwords) first(t plan.Target, login string) (provision.Secret, error) {
	v := t.Vendor
	switch {
	case v.PasswordRule == nil:
		return provision.Secret{}, nil
	case !p.given.Empty():
		return p.given, nil
	case p.generate:
		secret, err := generatePassword(*v.PasswordRule)
		if err != nil {
			return secret, err
		}
		if p.made(secret); p.dryRun {
			return secret, nil
		}
		return secret, p.keep(passwordLine{Tenant: t.Tenant, Login: login, Password: secret.Reveal()})
	}
	return provision.Secret{}, &provision.Error{
		Vendor: v.Name, Op: "create user", Kind: provision.ErrUsage, Message: "a new user needs a first password",
		Hint: "give --password with a reference such as env:NAME, or --generate-password --password-out FILE",
	}
}

// generatePassword draws a password from all classes of a rule together, anew
// until each class is in it, so that every such password is equally likely.
func generatePassword(rule provision.PasswordRule) (provision.Secret, error) {
	alphabet := strings.Join(rule.Classes, "")
	for {
		password := make([]byte, rule.Length)
		for i := range password {
			n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
			if err != nil {
				return provision.Secret{}, err
			}
			password[i] = alphabet[n.Int64()]
		}
		if hasAll(string(password), rule.Classes) {
			return provision.NewSecret(string(password)), nil
		}
	}
}

func hasAll(password string, classes []string) bool {
	for _, class := range classes {
		if !strings.ContainsAny(password, class) {
			return false
		}
	}
	return true
}

// passwordLine is a line of --password-out.
type passwordLine struct {
	Tenant   string `json:"tenant"`
	Login    string `json:"login"`
	Password string `json:"password"`
}

// keep writes a generated password to --password-out, a new file that only the
// user can read, before it is sent anywhere.
func (p *passwords) keep(l passwordLine) error {
	flags := os.O_WRONLY | os.O_APPEND
	if len(p.kept) == 0 {
		flags |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(p.out, flags, 0o600)
	if err != nil {
		return provision.Usagef("--password-out: %v", err)
	}
	p.kept = append(p.kept, l)
	if err := errors.Join(l.write(f), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("--password-out: %w", err)
	}
	return nil
}

func (l passwordLine) write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(l) //nolint:gosec // the file is where passwords belong
}

// settle takes out of --password-out what nobody's password has become: the
// account was there before, or was not made. Without results nothing was done.
func (p *passwords) settle(results []plan.Result) error {
	if p == nil || len(p.kept) == 0 {
		return nil
	}
	taken := map[string]bool{}
	for _, r := range results {
		if r.Outcome == plan.Created || r.Outcome == plan.Unknown {
			taken[r.Tenant+"\x00"+provision.FoldLogin(r.Login)] = true
		}
	}
	left := slices.DeleteFunc(slices.Clone(p.kept), func(l passwordLine) bool {
		return !taken[l.Tenant+"\x00"+provision.FoldLogin(l.Login)]
	})
	var err error
	var text bytes.Buffer
	for _, l := range left {
		err = errors.Join(err, l.write(&text))
	}
	switch {
	case len(left) == len(p.kept):
	case len(left) == 0:
		err = os.Remove(p.out)
	case err == nil:
		err = private.Write(p.out, text.Bytes())
	}
	if err != nil {
		return fmt.Errorf("--password-out: %w", err)
	}
	return nil
}
