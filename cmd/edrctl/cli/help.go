package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
)

// newTopics are pages of help that belong to no command.
func newTopics(vendors []provision.Vendor) []*cobra.Command {
	topic := func(name, short, text string) *cobra.Command {
		cmd := &cobra.Command{Use: name, Short: short, Long: text}
		cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _, _ = fmt.Fprintln(cmd.OutOrStdout(), cmd.Long) })
		return cmd
	}
	return []*cobra.Command{
		topic("environment", "Configuration file and variables", helpEnvironment),
		topic("exit-codes", "What the exit statuses mean", helpExitCodes),
		topic("output", "Formats of results", helpOutput),
		topic("secrets", "Where secrets come from and where they never go", helpSecrets),
		topic("roster", "The file that says who should have access to what", helpRoster),
		topic("vendors", "How the vendors differ", helpVendors(vendors)),
	}
}

// helpArgs refuses help on what does not exist.
func helpArgs(cmd *cobra.Command, args []string) error {
	found, left, err := cmd.Root().Find(args)
	if err == nil && found.HasSubCommands() && len(left) > 0 {
		return unknownCommand(found, left[0])
	}
	return nil
}

const helpEnvironment = `CONFIGURATION

edrctl reads one file: the one named by --config, else by $EDRCTL_CONFIG, else
edrctl/config.yaml in the folder for configuration ($XDG_CONFIG_HOME).

  version: 1
  default-tenants: [falcon-prod]
  tenants:
    falcon-prod:
      vendor: crowdstrike
      region: us-2
      client-id: 0f1e2d3c4b5a69788796a5b4c3d2e1f0
      client-secret: env:FALCON_CLIENT_SECRET
  roles:
    analyst:
      crowdstrike: [falconhost_read_only]
  guards:
    protected: [break-glass@acme.example]
    max-deletes: 10

A tenant is one console of one vendor. ` + "`edrctl vendor show VENDOR`" + ` lists the
keys it takes; every tenant also takes ca-file, client-cert, client-key, proxy,
timeout, max-wait, requests-per-minute and insecure-skip-verify.

VARIABLES

A value is looked for in this order: flag, variable, file, default.

  EDRCTL_<TENANT>_<KEY>    a key of a tenant, in upper case, dashes as
                           underscores; EDRCTL_<TENANT>_VENDOR alone makes a
                           tenant
  EDRCTL_CONFIG            the configuration file
  EDRCTL_DEFAULT_TENANTS   names, separated by commas
  EDRCTL_SESSION_CACHE     file, or off: keep nothing and sign out at the end
  EDRCTL_OUTPUT            the output format
  NO_COLOR, CLICOLOR_FORCE, TERM=dumb
                           colours; --color goes before them

FILES

Sessions are kept under $XDG_CACHE_HOME, the record of changes under
$XDG_STATE_HOME (~/.local/state), both readable by you only.`

const helpExitCodes = `  0    done, or nothing to do
  1    a fault in edrctl, or an answer of a vendor that it cannot place
  2    wrong command line, configuration or file; nothing was changed
  3    credentials refused, a permission or licence missing, or a certificate
       that is not trusted
  4    no such user or role
  5    already there, or changed by somebody else
  6    several targets, and not all ended well; or access remains
  7    throttled or unreachable; nothing was changed, safe to run again
  8    there is something to do (only with --exit-code)
  9    refused by a guard, or not confirmed
  10   this vendor cannot do it
  11   a change may have happened; the message says what to check
  12   the vendor rejects the value or the action
  130  interrupted

Several targets that all fail alike give that status; otherwise it is 6.`

const helpOutput = `Results go to stdout, everything else to stderr.

  -o table    for people (default); -o wide has more columns
  -o json     one object: apiVersion, kind, items
  -o jsonl    the items, one a line
  -o yaml     as json
  -o csv      one row an item; roles are ids joined by ";"
  -o name     one login or name a line
  --jq EXPR   filter the JSON; strings come out raw

Each object says its apiVersion, edrctl/v1, and its kind. Within that version
keys are added, never removed or given another type. The schema of each kind is
in docs/schemas of the source, as KIND.json.

Targets that could not be read are under "errors" in json and yaml, lines of
kind Error in jsonl, and messages on stderr otherwise. Commands that change
something have an item for every target. A command that ended before any target
was tried prints an object of kind Error.

Control characters that come from a vendor are shown as escapes, and cells that
a spreadsheet would run begin with an apostrophe in CSV.`

