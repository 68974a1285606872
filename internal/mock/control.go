package mock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Fault orders a fault for requests to come.
func (s *Server) Fault(f Fault) error { return s.faults.add(f) }

// Faults returns the orders not yet carried out.
func (s *Server) Faults() []Fault { return s.faults.pending() }

// ClearFaults drops the orders not yet carried out.
func (s *Server) ClearFaults() { s.faults.clear() }

// Requests returns the log, oldest first.
func (s *Server) Requests() []Request { return s.log.all() }

// ClearRequests empties the log.
func (s *Server) ClearRequests() { s.log.clear() }

// State returns everything the fake holds, for encoding/json.
func (s *Server) State() any { return s.api.State() }

// Reset goes back to the state at the start, drops the faults and empties the
// log. A seed stays; switches and sessions do not.
func (s *Server) Reset() error {
	s.faults.clear()
	s.log.clear()
	err := s.api.Load(nil)
	if err == nil && s.seed != nil {
		err = s.api.Load(s.seed)
	}
	return err
}

// Activate finishes an invitation as the invited person would.
func (s *Server) Activate(login string) error { return s.api.Activate(login) }

// Set turns a switch of the fake.
func (s *Server) Set(name, value string) error { return s.api.Set(name, value) }

// Switches returns the fake's switches.
func (s *Server) Switches() map[string]Switch { return s.api.Switches() }

// API returns the fake.
func (s *Server) API() API { return s.api }

// Settings returns the keys of a tenant that reach this server.
func (s *Server) Settings() map[string]string { return s.api.Settings(s.URL) }

// controlRoutes is what /_mock/ on each port answers.
func (s *Server) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, f func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			value, err := f(r)
			reply(w, value, err)
		})
	}
	done := struct{}{}
	route("GET /_mock/requests", func(*http.Request) (any, error) { return s.Requests(), nil })
	route("DELETE /_mock/requests", func(*http.Request) (any, error) { s.ClearRequests(); return done, nil })
	route("GET /_mock/state", func(*http.Request) (any, error) { return named(s.Vendor, s.State()) })
	route("POST /_mock/reset", func(*http.Request) (any, error) { return done, s.Reset() })
	route("GET /_mock/faults", func(*http.Request) (any, error) { return s.Faults(), nil })
	route("DELETE /_mock/faults", func(*http.Request) (any, error) { s.ClearFaults(); return done, nil })
	route("POST /_mock/faults", func(r *http.Request) (any, error) { return done, s.postFaults(r) })
	route("GET /_mock/switches", func(*http.Request) (any, error) { return s.Switches(), nil })
	route("POST /_mock/switches", func(r *http.Request) (any, error) { return s.postSwitches(r) })
	route("POST /_mock/activate", func(r *http.Request) (any, error) {
		var in struct {
			Login string `json:"login"`
		}
		if err := decode(r.Body, &in); err != nil {
			return nil, err
		}
		return done, s.Activate(in.Login)
	})
	return mux
}

// postFaults takes one fault or an array of them; all or none are ordered.
func (s *Server) postFaults(r *http.Request) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return err
	}
	list := make([]Fault, 1)
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		err = decode(bytes.NewReader(body), &list)
	} else {
		err = decode(bytes.NewReader(body), &list[0])
	}
	if err != nil {
		return err
	}
	for _, f := range list {
		if err := f.check(); err != nil {
			return err
		}
	}
	for _, f := range list {
		_ = s.Fault(f) // checked above
	}
	return nil
}

func (s *Server) postSwitches(r *http.Request) (any, error) {
	var in map[string]any
	if err := decode(r.Body, &in); err != nil {
		return nil, err
	}
	for name, value := range in {
		if err := s.Set(name, fmt.Sprint(value)); err != nil {
			return nil, err
		}
	}
	return s.Switches(), nil
}

func decode(r io.Reader, into any) error {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	return nil
}

func reply(w http.ResponseWriter, value any, err error) {
	status := http.StatusOK
	if err != nil {
		status, value = http.StatusBadRequest, map[string]string{"error": err.Error()}
	}
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error": "state is no JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// named puts the vendor in front of a state, so that a file with it can be
// told from another vendor's.
func named(vendor string, state any) (json.RawMessage, error) {
	body, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	rest, ok := bytes.CutPrefix(body, []byte("{"))
	if !ok {
		return body, nil
	}
	head := fmt.Sprintf(`{"vendor":%q`, vendor)
	if !bytes.HasPrefix(rest, []byte("}")) {
		head += ","
	}
	return append([]byte(head), rest...), nil
}

// ParseSeed reads a seed file: what GET /_mock/state gave for one vendor, or
// an object of such states by vendor.
func ParseSeed(data []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	var vendor string
	if raw, ok := fields["vendor"]; ok && json.Unmarshal(raw, &vendor) == nil {
		return map[string]json.RawMessage{vendor: data}, nil
	}
	for name, raw := range fields {
		if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
			return nil, fmt.Errorf("seed: %q is no state of a vendor", name)
		}
	}
	return fields, nil
}

// bareSeed takes the vendor's name off a seed, after comparing it.
func bareSeed(vendor string, seed json.RawMessage) (json.RawMessage, error) {
	if len(seed) == 0 {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(seed, &fields); err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	raw, ok := fields["vendor"]
	if !ok {
		return seed, nil
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil || name != vendor {
		return nil, errors.New("seed: it is another vendor's")
	}
	delete(fields, "vendor")
	return json.Marshal(fields)
}
