package mock

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is an order to disturb requests that are still to come.
type Fault struct {
	// Method is the HTTP method; empty or * for any.
	Method string `json:"method"`
	// Path is a part of the path; empty or * for any.
	Path string `json:"path"`
	// Action is what happens:
	//
	//   429, 500, ...   answered with that status, not applied
	//   after-500, ...  applied, then answered with that status
	//   drop-before     connection cut, not applied
	//   reset           as drop-before, with a TCP reset
	//   drop-after      applied, then cut
	//   truncate        applied, then half the body and cut
	//   delay           applied after Delay
	//   expire-session  sessions end, then the request is handled
	//   html            a captive portal's page, not applied
	Action string `json:"action"`
	// Count is the number of requests it is meant for; one when zero, all when
	// negative.
	Count int `json:"count"`
	// RetryAfter is in seconds; it goes with a status. A 429 asks for a second
	// when it is zero, and for nothing at all when it is negative.
	RetryAfter int `json:"retryAfter"`
	// Delay is how long to wait before the action; with drop-after, between
	// applying and cutting. As time.ParseDuration has it.
	Delay string `json:"delay"`
}

type act int

const (
	actNone act = iota
	actFail
	actFailAfter
	actDropBefore
	actDropAfter
	actReset
	actTruncate
	actDelay
	actExpire
	actHTML
)

// defaultDelay is the wait of the action delay when none is given.
const defaultDelay = time.Second

// kind takes the action apart; the status is that of actFail and actFailAfter.
func (f Fault) kind() (act, int) {
	switch f.Action {
	case "drop-before":
		return actDropBefore, 0
	case "drop-after":
		return actDropAfter, 0
	case "reset":
		return actReset, 0
	case "truncate":
		return actTruncate, 0
	case "delay":
		return actDelay, 0
	case "expire-session":
		return actExpire, 0
	case "html":
		return actHTML, 0
	}
	number, after := strings.CutPrefix(f.Action, "after-")
	status, err := strconv.Atoi(number)
	switch {
	case err != nil || len(number) != 3 || status < 200 || status > 599:
		return actNone, 0
	case after:
		return actFailAfter, status
	}
	return actFail, status
}

func (f Fault) duration() time.Duration {
	d, err := time.ParseDuration(f.Delay)
	if err != nil && f.Action == "delay" {
		return defaultDelay
	}
	return d
}

// retryAfter is what an answer with a status asks to wait.
func (f Fault) retryAfter(status int) time.Duration {
	if f.RetryAfter == 0 && status == http.StatusTooManyRequests {
		return time.Second
	}
	return time.Duration(max(0, f.RetryAfter)) * time.Second
}

func (f Fault) check() error {
	if kind, _ := f.kind(); kind == actNone {
		return fmt.Errorf("unknown fault action %q (a status, after-STATUS, drop-before, drop-after, reset, truncate, delay, expire-session, html)", f.Action)
	}
	if f.Delay == "" {
		return nil
	}
	if d, err := time.ParseDuration(f.Delay); err != nil || d < 0 {
		return fmt.Errorf("fault delay %q is no duration", f.Delay)
	}
	return nil
}

func (f Fault) matches(method, path string) bool {
	return (f.Method == "" || f.Method == "*" || strings.EqualFold(f.Method, method)) &&
		(f.Path == "" || f.Path == "*" || strings.Contains(path, f.Path))
}

// ParseFault reads VENDOR:METHOD:PATHPART:ACTION[:COUNT]. The action may carry
// a wait or, with a status, the seconds to retry after: delay=2s, 429=3.
func ParseFault(spec string) (vendor string, f Fault, err error) {
	parts := strings.Split(spec, ":")
	if len(parts) < 4 || parts[0] == "" {
		return "", f, fmt.Errorf("fault %q is not VENDOR:METHOD:PATHPART:ACTION[:COUNT]", spec)
	}
	rest := parts[2:]
	if n, err := strconv.Atoi(rest[len(rest)-1]); err == nil && len(rest) > 2 {
		if g := parseAction(rest[len(rest)-2]); g.check() == nil {
			g.Count = n
			f, rest = g, rest[:len(rest)-2]
		}
	}
	if f.Action == "" {
		f, rest = parseAction(rest[len(rest)-1]), rest[:len(rest)-1]
	}
	f.Method, f.Path = strings.ToUpper(parts[1]), strings.Join(rest, ":")
	if err := f.check(); err != nil {
		return "", Fault{}, fmt.Errorf("fault %q: %w", spec, err)
	}
	return parts[0], f, nil
}

func parseAction(s string) Fault {
	action, value, found := strings.Cut(s, "=")
	f := Fault{Action: action}
	if kind, _ := f.kind(); found && (kind == actFail || kind == actFailAfter) {
		if n, err := strconv.Atoi(value); err == nil {
			f.RetryAfter = n
			return f
		}
	}
	f.Delay = value
	return f
}

// faults is the list of orders not yet carried out.
type faults struct {
	mu   sync.Mutex
	list []Fault
}

func (q *faults) add(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.Count == 0 {
		f.Count = 1
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, f)
	return nil
}

// take returns the first fault meant for a request and counts it down.
func (q *faults) take(method, path string) (Fault, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, f := range q.list {
		if !f.matches(method, path) {
			continue
		}
		switch {
		case f.Count == 1:
			q.list = slices.Delete(q.list, i, i+1)
		case f.Count > 1:
			q.list[i].Count--
		}
		return f, true
	}
	return Fault{}, false
}

func (q *faults) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = nil
}

func (q *faults) pending() []Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]Fault{}, q.list...)
}
