package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/render"
)

func written(t *testing.T, p Page) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, p))
	return b.String()
}

func TestPageSaysWhatWasRead(t *testing.T) {
	page := written(t, sample())
	for _, part := range []string{
		`<time datetime="2026-11-21T13:02:03Z">2026-11-21 13:02:03 UTC</time>`, "mara on audit-host", "edrctl 1.4.0",
		"3 read, 1 not", "<bdi>people.csv</bdi>, which names 6 people",
		"<strong>cr</strong> (Cybereason Defense Platform): <bdi>cybereason: list users: cannot be reached: &lt;img",
		`<small>Cybereason Defense Platform, not read</small>`,
		`<th scope="row"><bdi>ada.quist<wbr>@example.com</bdi><small><bdi>Ada Quist / Ada Quist-Łoś</bdi></small></th>`,
		`<li class="admin">Falcon Administrator</li>`,
		`<li>Real Time Responder <small class="end">until 2035-06-30</small></li>`,
		`<li>Event Viewer <small>via <bdi>SOC \u202eevil</bdi></small>`, `<li>bare <small>inherited</small>`,
		`<span class="s disabled">disabled</span>`, "never signed in", `<td data-key="0">never</td>`, `<td class="none">not told</td>`,
		`<td class="none unread">not read</td>`, "Night &#34;Shift&#34; &amp; Co",
		`<span class="m orphan">orphan</span> <b>2</b> <span class="means">in a console, and not in people.csv</span>`,
		"is not told by Carbon Black Cloud.",
	} {
		assert.Contains(t, page, part)
	}
	assert.Equal(t, page, written(t, sample()), "the same each time")
	assert.NotContains(t, page, attack)
	assert.NotContains(t, page, "\u202e")
	assert.NotRegexp(t, `%!|\.s\.|[(]MISSING[)]`, body(page), "a format without its argument")
}

func body(page string) string {
	return page[strings.Index(page, "<body>"):strings.LastIndex(page, "<script>")]
}

func TestPageWithoutAFileHasNoMarksOfOne(t *testing.T) {
	p := sample()
	p.Against, p.Consoles = "", p.Consoles[:3]
	page := body(written(t, p))
	assert.NotContains(t, page, `value="orphan"`)
	assert.NotContains(t, page, "Compared with")
	assert.NotContains(t, page, "Not read")
	assert.Contains(t, page, `value="admin"`)
}

// TestPageLoadsNothing holds the markup against what the policy is for: nothing
// in it asks for anything, and nothing in it runs but the one script.
func TestPageLoadsNothing(t *testing.T) {
	page := written(t, sample())
	markup := body(page)
	assert.NotRegexp(t, `(?i)<(link|img|iframe|object|embed|base|form|audio|video|svg)\b`, markup)
	assert.NotRegexp(t, `(?i)<[^>]*\s(on[a-z]+|style|src|srcset|action)\s*=`, markup)
	assert.NotRegexp(t, `(?i)\b(https?:)?//[a-z]|@import|url\(|fetch\(|XMLHttpRequest|innerHTML|eval\(`, page)

	sum := func(tag string) string {
		found := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(page, -1)
		require.Len(t, found, 1)
		hash := sha256.Sum256([]byte(found[0][1]))
		return tag + "-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"
	}
	assert.Contains(t, page, `content="default-src 'none'; `+sum("style")+"; "+sum("script")+`; base-uri 'none'; form-action 'none'"`)
}

func TestTextIsCleanedFirst(t *testing.T) {
	p := sample()
	p.Clean = func(s string) string { return strings.ReplaceAll(s, "src=x onerror", "[redacted]") }
	assert.Contains(t, written(t, p), "&lt;img [redacted]=alert(1)&gt;")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWriteReportsItsErrors(t *testing.T) {
	require.EqualError(t, Write(fullDisk{}, sample()), "no space left")
	assert.NotPanics(t, func() { written(t, Page{People: []render.ReviewItem{{Login: "a@example.com"}}}) })
}
