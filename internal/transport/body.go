package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"unicode"

	"edrctl/internal/provision"
)

const errTooLarge = readError("too large")

type readError string

func (e readError) Error() string { return string(e) }

// readUpTo reads to the end, or fails beyond the limit. What turns out to be
// large gets room for the limit at once, of which the system gives what is
// filled: a buffer that grows would take a multiple of it. The room of an answer
// before, such as that of the attempt before this one, is given back first.
func readUpTo(r io.Reader, limit int64) ([]byte, error) {
	const small = 2 << 20
	data := make([]byte, 0, min(32<<10, limit+1))
	for {
		if len(data) == cap(data) {
			room := 4 * int64(cap(data))
			if room > small {
				room = limit + 1
				if limit > MaxObject {
					runtime.GC()
				}
			}
			data = append(make([]byte, 0, min(room, limit+1)), data...)
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		}
	}
}

// checkJSON reports a success whose body is not a JSON document.
func checkJSON(r *Response) error {
	if json.Valid(r.Body) {
		return nil
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if len(r.Body) == 0 {
		return &foreignAnswer{text: "the answer is empty"}
	}
	if title := Title(r.Body); title != "" {
		return &foreignAnswer{text: fmt.Sprintf("the answer is %s titled %q", kind, title)}
	}
	if kind == "application/json" {
		return &foreignAnswer{text: "the answer is broken JSON"}
	}
	return &foreignAnswer{text: fmt.Sprintf("the answer is %q and not JSON", kind)}
}

// Decode reads the JSON of a success into v. An answer of another shape is
// ErrUncertain for a change and ErrInternal for a read.
func (r *Response) Decode(vendor, op string, v any) error {
	err := json.Unmarshal(r.Body, v)
	if err == nil {
		return nil
	}
	kind := provision.ErrInternal
	if r.Change {
		kind = provision.ErrUncertain
	}
	return &provision.Error{
		Vendor: vendor, Op: op, Kind: kind, Status: r.Status,
		Message: "the answer has an unexpected shape", Err: errors.New(Excerpt([]byte(err.Error()), 200)), // it may quote all of it
	}
}

// Title is the title of an HTML page, cleaned and shortened; empty without one
// near its beginning.
func Title(body []byte) string {
	body = body[:min(len(body), maxError)]
	m := regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`).FindSubmatch(body)
	if m == nil {
		return ""
	}
	return Excerpt(m[1], 80)
}

// Excerpt is the start of a vendor's text, fit to stand in a message: tags and
// control characters gone, white space folded, at most limit runes.
func Excerpt(body []byte, limit int) string {
	body = body[:min(len(body), maxError)]
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(body), " ")
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == unicode.ReplacementChar {
			return ' '
		}
		return c
	}, html.UnescapeString(text))
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return string(runes)
}

// Segment escapes a value to be one segment of a path. "+" becomes %2B, since
// some servers read it as a space.
func Segment(value string) string {
	return strings.ReplaceAll(url.PathEscape(value), "+", "%2B")
}

// StatusKind is what a status means when the body says nothing better. A 5xx
// to a change leaves open whether it was carried out.
func StatusKind(status int, change bool) provision.Kind {
	switch {
	case status == http.StatusUnauthorized:
		return provision.ErrUnauthenticated
	case status == http.StatusForbidden, status == http.StatusPaymentRequired:
		return provision.ErrForbidden
	case status == http.StatusNotFound:
		return provision.ErrNotFound
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		return provision.ErrConflict
	case status == http.StatusTooManyRequests:
		return provision.ErrRateLimited
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		return provision.ErrInvalid
	case status >= 500 && change:
		return provision.ErrUncertain
	case status >= 500:
		return provision.ErrUnavailable
	default:
		return provision.ErrInternal
	}
}
