package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"edrctl/internal/config"
	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// app is one run of edrctl: the world, the global flags, and what is made of
// them on the way.
type app struct {
	// Env has streams that redact and escape; streams are the bare ones.
	Env
	streams  Env
	flags    globals
	redactor *render.Redactor
	out      *render.RedactingWriter
	err      *render.RedactingWriter
	log      *slog.Logger
	// running is set once a command's own code runs; what fails before that
	// is a wrong command line.
	running bool
	file    *config.File
	stores  map[string]provision.Store // of the open tenants
	// passwords are those that the command makes; nil for none.
	passwords *passwords
	lines     *bufio.Reader // what people type

	interrupts *interrupts
}

// Main runs edrctl and returns its exit status.
func Main(args []string, env Env) (status int) {
	a := &app{Env: env, streams: env, redactor: render.NewRedactor(), stores: map[string]provision.Store{}, interrupts: newInterrupts()}
	out := &checkedWriter{w: env.Out}
	a.out = a.redactor.Writer(out)
	a.err = a.redactor.Writer(render.NewEscapingWriter(env.Err))
	a.Out, a.Err = a.out, a.err
	defer func() {
		if p := recover(); p != nil {
			_, _ = fmt.Fprintf(a.err, "edrctl: internal error: %v\n%s", p, debug.Stack())
			status = exitInternal
		}
		_ = a.out.Flush()
		if out.err != nil && status == exitOK {
			if !errors.Is(out.err, syscall.EPIPE) {
				a.say("%v", out.err)
			}
			status = exitInternal
		}
		if err := a.err.Flush(); err != nil && status == exitOK {
			status = exitInternal
		}
	}()
	root := newRootCmd(a)
	root.SetArgs(args)
	root.SetIn(env.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	switch err := root.ExecuteContext(context.Background()); {
	case err == nil:
	case errors.Is(out.err, syscall.EPIPE) && errors.Is(err, out.err):
		status = exitInternal // who reads it has read enough
	default:
		a.running = a.running || out.err != nil // the command line is not what is wrong
		status = a.report(err)
	}
	if a.interrupts.isStopped() {
		return exitInterrupted // also where nothing was left to be skipped
	}
	return status
}

// checkedWriter remembers that something could not be written, since help and
// completion do not ask.
type checkedWriter struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}

// report says what went wrong and returns the exit status.
func (a *app) report(err error) int {
	var said *statusError
	if errors.As(err, &said) {
		return said.status
	}
	var own *provision.Error
	if !errors.As(err, &own) && errors.Is(err, syscall.EPIPE) {
		return exitInternal // whoever reads stdout has read enough
	}
	if own == nil && errors.Is(err, context.Canceled) {
		err = &provision.Error{Kind: provision.ErrInterrupted, Message: "stopped by the user"}
	}
	if !a.running && !errors.As(err, &own) {
		err = &provision.Error{Kind: provision.ErrUsage, Message: err.Error()}
	}
	if werr := render.WriteError(a.Out, err, a.renderOptions()); werr != nil && werr.Error() != err.Error() {
		a.say("%v", werr)
	}
	a.complain(err)
	return exitStatus(err)
}

// complain writes an error and its hint to stderr.
func (a *app) complain(err error) {
	a.say("%v", err)
	if hint := render.ErrorOf(err).Hint; hint != "" {
		_, _ = fmt.Fprintf(a.Err, "  hint: %s\n", hint)
	}
}

// say writes a line to stderr.
func (a *app) say(format string, args ...any) {
	_, _ = fmt.Fprintf(a.Err, "edrctl: "+format+"\n", args...)
}

// note is say, unless --quiet.
func (a *app) note(format string, args ...any) {
	if !a.flags.quiet {
		a.say(format, args...)
	}
}

// run wraps a command's code, so that errors before it count as usage.
func (a *app) run(f func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.start(); err != nil {
			return err
		}
		a.running = true
		ctx, end := a.cancelable(cmd.Context())
		defer end()
		defer a.watchInterrupts()() // now that somebody is there to hear of one
		cmd.SetContext(ctx)
		return f(cmd, args)
	}
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args:                       cobra.ArbitraryArgs, // an unknown command is reported below
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}

func unknownCommand(cmd *cobra.Command, name string) error {
	err := &provision.Error{Kind: provision.ErrUsage, Message: fmt.Sprintf("there is no command %q", cmd.CommandPath()+" "+name)}
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		err.Hint = "did you mean " + strings.Join(quoted(near), " or ") + "?"
	} else {
		err.Hint = fmt.Sprintf("`%s --help` lists the commands", cmd.CommandPath())
	}
	return err
}

// wants checks the number of arguments of a command, at most -1 meaning any
// number, and names what is missing in the words of its usage line.
func wants(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && (most < 0 || len(args) <= most) {
			return nil
		}
		_, usage, _ := strings.Cut(cmd.Use, " ")
		message := fmt.Sprintf("`%s` takes %s", cmd.CommandPath(), usage)
		switch {
		case most == 0:
			message = fmt.Sprintf("`%s` takes no arguments", cmd.CommandPath())
		case len(args) < least:
			message = fmt.Sprintf("`%s` needs %s", cmd.CommandPath(), usage)
		}
		return &provision.Error{
			Kind: provision.ErrUsage, Message: message, Hint: fmt.Sprintf("`%s --help` shows examples", cmd.CommandPath()),
		}
	}
}

func quoted(names []string) []string {
	names = slices.Clone(names)
	for i, n := range names {
		names[i] = fmt.Sprintf("%q", n)
	}
	return names
}
