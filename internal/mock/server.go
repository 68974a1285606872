package mock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Options says what to serve and how.
type Options struct {
	// Makers lists the vendors; each gets a port of its own.
	Makers []Maker
	// Listen is the loopback address to listen on; 127.0.0.1 when empty.
	Listen string
	// Plain serves HTTP without TLS.
	Plain bool
	// Unheard listens nowhere. Whoever holds a Server calls its ServeHTTP, in
	// tests whose clock is not the real one.
	Unheard bool
	// TOTP asks for a second factor where the vendor has one.
	TOTP bool
	// Latency is added to each answer of a fake.
	Latency time.Duration
	// Faults are ordered from the start, by vendor.
	Faults map[string][]Fault
	// Seed replaces a vendor's default state by what GET /_mock/state gave.
	Seed map[string]json.RawMessage
	// Now tells the fakes the time; time.Now when nil.
	Now func() time.Time
}

// Servers are the fakes being served.
type Servers struct {
	list  []*Server
	caPEM []byte
	stop  func() bool
	once  sync.Once
	err   error
}

// Server is one vendor's fake on its port.
type Server struct {
	// Vendor is the vendor's name.
	Vendor string
	// URL is the address, without a slash at the end.
	URL string

	api     API
	roles   map[string][]string
	seed    json.RawMessage
	latency time.Duration
	now     func() time.Time
	control http.Handler
	faults  faults
	log     requestLog

	srv    *http.Server
	done   chan struct{}
	served chan struct{}
}

// Start serves the fakes until the context ends or Close is called. When it
// returns, they answer.
func Start(ctx context.Context, o Options) (*Servers, error) {
	host, err := loopback(o.Listen)
	if err != nil {
		return nil, err
	}
	if len(o.Makers) == 0 {
		return nil, errors.New("mock: no vendor to serve")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := knownVendors(o); err != nil {
		return nil, err
	}
	all := &Servers{stop: func() bool { return true }}
	var ca *authority
	if !o.Plain {
		if ca, err = newAuthority(host); err != nil {
			return nil, err
		}
		all.caPEM = ca.pem
	}
	for _, m := range o.Makers {
		s, err := newServer(m, o)
		if err == nil && !o.Unheard {
			err = s.listen(ctx, host, ca)
		}
		if err != nil {
			_ = all.Close()
			return nil, fmt.Errorf("mock: %s: %w", m.Vendor, err)
		}
		all.list = append(all.list, s)
	}
	all.stop = context.AfterFunc(ctx, func() { _ = all.shut() })
	return all, nil
}

// Close stops all servers; requests in flight are cut.
func (s *Servers) Close() error {
	s.stop()
	return s.shut()
}

func (s *Servers) shut() error {
	s.once.Do(func() {
		var errs []error
		for _, one := range s.list {
			errs = append(errs, one.close())
		}
		s.err = errors.Join(errs...)
	})
	return s.err
}

// Server returns a vendor's server, or nil.
func (s *Servers) Server(vendor string) *Server {
	for _, one := range s.list {
		if one.Vendor == vendor {
			return one
		}
	}
	return nil
}

// All returns the servers in the order of Options.Makers.
func (s *Servers) All() []*Server { return append([]*Server(nil), s.list...) }

// CAPEM returns the certificate of the throw-away authority that signed the
// servers' certificate, or nil without TLS.
func (s *Servers) CAPEM() []byte { return append([]byte(nil), s.caPEM...) }

func newServer(m Maker, o Options) (*Server, error) {
	s := &Server{
		Vendor:  m.Vendor,
		roles:   m.Aliases,
		api:     m.New(Env{Now: o.Now, Plain: o.Plain, TOTP: o.TOTP}),
		latency: o.Latency,
		now:     o.Now,
		done:    make(chan struct{}),
		served:  make(chan struct{}),
		URL:     "http://127.0.0.1:80",
	}
	s.control = s.controlRoutes()
	for _, f := range o.Faults[m.Vendor] {
		if err := s.Fault(f); err != nil {
			return nil, err
		}
	}
	seed, err := bareSeed(m.Vendor, o.Seed[m.Vendor])
	if err != nil {
		return nil, err
	}
	if seed != nil {
		if err := s.api.Load(seed); err != nil {
			return nil, fmt.Errorf("seed: %w", err)
		}
	}
	s.seed = seed
	return s, nil
}

func (s *Server) listen(ctx context.Context, host string, ca *authority) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return err
	}
	s.srv = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	scheme, serve := "http", func() error { return s.srv.Serve(ln) }
	if ca != nil {
		s.srv.TLSConfig = ca.config()
		scheme, serve = "https", func() error { return s.srv.ServeTLS(ln, "", "") }
	}
	s.URL = scheme + "://" + net.JoinHostPort(host, port)
	go func() {
		defer close(s.served)
		_ = serve()
	}()
	return nil
}

func (s *Server) close() error {
	close(s.done)
	if s.srv == nil {
		return nil
	}
	err := s.srv.Close()
	<-s.served
	return err
}

// loopback refuses an address that others could reach.
func loopback(host string) (string, error) {
	switch host {
	case "":
		return "127.0.0.1", nil
	case "localhost":
		return host, nil
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || !addr.IsLoopback() {
		return "", fmt.Errorf("mock: %q is not a loopback address", host)
	}
	return host, nil
}

func knownVendors(o Options) error {
	known := map[string]bool{}
	for _, m := range o.Makers {
		if known[m.Vendor] {
			return fmt.Errorf("mock: vendor %q is given twice", m.Vendor)
		}
		known[m.Vendor] = true
	}
	for vendor := range o.Faults {
		if !known[vendor] {
			return fmt.Errorf("mock: fault for %q, which is not served", vendor)
		}
	}
	for vendor := range o.Seed {
		if !known[vendor] {
			return fmt.Errorf("mock: seed for %q, which is not served", vendor)
		}
	}
	return nil
}
