package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"sync"
	"syscall"
	"testing/iotest"
	"time"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// wires carry requests to the fakes without a network, so that the clock of a
// bubble goes on while edrctl waits. They count the requests of a command, and
// can bring about its end, or Ctrl-C, at one of them.
type wires struct {
	record string // where edrctl keeps it

	interrupts chan os.Signal
	orders     orders

	mu     sync.Mutex
	count  int
	killed bool
	left   []byte // the record as it was then
}

// orders say at which request of the next command something happens; 0 for
// never.
type orders struct {
	kill, stop int
	// carriedOut lets the fake act on the request that the end comes at.
	carriedOut bool
}

// begin counts the requests of another command.
func (w *wires) begin(o orders) { w.orders, w.count, w.killed = o, 0, false }

// connect makes the adapters of a vendor send through the wires.
func (w *wires) connect(v provision.Vendor, server *mock.Server) provision.Vendor {
	made := v.New
	v.New = func(ctx context.Context, cfg provision.Config) (provision.Provisioner, error) {
		cfg.HTTP = wire{w, server}
		return made(ctx, cfg)
	}
	return v
}

// wire is that of one tenant.
type wire struct {
	*wires
	server *mock.Server
}

// RoundTrip implements http.RoundTripper. After the end nothing arrives.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.count++
	hit, stop, killed := w.count == w.orders.kill, w.count == w.orders.stop, w.killed
	w.mu.Unlock()
	switch {
	case killed:
		return nil, noNetwork()
	case hit:
		if w.orders.carriedOut {
			_, _ = w.serve(r)
		}
		w.kill()
		return nil, noNetwork()
	case stop:
		w.interrupts <- os.Interrupt
		time.Sleep(time.Millisecond) // until it has been heard
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	resp, err := w.serve(r)
	if late := r.Context().Err(); late != nil {
		return nil, late
	}
	return resp, err
}

func noNetwork() error { return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ENETUNREACH} }

// kill keeps the record as a killed process leaves it. Whatever is under way
// stands in it, since the record comes first; what comes later is not sent.
func (w *wires) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	left, err := os.ReadFile(w.record)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		panic(err)
	}
	w.killed, w.left = true, left
}

// revive puts the record back, with a part of a line that was being written.
func (w *wires) revive(torn int) error {
	written, err := os.ReadFile(w.record)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	next, _, _ := bytes.Cut(written[len(w.left):], []byte("\n"))
	return os.WriteFile(w.record, append(w.left, next[:min(torn, len(next))]...), 0o600)
}

// serve lets the fake answer. An answer that it cuts breaks off.
func (w wire) serve(r *http.Request) (resp *http.Response, err error) {
	rec := httptest.NewRecorder()
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if cut, ok := p.(error); !ok || !errors.Is(cut, http.ErrAbortHandler) {
			panic(p)
		}
		if rec.Body.Len() == 0 {
			resp, err = nil, io.ErrUnexpectedEOF
			return
		}
		resp = rec.Result()
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, iotest.ErrReader(io.ErrUnexpectedEOF)))
	}()
	w.server.ServeHTTP(rec, r)
	return rec.Result(), nil
}
