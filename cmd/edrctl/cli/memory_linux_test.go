package cli

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMemory has a console answer without end, as it is and as a small file that
// unpacks into a large one, and looks at how much memory edrctl has ever had.
func TestMemory(t *testing.T) {
	t.Parallel()
	chunk := []byte(strings.Repeat(`{"uid":"ines.duarte@example.com","roles":[[[[]]]]},`, 20_000))
	endless := func(w io.Writer) {
		_, _ = io.WriteString(w, `{"meta":{},"resources":[`)
		for range 4096 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/oauth2/token":
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"access_token":"t","expires_in":1799}`)
		case strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && r.Method == http.MethodGet:
			w.Header().Set("Content-Encoding", "gzip")
			z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			endless(z)
		default:
			endless(w)
		}
	}))
	t.Cleanup(server.Close)
	for _, command := range []string{
		"user list", "role list", "user get ines.duarte@example.com", "user create ines.duarte@example.com --role id:event_viewer",
	} {
		t.Run(command, func(t *testing.T) {
			dir := t.TempDir()
			config := filepath.Join(dir, "config.yaml")
			require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
version: 1
tenants:
  falcon: {vendor: crowdstrike, url: %q, client-id: 0f1e2d3c4b5a69788796a5b4c3d2e1f0, client-secret: env:SECRET}
`, server.URL), 0o600))
			cmd := exec.CommandContext(t.Context(), "edrctl", strings.Fields(command)...)
			cmd.Env = []string{
				"HOME=" + dir, "EDRCTL_CONFIG=" + config, "XDG_CACHE_HOME=" + dir, "XDG_STATE_HOME=" + dir,
				"SECRET=0123456789012345678901234567890123456789",
			}
			peak := watchPeak(t, cmd)
			out, err := peak.output, peak.err
			require.Error(t, err, out)
			assert.Contains(t, out, "is larger than")
			t.Logf("%d MiB", peak.kib>>10)
			assert.Less(t, peak.kib>>10, 100, "MiB at most")
		})
	}
}

type peak struct {
	kib    int
	output string
	err    error
}

// watchPeak runs a command and returns the most memory that it had, as long as
// it could be asked.
func watchPeak(t *testing.T, cmd *exec.Cmd) peak {
	t.Helper()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	p := peak{}
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
			if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
				_, _ = fmt.Sscan(rest, &p.kib)
			}
		}
	})
	p.err = cmd.Wait()
	close(done)
	watch.Wait()
	p.output = out.String()
	return p
}
