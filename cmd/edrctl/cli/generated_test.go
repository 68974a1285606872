package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// update is set by `make generate`.
var update = flag.Bool("update", false, "write generated documentation anew") //nolint:gochecknoglobals // how go test takes flags

// TestGenerated holds the generated parts of the documentation against what the
// program says now.
func TestGenerated(t *testing.T) {
	path := "../../../README.md"
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	want := fill(t, string(data), "vendors", vendorTable())
	want = fill(t, want, "session", readmeSession(t))
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(data), "run `make generate`")
	for _, v := range vendors() {
		assert.FileExists(t, "../../../docs/vendors/"+v.Name+".md", "the page that the table links to")
	}
}

// fill replaces what stands between the markers of a part.
func fill(t *testing.T, text, part, content string) string {
	t.Helper()
	begin, end := "<!-- "+part+" -->\n", "<!-- /"+part+" -->"
	from := strings.Index(text, begin)
	to := strings.Index(text, end)
	require.True(t, from >= 0 && to > from, part)
	return text[:from+len(begin)] + content + text[to:]
}

// vendorTable is the table of capabilities in Markdown, with links to the
// vendors' pages.
func vendorTable() string {
	var b strings.Builder
	b.WriteString("\n| |")
	for _, v := range vendors() {
		b.WriteString(" [" + v.Title + "](docs/vendors/" + v.Name + ".md) |")
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(vendors())) + "\n")
	marks := map[provision.Level]string{provision.Native: "yes", provision.Emulated: "emulated", provision.Unsupported: "no"}
	for _, name := range provision.CapabilityNames() {
		b.WriteString("| " + strings.ReplaceAll(string(name), "-", " ") + " |")
		for _, v := range vendors() {
			b.WriteString(" " + marks[v.Capability(name).Level] + " |")
		}
		b.WriteString("\n")
	}
	return b.String() + "\n"
}

// readmeSession runs the README's commands against the fakes.
func readmeSession(t *testing.T) string {
	t.Helper()
	servers, err := mock.Start(context.Background(), mock.Options{Makers: mocks()[:1]})
	require.NoError(t, err)
	defer func() { require.NoError(t, servers.Close()) }()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	require.NoError(t, writeMockConfig(servers, config))
	env := System()
	env.Environ = []string{"EDRCTL_CONFIG=" + config, "XDG_CACHE_HOME=" + dir, "XDG_STATE_HOME=" + dir}
	var b strings.Builder
	b.WriteString("\n```console\n")
	for _, line := range []string{
		"user create ines.duarte@example.com --first-name Ines --last-name Duarte --role analyst",
		"user get ines.duarte@example.com",
		"role set ines.duarte@example.com responder",
		"user create ines.duarte@example.com",
		"user delete ines.duarte@example.com --yes",
	} {
		var out, errs bytes.Buffer
		env.Out, env.Err, env.Width = &out, &errs, 0
		status := Main(strings.Fields(line), env)
		fmt.Fprintf(&b, "$ edrctl %s\n%s%s", line, out.String(), errs.String())
		if status != 0 {
			fmt.Fprintf(&b, "$ echo $?\n%d\n", status)
		}
	}
	ids := regexp.MustCompile(`request [0-9a-f-]{36}`)
	return ids.ReplaceAllString(b.String(), "request 8c0f2d6e-5a41-4c7b-9d3e-2b1a09f8e7d6") + "```\n\n"
}
