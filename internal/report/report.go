// Package report writes a review as one HTML page for auditors: people, what
// they have in each console, and what could not be read. The page needs nothing
// but itself and asks nobody for anything, can be sorted, filtered and printed,
// and says the same without colour and without script.
//
// It decides nothing about who is marked. Everything in it that is not the
// page's own goes through writer, which escapes it. html/template lends its
// escaping only: to execute templates, the linker would have to keep every
// exported method of the program, a fifth of its size.
package report

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // for the style and the script
	"encoding/base64"
	"io"
	"strings"
	"time"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

//go:embed page.css
var style string

//go:embed page.js
var script string

// Page is what a page shows.
type Page struct {
	// Made is when the consoles were read, By who did it, and Version that of
	// edrctl.
	Made        time.Time
	By, Version string
	// Against is the file that people were compared with, and Listed how many
	// it names. Without one Against is empty.
	Against string
	Listed  int
	// Consoles are in the order of their columns.
	Consoles []Console
	People   []render.ReviewItem
	// Clean, if not nil, takes secrets out of text.
	Clean func(string) string

	// apart lays out the rows as with many people. For tests.
	apart bool
}

// Console is a tenant.
type Console struct {
	Tenant string
	Vendor *provision.Vendor
	// Err is why it could not be read; nil if it was.
	Err *render.ErrorBody
}

// Write writes the page. The same page is the same bytes.
func Write(to io.Writer, p Page) error {
	w := &writer{out: bufio.NewWriter(to), clean: p.Clean}
	style := style + p.columns()
	w.add("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
	w.add("<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n", policy(style))
	w.add("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
	w.add("<meta name=\"referrer\" content=\"no-referrer\">\n<title>Access review of %s</title>\n", p.Made.UTC().Format(time.DateOnly))
	w.add("<style>%s</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#people\">Skip to the table</a>\n", markup(style))
	p.head(w)
	p.unread(w)
	p.legend(w)
	p.filters(w)
	p.table(w)
	w.add("<script>%s</script>\n</body>\n</html>\n", markup(script))
	return w.out.Flush()
}

// policy lets a browser load nothing, and run nothing but the page's own style
// and script.
func policy(style string) markup {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return markup(strings.Join([]string{
		"default-src 'none'", "style-src " + hash(style), "script-src " + hash(script), "base-uri 'none'", "form-action 'none'",
	}, "; "))
}

// head says what the page is, and who made it when from what.
func (p Page) head(w *writer) {
	w.add("<header>\n<h1>Access review</h1>\n<dl class=\"facts\">\n")
	fact := func(name, format string, args ...any) {
		w.add("<div><dt>%s</dt><dd>", name)
		w.add(format, args...)
		w.add("</dd></div>\n")
	}
	fact("Made", `<time datetime="%s">%s</time>`, exact(p.Made), p.Made.UTC().Format("2006-01-02 15:04:05 UTC"))
	fact("By", "<bdi>%s</bdi>", p.By)
	fact("With", "edrctl %s", p.Version)
	fact("Consoles", "%d read, %d not", p.read(), len(p.Consoles)-p.read())
	fact("People", "%d", len(p.People))
	if p.Against != "" {
		fact("Compared with", "<bdi>%s</bdi>, which names %d people", p.Against, p.Listed)
	}
	w.add("</dl>\n</header>\n")
}

func (p Page) read() (n int) {
	for _, c := range p.Consoles {
		if c.Err == nil {
			n++
		}
	}
	return n
}

// unread lists the consoles that the page knows nothing about.
func (p Page) unread(w *writer) {
	if p.read() == len(p.Consoles) {
		return
	}
	w.add("<section class=\"unread\" aria-labelledby=\"unread\">\n<h2 id=\"unread\">Not read</h2>\n")
	w.add("<p>These consoles could not be read. Who has access to them is not in this review.</p>\n<ul>\n")
	for _, c := range p.Consoles {
		if c.Err != nil {
			w.add("<li><strong>%s</strong> (%s): <bdi>%s</bdi></li>\n", c.Tenant, c.Vendor.Title, c.Err.Message)
		}
	}
	w.add("</ul>\n</section>\n")
}

func exact(t time.Time) string { return t.UTC().Format(time.RFC3339) }
