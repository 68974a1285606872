package cli

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// TestReviewTellsWhatIsThere holds a review of four consoles against what the
// fakes have: each person is one row, with all roles that they hold directly, and
// CSV, lines and JSON say the same.
func TestReviewTellsWhatIsThere(t *testing.T) {
	t.Parallel()
	s := openScene(t, oneOfEach()...)
	r := s.run("review")
	require.Zero(t, r.status, r.String())
	rows := map[string]object{}
	for _, item := range r.items {
		login := item["login"].(string)
		assert.NotContains(t, rows, login)
		assert.Equal(t, provision.FoldLogin(login), login)
		rows[login] = item["tenants"].(object)
	}
	cells, seen := 0, map[string]bool{}
	for _, c := range s.consoles {
		state := stateOf(t, s.server(c))
		cells += len(objects(state["users"]))
		for login, tenants := range rows {
			is := c.account(state, login)
			at, there := tenants[c.vendor].(object)
			assert.Equal(t, is.listed == 1, there, "%s in %s", login, c.vendor)
			if !there {
				continue
			}
			cells--
			var direct []string
			for _, role := range objects(at["roles"]) {
				if role["direct"] == true {
					direct = append(direct, role["id"].(string))
				}
				seen["expiry in "+c.vendor] = seen["expiry in "+c.vendor] || role["expiresAt"] != nil && at["expiresAt"] != nil
			}
			slices.Sort(direct)
			assert.Subset(t, direct, is.roles, "%s in %s", login, c.vendor)
			seen["last sign-in in "+c.vendor] = seen["last sign-in in "+c.vendor] || at["lastLogin"] != nil
		}
	}
	assert.Zero(t, cells, "everybody is in it")
	assert.Len(t, rows["ada.moreau@example.com"], 4, "one row, however each console spells it")
	for _, v := range vendors() {
		assert.Equal(t, v.LastLogins, seen["last sign-in in "+v.Name], v.Name)
	}
	assert.True(t, seen["expiry in crowdstrike"])

	table := s.start("review -o csv").stdout
	records, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, len(r.items)+1)
	lines := strings.Split(strings.TrimSpace(s.start("review -o jsonl").stdout), "\n")
	require.Len(t, lines, len(r.items))
	for i, item := range r.items {
		whole, err := json.Marshal(item)
		require.NoError(t, err)
		assert.JSONEq(t, string(whole), lines[i])
		tenants, err := json.Marshal(item["tenants"])
		require.NoError(t, err)
		assert.JSONEq(t, string(tenants), records[i+1][1])
		assert.Equal(t, item["login"], records[i+1][0])
		assert.Equal(t, strings.Join(r.texts(i, "marks"), ";"), records[i+1][2])
	}
}

// TestReviewAgainst compares with lists as other programs write them.
func TestReviewAgainst(t *testing.T) {
	t.Parallel()
	s := openScene(t, falcon(), cybereasonConsole())
	everybody := strings.Fields(s.start("review -o name").stdout)
	file := filepath.Join(s.dir, "people.csv")
	for _, tt := range []struct{ name, header, row, end string }{
		{"a column", "login", "%", "\n"},
		{"from Windows", "\ufeffNumber,Email,Manager", `17,"%",x`, "\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for want, people := range map[string][]string{
				"":        append(slices.Clone(everybody), strings.ToUpper(everybody[0])),
				"orphan":  everybody[1:],
				"missing": append(slices.Clone(everybody), personNobody),
			} {
				text := tt.header + tt.end
				for _, login := range people {
					text += strings.ReplaceAll(tt.row, "%", login) + tt.end
				}
				require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
				r := s.run("review --exit-code --against " + file)
				marked := map[string][]string{}
				for i, item := range r.items {
					for _, mark := range []string{"orphan", "missing"} {
						if slices.Contains(r.texts(i, "marks"), mark) {
							marked[mark] = append(marked[mark], item["login"].(string))
						}
					}
				}
				switch want {
				case "":
					assert.Zero(t, r.status)
					assert.Empty(t, marked)
				case "orphan":
					assert.Equal(t, exitChanges, r.status)
					assert.Equal(t, map[string][]string{"orphan": everybody[:1]}, marked)
				case "missing":
					assert.Equal(t, exitChanges, r.status)
					assert.Equal(t, map[string][]string{"missing": {personNobody}}, marked)
				}
				s.environ = []string{"EDRCTL_CYBEREASON_URL=https://127.0.0.1:1"}
				r = s.run("review --exit-code --max-wait 1ms --against " + file)
				s.environ = nil
				assert.Equal(t, exitPartial, r.status, "a console that is not read goes before what is marked")
				assert.Len(t, r.errors, 1)
			}
		})
	}
	for _, text := range []string{"", "name\nAda\n", "login;name\nada@example.com;Ada\n", "login\nada\n", "login,login\na@b.example,a@b.example\n"} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		assert.Equal(t, exitUsage, s.run("review --exit-code --against "+file).status, "%q", text)
	}
	assert.Equal(t, exitUsage, s.run("review --against "+file+".missing").status)
	assert.Equal(t, exitUsage, s.run("review --against "+s.dir).status)
}
