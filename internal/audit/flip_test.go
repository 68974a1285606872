package audit_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/audit"
)

// TestEveryByteCounts flips bits of every byte of a record in turn, the last line
// break apart: without that the last line is one that a crash tore.
func TestEveryByteCounts(t *testing.T) {
	path := record(t, 3)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for at := range len(whole) - 1 {
		for _, bits := range []byte{0x01, 0x20, 0x80, whole[at] ^ '\n'} {
			if bits == 0 {
				continue // it is a line break already
			}
			flipped := bytes.Clone(whole)
			flipped[at] ^= bits
			require.NoError(t, os.WriteFile(path, flipped, 0o600))
			_, err := read(path)
			var d *audit.Damage
			require.ErrorAs(t, err, &d, "byte %d, bits %x", at, bits)
			assert.Equal(t, 1+bytes.Count(whole[:at], []byte("\n")), d.Line, "byte %d, bits %x", at, bits)
		}
	}
}

// TestTornAtEveryByte cuts a record short at every byte. What is whole is read,
// and the next entry, which is shorter than what was torn, follows it.
func TestTornAtEveryByte(t *testing.T) {
	path := record(t, 1)
	long := entry(1)
	long.Login = strings.Repeat("x", 400) + "@example.com"
	require.NoError(t, newLog(path).Append(long))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := range len(whole) + 1 {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
		want := bytes.Count(whole[:cut], []byte("\n"))
		logins, err := read(path)
		require.NoError(t, err, "cut after %d bytes", cut)
		require.Len(t, logins, want, "cut after %d bytes", cut)
		require.NoError(t, newLog(path).Append(entry(7)), "cut after %d bytes", cut)
		logins, err = read(path)
		require.NoError(t, err, "cut after %d bytes", cut)
		require.Len(t, logins, want+1, "cut after %d bytes", cut)
	}
}

// TestForeignRecords are files that no edrctl has written.
func TestForeignRecords(t *testing.T) {
	for name, text := range map[string]string{
		"text": "hello\n", "JSON": "{}\n", "null": "null\n", "zeros": string(make([]byte, 4096)) + "\n", "blank lines": "\n\n\n",
		"list": "[]\n", "a long line": fmt.Sprintf("%0*d\n", 3<<20, 0), "Windows": "{}\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			_, err := read(path)
			var d *audit.Damage
			require.ErrorAs(t, err, &d)
			require.Error(t, newLog(path).Append(entry(1)))
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, text, string(after), "it is left as it is")
		})
	}
}
