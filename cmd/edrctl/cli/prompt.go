package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// mayAsk reports whether somebody is there to answer.
func (a *app) mayAsk() bool { return a.InTTY && a.ErrTTY && !a.flags.noInput }

// promptSecret asks for a secret without echo.
func (a *app) promptSecret(_ context.Context, text string) (provision.Secret, error) {
	line, err := a.typed(text+": ", a.ReadSecret)
	if errors.Is(err, provision.ErrInterrupted) {
		return provision.Secret{}, err
	}
	_, _ = fmt.Fprintln(a.Err)
	if err != nil {
		return provision.Secret{}, provision.Usagef("reading %s: %v", text, err)
	}
	return provision.NewSecret(line), nil
}

// confirm asks before a change that takes everything from somebody. Several
// deletions want their number typed; everything else wants "y" or "yes".
func (a *app) confirm(_ context.Context, q plan.Question) error {
	if a.flags.yes {
		return nil
	}
	text, want := question(q)
	if !a.mayAsk() {
		return &provision.Error{
			Kind: provision.ErrRefused, Message: "this needs to be confirmed: " + text,
			Hint: "add --yes to confirm without a terminal",
		}
	}
	answer, err := a.ask(text + " " + instruction(want) + " ")
	if err != nil {
		return err
	}
	if want == "" && (strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")) || want != "" && answer == want {
		return nil
	}
	return &provision.Error{Kind: provision.ErrRefused, Message: "not confirmed; nothing was changed"}
}

// confirmTyped asks before something that wants more than a yes.
func (a *app) confirmTyped(what, want string) error {
	if a.flags.yes {
		return nil
	}
	if !a.mayAsk() {
		return &provision.Error{
			Kind: provision.ErrRefused, Message: "this needs to be confirmed: " + what,
			Hint: "add --yes to confirm without a terminal",
		}
	}
	answer, err := a.ask(what + "? " + instruction(want) + " ")
	if err != nil {
		return err
	}
	if provision.SameLogin(answer, want) {
		return nil
	}
	return &provision.Error{Kind: provision.ErrRefused, Message: "not confirmed; nothing was changed"}
}

// question words what is about to happen, and what must be typed.
func question(q plan.Question) (text, want string) {
	people := map[string]bool{}
	tenants := map[string]bool{}
	verb := "delete"
	for _, c := range append(append([]plan.Change{}, q.Deletes...), q.Revokes...) {
		people[provision.FoldLogin(c.Login)] = true
		tenants[c.Tenant] = true
		if c.Action != plan.DeleteUser {
			verb = "take all roles from"
		}
	}
	where := fmt.Sprintf("in %s?", joinSorted(tenants))
	if len(people) == 1 {
		return fmt.Sprintf("%s %s %s", verb, joinSorted(people), where), ""
	}
	n := strconv.Itoa(len(people))
	if verb != "delete" {
		return fmt.Sprintf("%s %s users (%s) %s", verb, n, joinSorted(people), where), ""
	}
	return fmt.Sprintf("%s %s users (%s) %s", verb, n, joinSorted(people), where), n
}

func instruction(want string) string {
	if want == "" {
		return "[y/N]"
	}
	return fmt.Sprintf("Type %s to go on:", want)
}

func (a *app) ask(text string) (string, error) {
	if a.lines == nil {
		a.lines = bufio.NewReader(a.In)
	}
	line, err := a.typed(text, func() (string, error) { return a.lines.ReadString('\n') })
	if errors.Is(err, provision.ErrInterrupted) {
		return "", err
	}
	if err != nil && line == "" {
		_, _ = fmt.Fprintln(a.Err)
		return "", &provision.Error{Kind: provision.ErrRefused, Message: "no answer; nothing was changed"}
	}
	return strings.TrimSpace(line), nil
}
