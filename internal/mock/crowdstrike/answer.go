package crowdstrike

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// What answers an operation, as meta.powered_by has it.
const (
	service = "cs.flightcontrolapi"
	gateway = "crowdstrike-api-gateway"
	oauth   = "csam"
)

// reply is an answer before it is put into an envelope.
type reply struct {
	status    int
	resources any // nil: there is none in the envelope
	errors    []fault
	page      *pagination
	affected  int
	poweredBy string
	header    http.Header
	plain     any  // sent as it is, without an envelope
	unknown   bool // no such route at the vendor
}

type fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	ID      string `json:"id,omitempty"`
}

type pagination struct {
	Offset int `json:"offset"`
	Limit  int `json:"limit"`
	Total  int `json:"total"`
}

type writes struct {
	Affected int `json:"resources_affected"`
}

type meta struct {
	QueryTime  json.Number `json:"query_time"`
	Pagination *pagination `json:"pagination,omitempty"`
	PoweredBy  string      `json:"powered_by"`
	TraceID    string      `json:"trace_id"`
	Writes     *writes     `json:"writes,omitempty"`
}

func records(list any) reply { return reply{status: http.StatusOK, resources: list} }

// page is the answer of a list that is paged.
func page(list any, p *pagination) reply {
	return reply{status: http.StatusOK, resources: list, page: p}
}

func done() reply { return reply{status: http.StatusOK} }

// refusal is an error with the status it is answered with.
type refusal struct {
	status    int
	message   string
	poweredBy string
	limit     int // X-Ratelimit-Limit where it is another than usual
	header    http.Header
	unknown   bool
}

func (e *refusal) Error() string { return e.message }

func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, message: fmt.Sprintf(format, args...), poweredBy: service}
}

// internal is what the vendor says when it has no better word.
func internal(c *call) error {
	return refuse(http.StatusInternalServerError, "Internal Server Error: Please provide trace-id='%s' to support", c.trace)
}

// refused turns an error into its answer.
func refused(c *call, err error) reply {
	e := &refusal{status: http.StatusInternalServerError, message: err.Error(), poweredBy: service}
	errors.As(err, &e)
	if e.limit > 0 {
		c.limit = e.limit
	}
	return reply{
		status: e.status, errors: []fault{{Code: e.status, Message: e.message}},
		poweredBy: e.poweredBy, header: e.header, unknown: e.unknown,
	}
}

// wire is an answer ready to be sent.
type wire struct {
	status int
	header http.Header
	body   []byte
}

func (a wire) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// render puts a reply into the envelope of its family and adds the headers
// that each answer has.
func (f *fake) render(c *call, rep reply) wire {
	h := http.Header{}
	for name, values := range rep.header {
		h[name] = values
	}
	h.Set("Content-Type", "application/json")
	h.Set("X-Cs-Traceid", c.trace)
	h.Set("X-Ratelimit-Limit", strconv.Itoa(c.limit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(max(c.remaining, 0)))
	if region := f.switches["region"]; region != "" && h.Get("X-Cs-Region") == "" {
		h.Set("X-Cs-Region", region)
	}
	for _, note := range c.notes {
		h.Add("X-Mock-Note", note)
	}
	if rep.unknown {
		h.Set("X-Mock-Unknown", "1")
	}
	body := rep.plain
	if body == nil {
		body = envelope(c, rep)
	}
	return wire{rep.status, h, encode(body)}
}

// envelope keeps the order of keys that each family has on the wire.
func envelope(c *call, rep reply) any {
	m := meta{QueryTime: "0.0312", Pagination: rep.page, PoweredBy: rep.poweredBy, TraceID: c.trace}
	if m.PoweredBy == "" {
		m.PoweredBy = service
	}
	if m.PoweredBy == gateway {
		m.QueryTime = "1.3e-07"
	}
	if rep.affected > 0 {
		m.Writes = &writes{rep.affected}
	}
	if c.legacy {
		if rep.errors == nil {
			rep.errors = []fault{}
		}
		return struct {
			Meta      meta    `json:"meta"`
			Errors    []fault `json:"errors"`
			Resources any     `json:"resources,omitempty"`
		}{m, rep.errors, rep.resources}
	}
	return struct {
		Meta      meta    `json:"meta"`
		Resources any     `json:"resources,omitempty"`
		Errors    []fault `json:"errors,omitempty"`
	}{m, rep.resources, rep.errors}
}

func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // made of types of this package
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
