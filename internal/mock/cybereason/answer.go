package cybereason

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"html"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// The charset is there because clients must not compare the whole header.
	jsonType = "application/json;charset=UTF-8"
	htmlType = "text/html;charset=UTF-8"
	textType = "text/plain;charset=UTF-8"

	// unknownHeader tells the frame that no route fits.
	unknownHeader = "X-Mock-Unknown"
)

// answer is a reply before it is written.
type answer struct {
	status int
	kind   string
	body   []byte
	header http.Header
}

func newAnswer(status int, kind string, body []byte) answer {
	return answer{status: status, kind: kind, body: body, header: http.Header{}}
}

// asJSON is an answer with status 200 and v as its body.
func asJSON(v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		return newAnswer(http.StatusInternalServerError, textType, []byte(err.Error()))
	}
	return newAnswer(http.StatusOK, jsonType, body)
}

func redirect(location string) answer {
	a := newAnswer(http.StatusFound, "", nil)
	a.header.Set("Location", location)
	return a
}

// stamp adds what every reply of a console carries.
func (f *fake) stamp(a *answer) {
	h := a.header
	h.Set("Strict-Transport-Security", "max-age=0")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-XSS-Protection", "1; mode=block")
	h.Set("Date", f.clock().UTC().Format(http.TimeFormat))
}

func (a answer) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if a.kind != "" {
		h.Set("Content-Type", a.kind)
	}
	body := a.body
	if a.kind == jsonType && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = compress(body)
	}
	if a.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // the client is gone: nobody is left to be told
}

func compress(body []byte) []byte {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	_, _ = zip.Write(body) // a bytes.Buffer takes everything
	_ = zip.Close()
	return out.Bytes()
}

// failure is an answer that carries a status and says nothing about users. A
// redirect can only be the one to the login page.
func (f *fake) failure(r *http.Request, status int, retryAfter time.Duration) answer {
	if status >= 300 && status < 400 {
		a := f.withNewCookie(redirect("/login.html"))
		a.status = status
		return a
	}
	a := f.errorBody(r, status)
	if retryAfter > 0 {
		a.header.Set("Retry-After", strconv.FormatFloat(math.Ceil(retryAfter.Seconds()), 'f', -1, 64))
	}
	return a
}

func (f *fake) errorBody(r *http.Request, status int) answer {
	text := http.StatusText(status)
	asHTML := status >= 500 && f.is("error-body", "html")
	if asHTML || !strings.HasPrefix(r.URL.Path, "/rest/") {
		title := html.EscapeString(strconv.Itoa(status) + " " + text)
		return newAnswer(status, htmlType, page(title, "<h1>"+title+"</h1>"))
	}
	return complaint(status, text)
}

// complaint is the console's JSON error; fields name what it is about.
func complaint(status int, message string, fields ...string) answer {
	a := asJSON(struct {
		FailedValues []string `json:"failedValues"`
		Message      string   `json:"message"`
	}{append([]string{}, fields...), message})
	a.status = status
	return a
}
