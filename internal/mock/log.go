package mock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Headers by which a fake tells the frame something about a request. The frame
// takes them off the answer.
const (
	headerUnknown = "X-Mock-Unknown"
	headerNote    = "X-Mock-Note"
)

const mask = "***"

// Request is an entry of the log. Secrets in the query and the body are
// masked, and headers that carry credentials are left out.
type Request struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Host   string    `json:"host"`
	Path   string    `json:"path"`
	Query  string    `json:"query"`
	Proto  string    `json:"proto"`
	// Header has the first value of each header.
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
	// Status is what the client got; 0 when the connection was cut, and while
	// the request is being handled.
	Status int `json:"status"`
	// Write is true for a request that may change something at the vendor.
	Write bool `json:"write"`
	// Unknown is true for a route the vendor does not have.
	Unknown bool `json:"unknown"`
	// Fault is the action that was applied to the request.
	Fault string `json:"fault,omitempty"`
	// Notes are what the fake wants a developer to know, such as a JSON key
	// that it ignored.
	Notes []string `json:"notes,omitempty"`
}

// requestLog holds requests in the order in which they came.
type requestLog struct {
	mu    sync.Mutex
	first int // number of the first entry, larger after a clear
	list  []Request
}

// begin enters a request and returns its number.
func (l *requestLog) begin(now time.Time, r *http.Request, body []byte, write bool) int {
	entry := Request{
		Time:   now.UTC(),
		Method: r.Method,
		Host:   r.Host,
		Path:   r.URL.Path,
		Query:  maskForm(r.URL.RawQuery),
		Proto:  r.Proto,
		Header: safeHeader(r.Header),
		Body:   maskBody(r.Header.Get("Content-Type"), body),
		Write:  write,
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, entry)
	return l.first + len(l.list) - 1
}

// finish completes an entry that has not been cleared meanwhile.
func (l *requestLog) finish(number int, a *answer, status int, fault string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := number - l.first
	if i < 0 || i >= len(l.list) {
		return
	}
	l.list[i].Status, l.list[i].Fault = status, fault
	if a != nil {
		l.list[i].Unknown = a.header.Get(headerUnknown) != ""
		l.list[i].Notes = a.header.Values(headerNote)
	}
}

func (l *requestLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first += len(l.list)
	l.list = nil
}

func (l *requestLog) all() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Request{}, l.list...)
}

func safeHeader(h http.Header) map[string]string {
	safe := map[string]string{}
	for name, values := range h {
		if !containsAny(strings.ToLower(name), "auth", "cookie", "token", "secret", "key", "password") {
			safe[name] = values[0]
		}
	}
	return safe
}

func secretName(name string) bool {
	return containsAny(strings.ToLower(name), "secret", "password", "passwd", "totpcode", "token")
}

func containsAny(s string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// maskBody masks secrets in JSON and forms. Of what is neither, but speaks of
// secrets, only the size is kept.
func maskBody(contentType string, body []byte) string {
	media, _, _ := mime.ParseMediaType(contentType)
	switch {
	case len(body) == 0:
		return ""
	case json.Valid(body):
		return maskJSON(body)
	case media == "application/x-www-form-urlencoded":
		return maskForm(string(body))
	case secretName(string(body)):
		return fmt.Sprintf("(%d bytes)", len(body))
	}
	return string(body)
}

// maskForm masks the values of secret fields and leaves the rest as it came.
func maskForm(form string) string {
	fields := strings.Split(form, "&")
	for i, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			if secretName(plain) && !harmless(value) {
				fields[i] = name + "=" + mask
			}
		}
	}
	return strings.Join(fields, "&")
}

// maskJSON replaces the values of secret keys at any depth and keeps the order
// and the form of everything else. A flag such as "changePassword": true is no
// secret.
func maskJSON(body []byte) string {
	var out bytes.Buffer
	done := 0
	dec := json.NewDecoder(bytes.NewReader(body))
	var object []bool // for each open bracket: is it an object?
	key := false      // is the next string a key?
	for {
		token, err := dec.Token()
		if err != nil {
			break
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				object = append(object, t == '{')
			} else {
				object = object[:len(object)-1]
			}
		case string:
			if key && secretName(t) {
				var raw json.RawMessage
				if dec.Decode(&raw) == nil && !harmless(string(raw)) {
					end := int(dec.InputOffset())
					out.Write(body[done : end-len(raw)])
					out.WriteString(`"` + mask + `"`)
					done = end
				}
			} else if key {
				key = false
				continue
			}
		}
		key = len(object) > 0 && object[len(object)-1]
	}
	out.Write(body[done:])
	return out.String()
}

func harmless(value string) bool {
	switch value {
	case "", `""`, "true", "false", "null":
		return true
	}
	return false
}
