package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// globals are the flags that every command takes.
type globals struct {
	config     string
	tenants    []string
	allTenants bool
	output     string
	jq         string
	dryRun     bool
	yes        bool
	noInput    bool
	lockout    bool
	timeout    time.Duration
	maxWait    time.Duration
	parallel   int
	verbose    bool
	trace      bool
	color      string
	quiet      bool
}

func newRootCmd(a *app) *cobra.Command {
	cmd := group("edrctl", "Get people into and out of EDR consoles",
		newUserCmd(a), newRoleCmd(a), newPlanCmd(a), newApplyCmd(a), newExportCmd(a), newOffboardCmd(a), newReviewCmd(a),
		newTenantCmd(a), newVendorCmd(a), newAuditCmd(a), newDoctorCmd(a),
		newConfigCmd(a), newAuthCmd(a), newMockCmd(a), newVersionCmd(a))
	cmd.Long = "edrctl creates, changes and removes people's accounts, with one set of verbs for\nthe consoles of all of these:\n"
	for _, v := range a.Vendors {
		cmd.Long += "\n* " + v.Title
	}
	cmd.AddCommand(newTopics(a.Vendors)...)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.CompletionOptions.HiddenDefaultCmd = false
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		message := err.Error()
		if strings.HasPrefix(message, "unknown shorthand flag") {
			message, _, _ = strings.Cut(message, " in -") // what follows may be a secret, as in -pSECRET
		}
		return &provision.Error{
			Kind: provision.ErrUsage, Message: message,
			Hint: fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath()),
		}
	})
	answerVersion(cmd)
	cmd.InitDefaultHelpCmd()
	if help, _, err := cmd.Find([]string{"help"}); err == nil {
		help.Args = helpArgs
	}
	a.flags.add(cmd.PersistentFlags())
	a.completeFlags(cmd)
	return cmd
}

func (g *globals) add(f *pflag.FlagSet) {
	f.StringVar(&g.config, "config", "", "configuration `file`")
	f.StringSliceVarP(&g.tenants, "tenant", "t", nil, "`tenant` to work on; repeatable")
	f.BoolVarP(&g.allTenants, "all-tenants", "A", false, "work on all tenants")
	f.StringVarP(&g.output, "output", "o", "", "`format`: table, wide, json, jsonl, yaml, csv, name")
	f.StringVar(&g.jq, "jq", "", "filter the JSON output with a jq `expression`")
	f.BoolVar(&g.dryRun, "dry-run", false, "show what would be done and change nothing")
	f.BoolVarP(&g.yes, "yes", "y", false, "do not ask for confirmation")
	f.BoolVar(&g.noInput, "no-input", false, "never ask for anything")
	f.BoolVar(&g.lockout, "allow-lockout", false, "lift the guard against locking administrators out")
	f.DurationVar(&g.timeout, "timeout", 0, "limit for one attempt of a request (default 30s)")
	f.DurationVar(&g.maxWait, "max-wait", 0, "longest wait for a throttling vendor (default 2m)")
	f.IntVar(&g.parallel, "parallel", 0, "most changes in flight per tenant")
	f.BoolVarP(&g.verbose, "verbose", "v", false, "say what is being done and why it waits")
	f.BoolVar(&g.trace, "trace", false, "show every HTTP request on stderr, without secrets")
	f.StringVar(&g.color, "color", "auto", "colours: auto, always or never")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "no messages but errors")
}

// start checks the global flags and prepares output and logging.
func (a *app) start() error {
	if a.flags.parallel < 0 {
		return provision.Usagef("--parallel is at least 1")
	}
	switch a.flags.color {
	case "auto", "always", "never":
	default:
		return provision.Usagef("--color is auto, always or never, not %q", a.flags.color)
	}
	a.log = a.newLogger()
	return a.renderOptions().Check()
}

// renderOptions say how results are shown.
func (a *app) renderOptions() render.Options {
	format := a.flags.output
	if format == "" && a.file != nil {
		format = a.file.Output
	}
	if format == "" {
		format = a.Getenv("EDRCTL_OUTPUT")
	}
	if format == "" {
		format = string(render.Table)
	}
	return render.Options{
		Format: render.Format(format), JQ: a.flags.jq, Width: a.Width,
		Color:    render.UseColor(a.flags.color, a.OutTTY, a.Getenv),
		Redactor: a.redactor,
	}
}
