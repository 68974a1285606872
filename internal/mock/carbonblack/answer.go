package carbonblack

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// answer is a response not yet written.
type answer struct {
	status     int
	body       any    // encoded as JSON; nil sends no body
	text       string // sent as it is, instead of body
	unknown    bool
	retryAfter time.Duration
	notes      []string
}

func (a answer) write(w http.ResponseWriter) {
	if a.unknown {
		w.Header().Set("X-Mock-Unknown", "1")
	}
	for _, note := range a.notes {
		w.Header().Add("X-Mock-Note", note)
	}
	if a.retryAfter > 0 {
		// Whole seconds, rounded up: a client that waits this long is not early.
		seconds := (a.retryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	var out []byte
	switch {
	case a.text != "":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		out = []byte(a.text)
	case a.body != nil:
		encoded, err := json.Marshal(a.body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		out = encoded
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(out) // nobody is left to tell
}

// problem is an error whose body the vendor does not document. Which key holds
// the text is a switch, since clients have met several.
func (s *server) problem(status int, text string) answer {
	key := s.st.Switches["error-key"]
	switch key {
	case "text":
		return answer{status: status, text: text}
	case "error_code":
		text = strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
	}
	return answer{status: status, body: map[string]string{key: text}}
}

func (s *server) bad(text string) answer { return s.problem(http.StatusBadRequest, text) }

func (s *server) wrongOrg(rt route) answer {
	if rt.create {
		return refusedRegistration(http.StatusNotFound, "INVALID_ORGANIZATION")
	}
	return s.problem(http.StatusNotFound, "no such organisation")
}

func grantInTheWay() answer {
	return answer{status: http.StatusConflict, body: map[string]any{
		"success": false, "message": "remove the grant of this user before the user",
	}}
}

// Fail answers with the body the vendor gives with that status on that route,
// where one is known, and a general one otherwise. A 429 with a retryAfter
// opens the time in which further requests are early.
func (s *server) Fail(w http.ResponseWriter, r *http.Request, status int, retryAfter time.Duration) {
	s.failure(r, status, retryAfter).write(w)
}

func (s *server) failure(r *http.Request, status int, retryAfter time.Duration) answer {
	s.mu.Lock()
	defer s.mu.Unlock()

	now := s.now()
	s.early(now)
	if status == http.StatusTooManyRequests && retryAfter > 0 {
		s.st.RetryAfter = retryAfter
		s.st.BlockedUntil = now.Add(retryAfter)
	}
	rt, _, _ := s.match(r)
	var a answer
	switch {
	case rt.create && status == http.StatusConflict:
		a = refusedRegistration(status, s.st.Switches["duplicate-code"])
	case rt.create && status == http.StatusNotFound:
		a = s.wrongOrg(rt)
	case rt.remove && status == http.StatusConflict:
		a = grantInTheWay()
	default:
		a = s.problem(status, strings.ToLower(http.StatusText(status)))
	}
	a.retryAfter = retryAfter
	return a
}

// early counts a request that comes before the moment a 429 named, and moves
// that moment: the block ends only after a quiet time.
func (s *server) early(now time.Time) bool {
	if !now.Before(s.st.BlockedUntil) {
		return false
	}
	s.st.EarlyRequests++
	if s.is("rate-penalty", "on") {
		s.st.BlockedUntil = now.Add(s.st.RetryAfter)
	}
	return true
}

// decode reads one JSON value and nothing after it. Keys that the vendor does
// not know are ignored, but noted: they tend to be slips.
func (c call) decode(into any) error {
	strict := json.NewDecoder(bytes.NewReader(c.body))
	strict.DisallowUnknownFields()
	if err := strict.Decode(reflect.New(reflect.TypeOf(into).Elem()).Interface()); err != nil {
		c.note(err.Error())
	}
	dec := json.NewDecoder(bytes.NewReader(c.body))
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}
