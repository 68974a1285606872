package cortex

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Headers by which the frame is told something; it takes them off.
const (
	headerUnknown = "X-Mock-Unknown"
	headerNote    = "X-Mock-Note"
)

// object keeps literals of JSON objects short.
type object map[string]any

type answer struct {
	status int
	header http.Header
	body   []byte
}

func jsonAnswer(status int, value any) answer {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return textAnswer(http.StatusInternalServerError, "mock: "+err.Error())
	}
	return answer{
		status: status,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   bytes.TrimRight(buf.Bytes(), "\n"),
	}
}

// textAnswer is what comes from a server in front of the API.
func textAnswer(status int, text string) answer {
	return answer{status: status, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: []byte(text)}
}

func htmlAnswer(status int, title string) answer {
	page := "<html>\n<head><title>" + title + "</title></head>\n<body><h1>" + title + "</h1></body>\n</html>\n"
	return answer{status: status, header: http.Header{"Content-Type": {"text/html"}}, body: []byte(page)}
}

func emptyAnswer(status int) answer { return answer{status: status, header: http.Header{}} }

// replied and found are how the older and the newer calls wrap a result.
func replied(value any) answer { return jsonAnswer(http.StatusOK, object{"reply": value}) }

func found(value any, metadata object) answer {
	return jsonAnswer(http.StatusOK, object{"data": value, "metadata": metadata})
}

// done is how the newer calls say what they did: in a sentence.
func done(status int, message string) answer {
	return jsonAnswer(status, object{"data": object{"message": message}})
}

func (a answer) with(name, value string) answer {
	h := a.header.Clone()
	h.Set(name, value)
	a.header = h
	return a
}

// dress puts on what every answer has: the date by the fake's clock, and
// compression for a client that asks for it.
func (f *fake) dress(r *http.Request, a answer) answer {
	a = a.with("Date", f.now().UTC().Format(http.TimeFormat))
	if len(a.body) == 0 || !f.is(swGzip, on) || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		return a
	}
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	_, err := zw.Write(a.body)
	if cerr := zw.Close(); err != nil || cerr != nil {
		return a // a buffer takes everything
	}
	a.body = buf.Bytes()
	return a.with("Content-Encoding", "gzip")
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that has gone is no concern of the fake
}