const helpSecrets = `The configuration names secrets, it does not hold them:

  env:NAME                  a variable
  file:PATH                 a file that only you can read
  keyring:SERVICE/ACCOUNT   an item of the OS keyring
  exec:["prog","arg"]       what a helper prints; no shell is involved
  prompt:                   asked for on the terminal

With a top-level "allow-plaintext-secrets: true" the file may hold literals, and
must then be readable by you only. EDRCTL_<TENANT>_<KEY> holds a value itself.

` + "`edrctl auth set TENANT KEY`" + ` stores a secret in the keyring. No flag takes a
secret, and none is shown in output, errors, traces, plans or the record.`

const helpRoster = `A roster says who should have access to what. It is YAML, JSON or CSV, by the
name of the file; - is YAML on standard input.

  apiVersion: edrctl/v1
  kind: Roster
  defaults: {tenants: [falcon-prod, cbc]}
  users:
    - login: ines.duarte@example.com
      first-name: Ines
      last-name: Duarte
      roles: [analyst]                   # aliases or vendor roles
      tenants: [falcon-prod, cbc, cr]    # optional
      tenant-roles: {cbc: [SOC Triage]}  # in addition, for that tenant
      options: {cybereason: {totp-enabled: true}}
      password: env:INES_FIRST_PASSWORD  # a reference, where a vendor wants one
      expires: 2027-03-31                # end of access, start of that day, UTC
    - login: tomas.keller@example.com
      state: absent

As CSV the header is login,first-name,last-name,roles,tenants,state,expires in
any order, with further columns called vendor.option. Roles and tenants are
separated by ";".

Direct roles are made exactly those of the roster; details only where it gives
them. Temporary and inherited roles stay. Whoever the roster does not name is
left alone, unless --prune is given. Where a vendor cannot end access by itself,
the first apply after "expires" takes all direct roles away.

  edrctl export -A --out team.yaml      a roster of what is there now
  edrctl plan -f team.yaml              what apply would do
  edrctl apply -f team.yaml             make it so; a second run does nothing
  edrctl plan -f team.yaml --out p.json && edrctl apply p.json

A plan file holds no secret. Whoever has changed since it was made is left alone
and reported as stale. --expect-sha refuses a plan other than the one that was
looked at. A plan's sha256 is that of the same JSON without the key sha256 and
without white space between values: jq -cj 'del(.sha256)' p.json | sha256sum`

// helpVendors is what the vendors say of themselves.
func helpVendors(vendors []provision.Vendor) string {
	var b strings.Builder
	for _, v := range vendors {
		b.WriteString(v.Title + "\n  " + strings.ReplaceAll(v.About, "\n", "\n  ") + "\n\n")
	}
	return b.String() + "`edrctl vendor show VENDOR` lists what works, why something does not, and the\noptions for --set."
}

// helpMock is the help of the command, which is a topic too.
const helpMock = `` + "`edrctl mock exec -- COMMAND`" + ` starts fakes of all vendors on loopback, runs the
command with EDRCTL_CONFIG set, and ends with its status. There is a tenant for
each, called like the vendor. ` + "`edrctl mock serve`" + ` serves until it is
interrupted.

  edrctl mock exec -- edrctl user list -A
  edrctl mock exec --vendor crowdstrike -- ./onboard.sh
  edrctl mock serve --write-config mock.yaml

A fault is VENDOR:METHOD:PATHPART:ACTION[:COUNT], where the action is a status
(429, 500), after-STATUS (applied, then that status), drop-before, drop-after,
truncate, delay, expire-session, html or reset:

  edrctl mock exec --fault crowdstrike:POST:/users/v1:drop-after -- ./onboard.sh

A switch chooses a behaviour that a vendor's documentation leaves open:

  edrctl mock exec --switch carbonblack:instant-activation=on -- ./onboard.sh

Each port has a control API:

  GET  /_mock/requests   what was received      GET  /_mock/state     what is there
  POST /_mock/faults     order a fault          POST /_mock/reset     begin anew
  POST /_mock/activate   {"login":"..."}        GET, POST /_mock/switches`
