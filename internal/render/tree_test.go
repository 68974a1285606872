package render

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestTree(t *testing.T) {
	type inside struct {
		B    string `json:"b"`
		none string
	}
	type all struct {
		A int `json:"a"`
		inside
		Plain   uint8
		Left    string             `json:"left,omitempty"`
		Out     string             `json:"-"`
		Float   float64            `json:"float"`
		Bad     float64            `json:"bad"`
		Raw     json.RawMessage    `json:"raw"`
		Secret  provision.Secret   `json:"secret"`
		Time    time.Time          `json:"time"`
		Never   time.Time          `json:"never"`
		List    []any              `json:"list"`
		Map     map[string]int     `json:"map"`
		Pointer *inside            `json:"pointer"`
		Sorted  map[string]float64 `json:"sorted"`
	}
	v := all{
		A: -1, inside: inside{B: "b", none: "x"}, Plain: 7, Out: "x", Float: 1e6, Bad: math.Inf(1), Raw: json.RawMessage(`{"z":[1,"s"]}`),
		Secret: provision.NewSecret("hunter22"), Time: time.Date(2026, 7, 1, 2, 0, 0, 9, time.FixedZone("", 7200)), List: []any{nil, true},
		Sorted: map[string]float64{"b": 0.5, "a": 1e30},
	}
	tree, err := treeOf(&v, nil)
	require.NoError(t, err)
	want := `{"a":-1,"b":"b","Plain":7,"float":1000000,"bad":null,"raw":{"z":[1,"s"]},"secret":"[redacted]",` +
		`"time":"2026-07-01T00:00:00Z","never":null,"list":[null,true],"map":{},"pointer":null,"sorted":{"a":1e+30,"b":0.5}}`
	assert.Equal(t, []byte(want), appendJSON(nil, tree, -1))
}

func TestTreeRefuses(t *testing.T) {
	for _, v := range []any{func() {}, map[int]string{}, []any{make(chan int)}, json.RawMessage("{")} {
		_, err := treeOf(v, nil)
		require.Error(t, err)
		for _, format := range []Format{JSON, JSONL, YAML, CSV} {
			require.Error(t, Write(io.Discard, Document{Kind: "Odd", Items: []any{v}}, Options{Format: format}))
		}
	}
}

type broken struct{ left int }

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("pipe is closed")
	}
	return len(p), nil
}

// TestFullDisk makes sure that output which did not arrive is not a success.
func TestFullDisk(t *testing.T) {
	for _, format := range Formats() {
		for _, left := range []int{0, 20} {
			require.EqualError(t, Write(&broken{left}, users(), Options{Format: format}), "pipe is closed", format)
		}
	}
	require.EqualError(t, Write(&broken{}, users(), Options{JQ: "."}), "pipe is closed")
	_, err := NewEscapingWriter(&broken{}).Write([]byte("x"))
	require.EqualError(t, err, "pipe is closed")
	_, err = redactor().Writer(&broken{}).Write([]byte("x"))
	require.EqualError(t, err, "pipe is closed")
}
