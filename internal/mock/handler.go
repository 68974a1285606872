package mock

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	controlPrefix = "/_mock/"
	maxBody       = 16 << 20
)

// ServeHTTP answers the control API itself and everything else by the fake,
// with the latency and the faults that were ordered.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "request body: "+err.Error(), http.StatusBadRequest)
		return
	}
	rewind(r, body)
	write := s.change(r)
	rewind(r, body)
	entry := s.log.begin(s.now(), r, body, write)
	s.sleep(r, s.latency)
	f, ok := s.faults.take(r.Method, r.URL.Path)
	if !ok {
		a := s.apply(r)
		s.log.finish(entry, a, a.status, "")
		a.send(w)
		return
	}
	s.disturb(w, r, entry, f)
}

// disturb answers a request that a fault is meant for.
func (s *Server) disturb(w http.ResponseWriter, r *http.Request, entry int, f Fault) {
	wait := f.duration()
	kind, status := f.kind()
	if kind != actDropAfter {
		s.sleep(r, wait)
	}
	switch kind {
	case actFail:
		a := newAnswer()
		s.api.Fail(a, r, status, f.retryAfter(status))
		s.log.finish(entry, a, a.status, f.Action)
		a.send(w)
	case actFailAfter:
		s.apply(r)
		a := newAnswer()
		s.api.Fail(a, r, status, f.retryAfter(status))
		s.log.finish(entry, a, a.status, f.Action)
		a.send(w)
	case actDropBefore:
		s.log.finish(entry, nil, 0, f.Action)
		panic(http.ErrAbortHandler)
	case actReset:
		s.log.finish(entry, nil, 0, f.Action)
		reset(w)
	case actDropAfter:
		a := s.apply(r)
		s.log.finish(entry, a, 0, f.Action)
		s.sleep(r, wait)
		panic(http.ErrAbortHandler)
	case actTruncate:
		a := s.apply(r)
		s.log.finish(entry, a, a.status, f.Action)
		a.sendHalf(w)
	case actHTML:
		a := newAnswer()
		a.header.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(a, portal)
		s.log.finish(entry, a, a.status, f.Action)
		a.send(w)
	case actExpire, actDelay:
		if kind == actExpire {
			s.api.ExpireSessions()
		}
		a := s.apply(r)
		s.log.finish(entry, a, a.status, f.Action)
		a.send(w)
	}
}

// portal is what a captive portal or a proxy puts in the place of an answer.
const portal = "<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head>\n" +
	"<body><h1>Sign in to the network</h1></body></html>\n"

// apply lets the fake answer into memory, so that a fault can decide what the
// client sees of it. A panic of the fake becomes a 500.
func (s *Server) apply(r *http.Request) (a *answer) {
	a = newAnswer()
	defer func() {
		if p := recover(); p != nil {
			a = newAnswer()
			a.header.Set(headerNote, fmt.Sprintf("panic: %v", p))
			http.Error(a, "mock: internal error", http.StatusInternalServerError)
		}
	}()
	s.api.ServeHTTP(a, r)
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a
}

func (s *Server) change(r *http.Request) (write bool) {
	defer func() { _ = recover() }()
	return s.api.Change(r)
}

// sleep waits, but not for a client that has gone: what it sent is still
// carried out. It cuts the request when the server is closed.
func (s *Server) sleep(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	case <-s.done:
		panic(http.ErrAbortHandler)
	}
}

func rewind(r *http.Request, body []byte) { r.Body = io.NopCloser(bytes.NewReader(body)) }

// reset closes the connection with a TCP reset. Over HTTP/2, where the
// connection is shared, it resets the stream.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		raw = t.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}

// answer is a response held in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *answer) send(w http.ResponseWriter) {
	a.head(w)
	_, _ = w.Write(a.body.Bytes())
}

// sendHalf announces the whole body, sends half of it and cuts.
func (a *answer) sendHalf(w http.ResponseWriter) {
	if a.body.Len() > 0 {
		a.head(w)
		_, _ = w.Write(a.body.Bytes()[:a.body.Len()/2])
		_ = http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler)
}

func (a *answer) head(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range a.header {
		if name != headerUnknown && name != headerNote {
			h[name] = values
		}
	}
	if a.body.Len() > 0 {
		h.Set("Content-Length", strconv.Itoa(a.body.Len()))
	}
	w.WriteHeader(a.status)
}
