package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const stream = `{"Action":"run","Package":"m/internal/a","Test":"TestOne"}
{"Action":"output","Package":"m/internal/a","Test":"TestOne","Output":"    a_test.go:7: quiet\n"}
{"Action":"pass","Package":"m/internal/a","Test":"TestOne/there/in two words"}
{"Action":"pass","Package":"m/internal/a","Test":"TestOne"}
{"Action":"output","Package":"m/internal/a","Test":"TestTwo","Output":"    a_test.go:9: no such program\n"}
{"Action":"output","Package":"m/internal/a","Test":"TestTwo","Output":"--- SKIP: TestTwo (0.00s)\n"}
{"Action":"skip","Package":"m/internal/a","Test":"TestTwo"}
{"Action":"output","Package":"m/internal/a","Output":"ok  \tm/internal/a\t0.1s\n"}
{"Action":"pass","Package":"m/internal/a"}
`

func TestAllWell(t *testing.T) {
	var out strings.Builder
	text := strings.ReplaceAll(stream, "in two words", "in_two_words")
	require.NoError(t, tell(strings.NewReader(text), &out, named("| `a.TestOne/in two words` `a.TestTwo` `make sizes` |")))
	assert.Equal(t, "skipped a.TestTwo: no such program\nok  \tm/internal/a\t0.1s\n2 passed, 0 failed, 1 skipped\n", out.String())
}

func TestProofThatDidNotRun(t *testing.T) {
	var out strings.Builder
	require.ErrorContains(t, tell(strings.NewReader(stream), &out, named("Named `like.Test`.\n| `a.TestOne` `b.TestOne` |\n")), "proofs are missing")
	assert.Contains(t, out.String(), "did not run, and is named as a proof: b.TestOne\n")
}

func TestWhatFails(t *testing.T) {
	for name, c := range map[string]struct{ stream, says string }{
		"a test": {
			`{"Action":"output","Package":"m/b","Test":"TestX","Output":"boom\n"}` + "\n" + `{"Action":"fail","Package":"m/b","Test":"TestX"}`, "boom\n0 passed, 1 failed",
		},
		"a crash": {
			`{"Action":"output","Package":"m/b","Test":"TestX","Output":"panic: boom\n"}` + "\n" + `{"Action":"fail","Package":"m/b"}`, "panic: boom\n",
		},
		"a build": {
			`{"ImportPath":"m/b","Action":"build-output","Output":"b.go:1: undefined\n"}` + "\n" + `{"ImportPath":"m/b","Action":"build-fail"}`, "b.go:1: undefined\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			require.ErrorContains(t, tell(strings.NewReader(c.stream), &out, nil), "tests failed")
			assert.Contains(t, out.String(), c.says)
		})
	}
}
