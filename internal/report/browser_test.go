package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// probe is run in a copy of the page. See browser_test.js.
//
//go:embed browser_test.js
var probe string

// found is what the probe says.
type found struct {
	Violations, Errors, Faults []string
	Alerts, Images             int
	// Steps are the logins that are shown after each step, in their order.
	Steps map[string][]string
	// Sorted is aria-sort of each header after each step.
	Sorted map[string][]string
	Shown  map[string]string
	// Read is the role of the last person's cell for a screen reader.
	Read map[string]string
	// Millis is how long things took.
	Millis map[string]float64
}

// chromium finds a browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium is installed; on Debian: apt-get install chromium")
	return ""
}

// browse runs a headless browser on a file and returns what it prints.
func browse(t *testing.T, file string, flags ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	profile := filepath.Join(t.TempDir(), "profile")
	args := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1280,900", "--user-data-dir=" + profile,
	}, flags...)
	cmd := exec.CommandContext(ctx, chromium(t), append(args, "file://"+file)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &errs, time.Second
	require.NoError(t, cmd.Run(), errs.String())
	for range 50 { // its helpers write a little longer than it lives
		if os.RemoveAll(profile) == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return out.String()
}

// probed runs the probe in a page, which has to allow it first.
func probed(t *testing.T, page, mode string, flags ...string) found {
	t.Helper()
	script := "const mode = '" + mode + "';\n" + probe
	sum := sha256.Sum256([]byte(script))
	page = strings.Replace(page, "script-src ", "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"' ", 1)
	page = strings.Replace(page, `<meta name="viewport"`, "<script>"+script+"</script>\n"+`<meta name="viewport"`, 1)
	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	dom := browse(t, file, append(flags, "--dump-dom")...)
	_, rest, ok := strings.Cut(dom, `<pre id="found">`)
	require.True(t, ok, "the probe did not end: %.2000s", dom)
	text, _, _ := strings.Cut(rest, "</pre>")
	var f found
	require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(text)), &f))
	return f
}

func TestBrowserSortsAndFilters(t *testing.T) {
	t.Run("table", func(t *testing.T) { sortsAndFilters(t, sample()) })
	t.Run("rows apart", func(t *testing.T) {
		p := sample()
		p.apart = true
		sortsAndFilters(t, p)
	})
}

func sortsAndFilters(t *testing.T, p Page) {
	t.Helper()
	f := probed(t, written(t, p), "use", "--virtual-time-budget=20000", "--enable-blink-features=ComputedAccessibilityInfo")
	assert.Empty(t, f.Violations)
	assert.Empty(t, f.Errors)
	assert.Empty(t, f.Faults)
	assert.Zero(t, f.Alerts)
	assert.Zero(t, f.Images)

	ada, bo, cy, dana, soc9, soc10 := "ada.quist@example.com", "bo@example.com", "cy.gone@example.com", "dana@example.com", "soc9@example.com", "soc10@example.com"
	assert.Equal(t, map[string][]string{
		"at first":              {ada, bo, cy, dana, soc10, soc9},
		"person once":           {soc10, soc9, dana, cy, bo, ada},
		"person twice":          {ada, bo, cy, dana, soc9, soc10}, // as people count
		"marks":                 {bo, soc10, cy, ada, dana, soc9},
		"marks again":           {soc9, dana, ada, cy, soc10, bo},
		"xdr":                   {ada, soc9, dana, cy, soc10, bo}, // nobody there goes before those who are
		"xdr again":             {dana, soc9, ada, cy, soc10, bo},
		"last sign-in":          {bo, soc9, dana, ada, cy, soc10},
		"orphan":                {bo, soc10},
		"orphan or missing":     {bo, cy, soc10},
		"orphan, not in cbc":    {bo},
		"found":                 {ada},
		"found in capitals":     {soc10},
		"markup is text":        {bo},
		"nobody":                {},
		"all":                   {bo, soc9, dana, ada, cy, soc10},
		"in xdr":                {soc9, dana, ada},
		"not in a console":      {bo, cy, soc10},
		"all when in any again": {bo, soc9, dana, ada, cy, soc10},
	}, f.Steps)
	assert.Equal(t, []string{"ascending", "none", "none", "none", "none", "none", "none"}, f.Sorted["at first"])
	assert.Equal(t, []string{"descending", "none", "none", "none", "none", "none", "none"}, f.Sorted["person once"])
	assert.Equal(t, []string{"none", "descending", "none", "none", "none", "none", "none"}, f.Sorted["marks"])
	assert.Equal(t, []string{"none", "none", "none", "none", "ascending", "none", "none"}, f.Sorted["xdr"])
	assert.Equal(t, "6 of 6 people", f.Shown["all"])
	assert.Equal(t, "2 of 6 people, the others are filtered out", f.Shown["orphan"])
}

