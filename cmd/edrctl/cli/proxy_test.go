package cli

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestProxyOfTheEnvironment takes the proxy from where programs take it from,
// goes straight to loopback and to the hosts of NO_PROXY, and tells what a proxy
// says that does not let it through, without the password for it.
func TestProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-the-proxy"
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		assert.Equal(t, http.MethodConnect, r.Method)
		assert.Equal(t, "console.example:443", r.Host)
		w.Header().Set("Proxy-Authenticate", "Basic")
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	t.Cleanup(proxy.Close)
	address := "http://corp:" + canary + "@" + strings.TrimPrefix(proxy.URL, "http://")
	s := openScene(t, falcon())
	for _, tt := range []struct {
		name    string
		environ []string
		status  int
		asked   bool
		says    []string
	}{
		{name: "loopback", environ: []string{"HTTPS_PROXY=" + address}},
		{
			name: "a console", environ: []string{"HTTPS_PROXY=" + address, "EDRCTL_CROWDSTRIKE_URL=https://console.example"},
			status: exitUnavailable, asked: true, says: []string{"proxy", "407 Proxy Authentication Required"},
		},
		{
			name: "an exempt console", status: exitUnavailable,
			environ: []string{"HTTPS_PROXY=" + address, "NO_PROXY=.example", "EDRCTL_CROWDSTRIKE_URL=https://console.example"},
		},
		{
			name: "the tenant's own", status: exitUnavailable, asked: true, says: []string{"407"},
			environ: []string{"EDRCTL_CROWDSTRIKE_PROXY=" + proxy.URL, "EDRCTL_CROWDSTRIKE_URL=https://console.example"},
		},
		{
			name: "the tenant's own, with a password", status: exitUsage, says: []string{"HTTPS_PROXY"},
			environ: []string{"EDRCTL_CROWDSTRIKE_PROXY=" + address},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := asked.Load()
			cmd := exec.CommandContext(t.Context(), "edrctl", "--trace", "--timeout", "1s", "user", "create", "nia.okoro@example.com")
			cmd.Env = append([]string{
				"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "EDRCTL_CONFIG=" + s.config(),
				"XDG_CACHE_HOME=" + s.dir, "XDG_STATE_HOME=" + s.dir,
			}, tt.environ...)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			err := cmd.Run()
			require.NotNil(t, cmd.ProcessState, "%v", err)
			assert.Equal(t, tt.status, cmd.ProcessState.ExitCode(), out.String())
			assert.Equal(t, tt.asked, asked.Load() > before, "asked the proxy")
			for _, text := range tt.says {
				assert.Contains(t, out.String(), text)
			}
			assert.NotContains(t, out.String(), canary)
		})
	}
}
