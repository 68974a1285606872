package roster

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// inPieces reads YAML user by user, however small it is.
func inPieces(file string) (*Roster, error) {
	return read(strings.NewReader(file), "roster.yaml", 0, 1)
}

func whole(file string) (*Roster, error) {
	return read(strings.NewReader(file), "roster.yaml", maxFile, 1)
}

// requireAlike checks that reading in pieces takes nothing that reading the file
// as a whole would not take, or not in the same way.
func requireAlike(tb require.TestingT, file string) {
	got, err := inPieces(file)
	if err != nil {
		return
	}
	want, err := whole(file)
	require.NoError(tb, err, "%s", file)
	require.Equal(tb, want.Users, got.Users, "%s", file)
	require.Equal(tb, want.Defaults, got.Defaults, "%s", file)
}

func TestPiecesAreCutRight(t *testing.T) {
	tests := []struct {
		name string
		file string
		// fault is what is wrong with it; empty for nothing.
		fault string
	}{
		{"plain", yamlFile("  - login: a@b.example", "  - login: c@b.example", "", "# end"), ""},
		{"keys behind", yamlFile("  - login: a@b.example") + "\n# now\ndefaults:\n  tenants: [a]\n", ""},
		{"not indented", yamlFile("- login: a@b.example", "- login: c@b.example") + "defaults: {}\n", ""},
		{"comments between", yamlFile("# one", "    # two", "  - login: a@b.example", "# three", "", "    first-name: x # four", "  # five", "  - login: c@b.example"), ""},
		{"comment behind the key", "apiVersion: edrctl/v1\nkind: Roster\nusers:   # all\n  - login: a@b.example\n", ""},
		{"dash alone", yamlFile("  -", "    login: a@b.example", "  -", "    login: c@b.example"), ""},
		{"lists in users", yamlFile("  - roles:", "    - a", "    - b", "    login: a@b.example", "  - login: c@b.example", "    roles:", "      - a", "      - b"), ""},
		{"quotes over a cut", yamlFile("  - login: a@b.example", "    first-name: \"x", "  - login: c@b.example", "    y\""), ""},
		{"brackets over a cut", yamlFile("  - login: a@b.example", "    roles: [x", "  - y]", "  - login: c@b.example"), ""},
		{"folded text", yamlFile("  - login: a@b.example", "    first-name: >-", "      - login: c@b.example", "  - login: c@b.example"), ""},
		{"users in a quoted text", "apiVersion: \"edrctl/v1\nusers:\n  - x\n\"\nkind: Roster\nusers: []\n", "2:1: the list of users is not laid out"},
		{"quote left open", yamlFile("  - login: a@b.example", "    first-name: \"x", "  - login: c@b.example"), "not YAML from here on: found unexpected end of stream"},
		{"less indented", yamlFile("  - login: a@b.example", " - login: c@b.example"), "3:1: the list of users is not laid out"},
		{"list in brackets", "apiVersion: edrctl/v1\nkind: Roster\nusers: [{login: a@b.example}]\n", "1:1: a roster of more than 512 KiB has"},
		{"no list", yamlFile("  x: y"), "1:1: a roster of more than 512 KiB has"},
		{"nothing", yamlFile(), "1:1: a roster of more than 512 KiB has"},
		{"second document", yamlFile("  - login: a@b.example") + "---\nx: y\n", "5:1: a second document begins here"},
		{"second list", yamlFile("  - login: a@b.example") + "users:\n  - login: c@b.example\n", `5:1: key "users" stands here again, after line 3`},
		{"anchor far away", yamlFile("  - login: a@b.example", "    roles: &x [a]", "  - login: c@b.example", "    roles: *x"), "5:12: " + noAnchors},
		{"twice", yamlFile("  - login: a@b.example", "  - login: A@b.example"), "5:5: login"},
		{"fault in the last", yamlFile("  - login: a@b.example", "  - login: c@b.example", "    roles: x"), "6:12: roles is a list"},
		{"fault behind", yamlFile("  - login: a@b.example", "  - login: c@b.example") + "x: y\n", `6:1: unknown key "x"`},
		{"syntax in the last", yamlFile("  - login: a@b.example", "  - login: c@b.example", "    x: 'y"), "6: not YAML from here on"},
		{"syntax behind", yamlFile("  - login: a@b.example", "  - login: c@b.example") + "x: 'y\n", "6: not YAML from here on"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := inPieces(test.file)
			if test.fault == "" {
				require.NoError(t, err)
				requireAlike(t, test.file)
				return
			}
			require.ErrorContains(t, err, test.fault)
		})
	}
}

func TestPiecesReadWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rosters(YAML).Draw(t, "roster")
		var file bytes.Buffer
		require.NoError(t, Write(&file, x, YAML))
		if len(x.Users) == 0 {
			return
		}
		got, err := inPieces(file.String())
		require.NoError(t, err, "%s", file.String())
		want, err := whole(file.String())
		require.NoError(t, err)
		assert.Equal(t, want.Users, got.Users)
	})
}

// TestPiecesNeverTakeMore puts files together from what may mislead a cut.
func TestPiecesNeverTakeMore(t *testing.T) {
	parts := []string{
		"users:\n", "  - login: a%d@b.example\n", "- login: a%d@b.example\n", "    first-name: \"\n", "\"\n", "'\n", "    roles: [\n", "]\n", "{", "}\n",
		"    last-name: |\n", "    last-name: >2\n", "      - x\n", "# '\n", "\n", "defaults: {tenants: [a]}\n", "  - x\n", "    phone: '\n",
		"    state: absent\n", "---\n", "...\n", "   \n", "\t\n", "    ? roles\n", "    : [x]\n", " ", "  ", "- ", "''", "users: \n",
	}
	rapid.Check(t, func(t *rapid.T) {
		var file strings.Builder
		file.WriteString("apiVersion: edrctl/v1\nkind: Roster\n")
		if rapid.Bool().Draw(t, "begun") {
			file.WriteString("users:\n  - login: first@b.example\n")
		}
		for i, part := range rapid.SliceOfN(rapid.SampledFrom(parts), 0, 12).Draw(t, "parts") {
			if strings.Contains(part, "%d") {
				part = fmt.Sprintf(part, i)
			}
			file.WriteString(part)
		}
		requireAlike(t, file.String())
	})
}
