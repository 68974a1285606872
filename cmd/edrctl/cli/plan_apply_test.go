package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// change writes a roster that makes somebody, where the vendor can, gives and
// takes roles, changes details, ends access and removes somebody.
func (s *scene) change(c vendorConsole) string {
	end := "2099-01-01"
	if c.name == "crowdstrike-legacy" { // whose operations know none, which plan cannot know
		end = ""
	}
	rows := []string{
		"login,first-name,last-name,roles,tenants,state,expires,password",
		fmt.Sprintf("%s,,,%s,%s,present,,", personAda, c.words["other"], c.vendor),
		fmt.Sprintf("%s,,,%s,%s,present,%s,", personBen, c.words["role"], c.vendor, end),
		fmt.Sprintf("%s,,,,%s,absent,,", personEve, c.vendor),
	}
	if c.vendor != "cortex" {
		rows = append(rows, fmt.Sprintf("%s,Nia,Okoro,%s,%s,present,,env:FIRST_PASSWORD", personNobody, c.words["role"], c.vendor))
	}
	path := filepath.Join(s.dir, "team.csv")
	require.NoError(s.t, os.WriteFile(path, []byte(strings.Join(rows, "\n")), 0o600))
	return path
}

// TestPlanChangesNothing runs plan with every flag that it has, and with those of
// all commands that concern the result. No vendor gets a request that may change
// something, and no file is written but --out.
func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	flags := []string{
		"", "--prune", "--out {dir}/made.plan.json", "--exit-code", "--shard 0/1", "--shard 1/2", "-t {vendor}", "--dry-run", "--yes",
		"--parallel 1", "--jq .summary", "-o table", "-o wide", "-o json", "-o jsonl", "-o yaml", "-o csv", "-o name",
		"--prune --exit-code --out {dir}/made.plan.json --shard 0/1 -t {vendor} --yes -o csv",
	}
	for _, c := range vendorConsoles() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := openScene(t, c)
			roster := s.change(c)
			before := s.lasting(c)
			for _, flag := range flags {
				r := s.start("plan -f " + roster + " " + flag)
				want := exitOK
				if strings.Contains(flag, "--exit-code") {
					want = exitChanges
				}
				assert.Equal(t, want, r.status, "%s: %s", flag, r)
				assert.Empty(t, s.writes(c), flag)
				assert.NoFileExists(t, filepath.Join(s.dir, "edrctl", "audit.jsonl"), flag)
				assert.Equal(t, strings.Contains(flag, "--out"), os.Remove(filepath.Join(s.dir, "made.plan.json")) == nil, flag)
			}
			assert.Equal(t, before, s.lasting(c))
		})
	}
}

// TestApplyAgain applies a roster, and again: the second time nothing is sent that
// may change something, whatever form the console keeps roles in.
func TestApplyAgain(t *testing.T) {
	t.Parallel()
	for _, c := range vendorConsoles() {
		for _, form := range []string{"roles", "profiles"} {
			if c.vendor != "carbonblack" && form != "roles" {
				continue
			}
			t.Run(c.name+"/"+form, func(t *testing.T) {
				t.Parallel()
				s := openScene(t, c)
				if c.vendor == "carbonblack" {
					require.NoError(t, s.server(c).Set("grant-form", form))
				}
				command := "apply --yes -f " + s.change(c)
				r := s.run(command)
				require.Zero(t, r.status, r.String())
				require.NotEmpty(t, s.writes(c))
				again := func(outcomes ...any) {
					s.server(c).ClearRequests()
					before := s.lasting(c)
					r := s.run(command)
					assert.Zero(t, r.status, r.String())
					for _, item := range r.items {
						assert.Contains(t, outcomes, item["outcome"], r.String())
					}
					assert.Empty(t, s.writes(c))
					assert.Equal(t, before, s.lasting(c))
				}
				again("unchanged", "absent", "invited")
				if c.vendor == "carbonblack" {
					require.NoError(t, s.server(c).Activate(personNobody))
					again("unchanged", "absent")
				}
			})
		}
	}
}