// TestBrowserKeepsHeadersInSight scrolls in a narrow window, and asks what a
// screen reader finds out of sight.
func TestBrowserKeepsHeadersInSight(t *testing.T) {
	for name, people := range map[string]int{"table": 250, "rows apart": many} {
		t.Run(name, func(t *testing.T) {
			f := probed(t, written(t, crowd(people)), "scroll", "--virtual-time-budget=20000",
				"--window-size=700,600", "--enable-blink-features=ComputedAccessibilityInfo")
			assert.Empty(t, f.Faults)
			assert.Empty(t, f.Errors)
			assert.Equal(t, "rowheader", f.Read["few"])
			assert.Equal(t, "rowheader", f.Read["whole"])
			if people < many {
				assert.Equal(t, "rowheader", f.Read["at first"])
			}
		})
	}
}

// TestBrowserBlocks puts into the page what the page never has, to see that the
// policy would stop it, and that the probe would notice.
func TestBrowserBlocks(t *testing.T) {
	page := written(t, sample())
	evil := attack + `<script>alert(2)</script><p style="color:red" onclick="alert(3)">x</p>`
	f := probed(t, strings.Replace(page, "<main>", "<main>"+evil, 1), "watch", "--virtual-time-budget=5000")
	assert.Zero(t, f.Alerts)
	assert.ElementsMatch(t, []string{"img-src", "script-src-elem", "script-src-attr", "script-src-attr", "style-src-attr"}, f.Violations)
}

func TestBrowserPrints(t *testing.T) {
	dir := t.TempDir()
	file, pdf := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.pdf")
	require.NoError(t, os.WriteFile(file, []byte(written(t, sample())), 0o600))
	browse(t, file, "--no-pdf-header-footer", "--print-to-pdf="+pdf)
	data, err := os.ReadFile(pdf)
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(data, []byte("%PDF")))
	assert.Greater(t, len(data), 10_000)
}

// TestBrowserBearsACrowd measures with 5,000 people. The limits are for a busy
// machine; a quiet one needs a tenth of them. Of one processor, loading took 0.7
// seconds and sorting 0.2; as one table it was 3.6 and 2.6.
func TestBrowserBearsACrowd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	page := written(t, crowd(5000))
	f := probed(t, page, "measure")
	t.Logf("%d bytes; milliseconds: %v", len(page), f.Millis)
	assert.Empty(t, f.Violations)
	assert.Empty(t, f.Errors)
	assert.Less(t, f.Millis["load"], 20_000.0)
	for _, what := range []string{"sort", "sort by console", "filter", "filter off", "filter by console"} {
		assert.Contains(t, f.Millis, what)
		assert.Less(t, f.Millis[what], 5_000.0, what)
	}
	assert.Equal(t, "4000 of 5000 people, the others are filtered out", f.Shown["filter by console"])
	assert.Len(t, f.Steps["filter by console"], 4000)
	if sorted := f.Steps["sort"]; assert.Len(t, sorted, 5000) {
		assert.Equal(t, []string{"person.04999@example.com", "person.04998@example.com"}, sorted[:2])
	}
}
