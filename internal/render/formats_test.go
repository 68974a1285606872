package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"edrctl/internal/provision"
)

func TestUnknownFormat(t *testing.T) {
	for _, opts := range []Options{{Format: "xml"}, {JQ: ".["}, {JQ: "nosuch"}} {
		require.ErrorIs(t, opts.Check(), provision.ErrUsage)
		_, err := NewWriter(nil, users(), opts)
		require.ErrorIs(t, err, provision.ErrUsage)
	}
	require.NoError(t, Options{}.Check())
	require.NoError(t, Options{JQ: ".items | length", Format: Table}.Check())
}

func TestSecretsAreTakenOutBeforeLayout(t *testing.T) {
	r := redactor("correct horse battery", `"quo"ted`)
	doc := results()
	doc.Items.([]ResultItem)[0].Message = `because correct horse battery and "quo"ted`
	for _, opts := range []Options{
		{Format: Table, Width: 80},
		{Format: Wide},
		{Format: JSON},
		{Format: JSONL},
		{Format: YAML},
		{Format: CSV},
		{JQ: ".items[].message|@csv \"\\([.])\""},
	} {
		opts.Redactor = r
		got := text(t, doc, opts)
		assert.NotContains(t, got, "horse", opts.Format)
		assert.NotContains(t, got, "quo", opts.Format)
	}
}

// TestFormatsAgree draws users with every sort of character and reads them back
// from the formats that can be read.
func TestFormatsAgree(t *testing.T) {
	word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "no", "Y", "null", "~", "1:20", "0x1F", "1e3", "- a", "# c", "a: b", "<<", "=", "\x1b[2J", "\u202ex", "\u2028", "\u0085",
		"\ufeff", "\U000e0001", " x ", "\n", "a\n\nb\n", "\t", "'", `"`, `\`, "*a", "&a", "!x", "{", "2026-01-02", "\ufffe",
	}))
	rapid.Check(t, func(t *rapid.T) {
		item := UserItem{Tenant: word.Draw(t, "tenant"), User: provision.User{
			Login: word.Draw(t, "login"), FirstName: word.Draw(t, "first"), Status: "active",
			Extra: map[string]any{word.Draw(t, "key"): []string{word.Draw(t, "value")}},
		}}
		want, err := json.Marshal(map[string]any{"apiVersion": APIVersion, "kind": KindUserList, "items": []any{map[string]any{
			"tenant": item.Tenant, "vendor": "", "id": "", "login": item.Login, "firstName": item.FirstName, "lastName": "", "phone": "",
			"status": "active", "roles": []any{}, "lastLogin": nil, "extra": item.Extra,
		}}})
		require.NoError(t, err)
		doc := Document{Kind: KindUserList, Items: []UserItem{item}}
		for _, opts := range []Options{
			{Format: JSON},
			{Format: YAML},
			{Format: CSV},
			{Format: Table, Width: 40},
			{Format: Wide},
			{Format: Name},
			{Format: JSONL},
			{JQ: ".items[]"},
			{JQ: "..|strings"},
		} {
			var out bytes.Buffer
			require.NoError(t, Write(&out, doc, opts))
			if clean := strings.NewReplacer("\n", "", "\t", "").Replace(out.String()); strings.ContainsFunc(clean, isHidden) {
				t.Fatalf("%v: %q", opts, clean)
			}
			switch opts.Format {
			case JSON:
				require.JSONEq(t, string(want), out.String())
			case YAML:
				var v any
				require.NoError(t, yaml.Unmarshal(out.Bytes(), &v), out.String())
				got, err := json.Marshal(v)
				require.NoError(t, err)
				require.JSONEq(t, string(want), string(got), out.String())
			case CSV:
				rows, err := csv.NewReader(&out).ReadAll()
				require.NoError(t, err)
				require.Len(t, rows, 2)
				require.Equal(t, EscapeText(item.FirstName), Unneutralise(rows[1][4]))
			case Table:
				require.Equal(t, 2, strings.Count(out.String(), "\n"))
			case Name:
				require.Equal(t, 1, strings.Count(out.String(), "\n"))
			}
		}
	})
}
