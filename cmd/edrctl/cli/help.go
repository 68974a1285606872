package cli

import (
	"github.com/spf13/cobra"
)

// newTopics are pages of help that belong to no command.
func newTopics() []*cobra.Command {
	topic := func(name, short, text string) *cobra.Command {
		return &cobra.Command{Use: name, Short: short, Long: text}
	}
	return []*cobra.Command{
		topic("environment", "Configuration file and variables", helpEnvironment),
		topic("exit-codes", "What the exit statuses mean", helpExitCodes),
		topic("output", "Formats of results", helpOutput),
		topic("secrets", "Where secrets come from and where they never go", helpSecrets),
	}
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
