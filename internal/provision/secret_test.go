package provision_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"edrctl/internal/provision"
)

const canary = "canary-7f3b1d"

// holder is a struct as configuration and wire structs are.
type holder struct {
	Name   string
	Secret provision.Secret
	Inner  struct{ Secret *provision.Secret }
	Map    map[string]provision.Secret
	List   []provision.Secret
	Any    any
	hidden provision.Secret
}

func newHolder() holder {
	s := provision.NewSecret(canary)
	h := holder{Name: "n", Secret: s, Map: map[string]provision.Secret{"k": s}, List: []provision.Secret{s}, Any: s, hidden: s}
	h.Inner.Secret = &s
	return h
}

func TestSecretUnderEveryVerb(t *testing.T) {
	s := provision.NewSecret(canary)
	h := newHolder()
	for _, verb := range "vTtbcdoOqxXUeEfFgGspw" {
		for _, flags := range []string{"", "+", "#", "-20", "020", "+#", "1.3", " "} {
			format := "%" + flags + string(verb)
			for _, value := range []any{s, &s, h, &h, []provision.Secret{s}, map[string]provision.Secret{"k": s}, struct{ S provision.Secret }{s}} {
				text := fmt.Sprintf(format, value)
				assert.NotContains(t, text, canary, "%s of %T", format, value)
				assert.NotContains(t, text, fmt.Sprintf("%x", canary), "%s of %T", format, value)
			}
		}
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		assert.Equal(t, "[redacted]", fmt.Sprintf(format, s), format)
	}
	assert.Equal(t, "[redacted]", s.String())
	assert.Equal(t, "[redacted]", fmt.Sprint(s))
	assert.NotContains(t, fmt.Errorf("with %v and %w", s, &provision.Error{Message: fmt.Sprint(s)}).Error(), canary)
}

func TestSecretEncoded(t *testing.T) {
	h := newHolder()
	encoders := map[string]func(any) ([]byte, error){
		"JSON": json.Marshal,
		"YAML": yaml.Marshal,
	}
	for name, encode := range encoders {
		out, err := encode(h)
		require.NoError(t, err, name)
		assert.NotContains(t, string(out), canary, name)
		assert.NotContains(t, string(out), base64.StdEncoding.EncodeToString([]byte(canary)), name)
		assert.Contains(t, string(out), "[redacted]", name)
	}
	type document struct{ S provision.Secret }
	out, err := xml.Marshal(document{h.Secret})
	require.NoError(t, err)
	assert.NotContains(t, string(out), canary)
	key, err := json.Marshal(map[provision.Secret]int{h.Secret: 1})
	require.NoError(t, err)
	assert.JSONEq(t, `{"[redacted]":1}`, string(key), "as a key")
}

func TestSecretLogged(t *testing.T) {
	h := newHolder()
	var out bytes.Buffer
	for _, handler := range []slog.Handler{
		slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil),
	} {
		slog.New(handler).With("with", h.Secret).Info("text", "secret", h.Secret, "pointer", h.Inner.Secret,
			"struct", h, "any", slog.AnyValue(h.Secret), "group", slog.GroupValue(slog.Any("s", h.Secret)))
	}
	assert.NotContains(t, out.String(), canary)
	assert.Contains(t, out.String(), "[redacted]")
}

// TestSecretReflected looks at the value as a dumper does that ignores methods.
func TestSecretReflected(t *testing.T) {
	v := reflect.ValueOf(provision.NewSecret(canary))
	for i := range v.NumField() {
		assert.NotEqual(t, reflect.String, v.Field(i).Kind(), "a field holds the value itself")
		assert.False(t, v.Type().Field(i).IsExported())
	}
}

func TestSecretValue(t *testing.T) {
	var zero provision.Secret
	assert.True(t, zero.Empty())
	assert.Empty(t, zero.Reveal())
	assert.Equal(t, "[redacted]", zero.String())
	assert.True(t, provision.NewSecret("").Empty())
	assert.False(t, provision.NewSecret("x").Empty())
	assert.Equal(t, canary, provision.NewSecret(canary).Reveal())
}
