package render

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestJQ(t *testing.T) {
	doc := users()
	doc.Items.([]UserItem)[1].FirstName = "\x1b[2J\u202e"
	tests := []struct{ name, expr, want string }{
		{"strings are raw", ".items[].login", "ines.duarte@example.com\nno\n"},
		{"other values are lines of JSON", ".items[0] | .roles[0].direct, .lastLogin, .extra.groups, .phone", "true\n2026-01-02T03:04:05Z\n[\"a\",\"b\"]\n\n"},
		{"null", ".nosuch", "null\n"},
		{"keys are sorted", ".items[0].roles[2] | {via, direct, id}", `{"direct":false,"id":"g","via":"SOC"}` + "\n"},
		{"numbers", ".items | length, length / 4, 1000000 * length, 123456789012345678901234567890", "2\n0.5\n2000000\n123456789012345678901234567890\n"},
		{"lay-out of the expression", `[.items[].tenant] | join("\n"), @tsv`, "cbc\ncr\ncbc\tcr\n"},
		{"hidden characters", ".items[1].firstName", `\x1b[2J\u202e` + "\n"},
		{"hidden characters in JSON", "[.items[1].firstName]", `["\u001b[2J\u202e"]` + "\n"},
		{"match what is there", `.items[1].firstName == "\u001b[2J\u202e"`, "true\n"},
		{"times", ".items[0].lastLogin | fromdate", "1767323045\n"},
		{"nothing", "empty", ""},
		{"halt", `"a", halt, "b"`, "a\n"},
		{"no environment", "env, $ENV.HOME", "{}\nnull\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, text(t, doc, Options{JQ: tt.expr, Format: CSV}))
		})
	}
}

func TestJQErrors(t *testing.T) {
	for _, expr := range []string{".items[", "nosuch", "input", `import "x" as x; .`, ".kind.x", ".items[].login | tonumber", `error("x")`} {
		var out bytes.Buffer
		err := Write(&out, users(), Options{JQ: expr})
		require.ErrorIs(t, err, provision.ErrUsage, expr)
		require.ErrorContains(t, err, "jq expression "+expr+": ")
		assert.Empty(t, out.String())
	}
}
