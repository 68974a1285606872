package crowdstrike

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

const opSignIn = "sign in"

// earliest is how long before its end a token is renewed. Tokens of a short
// life are renewed when four fifths of it are over.
const earliest = 2 * time.Minute

// defaultLife is that of a token whose answer does not tell it.
const defaultLife = 30 * time.Minute

// session holds the token that all requests of a tenant share. One sign-in is
// made at a time, and credentials that were refused are not tried again.
type session struct {
	cfg      provision.Config
	http     *transport.Client
	discover bool
	member   string
	record   string // in cfg.Store

	// turn is held by whoever uses the fields below, a sign-in included.
	turn    chan struct{}
	loaded  bool
	current *token
	strikes int
	refusal error
}

// token is an access token and where it is good. It is what is stored.
type token struct {
	Value   string    `json:"token"`
	Renew   time.Time `json:"renew"`
	Expires time.Time `json:"expires"`
	// Region is the one its answer named, empty for none of the table.
	Region string `json:"region"`

	// worked is set once the API has taken it.
	worked atomic.Bool
}

func newSession(cfg provision.Config, client *transport.Client, discover bool, member string) *session {
	address := client.Origin().String()
	if discover {
		address = regionAuto
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{address, cfg.Setting("client-id"), member}, "\n")))
	return &session{
		cfg: cfg, http: client, discover: discover, member: member,
		record: "session-" + hex.EncodeToString(sum[:12]), turn: make(chan struct{}, 1),
	}
}

// token returns one that is good for a while, asking for it if need be.
func (s *session) token(ctx context.Context) (*token, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	if s.refusal != nil {
		return nil, s.refusal
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	if s.current != nil && s.cfg.Now().Before(s.current.Renew) {
		return s.current, nil
	}
	t, err := s.ask(ctx)
	if err != nil {
		if provision.KindOf(err) == provision.ErrUnauthenticated {
			s.refusal = err
			s.drop(ctx)
		}
		return nil, err
	}
	s.current = t
	if data, err := json.Marshal(t); err == nil {
		err = s.cfg.Store.Put(s.record, data)
		if err != nil {
			s.cfg.Log.InfoContext(ctx, "the session cannot be kept for the next run", "tenant", s.cfg.Tenant, "error", err)
		}
	}
	return t, nil
}

// rejected tells that the API did not take a token. However many requests meet
// that, one new token is asked for; when the API does not take that one either,
// nothing more is sent, since an address is locked out after fifteen such calls.
func (s *session) rejected(ctx context.Context, t *token) {
	if s.enter(ctx) != nil {
		return
	}
	defer s.leave()
	if s.current != t {
		return
	}
	s.drop(ctx)
	if t.worked.Load() {
		s.strikes = 0
	}
	s.strikes++
	if s.strikes > 1 {
		s.refusal = &provision.Error{
			Vendor: name, Op: opSignIn, Kind: provision.ErrUnauthenticated,
			Message: "the API takes no token, not even a new one", Hint: s.hint(t),
		}
	}
}

// hint says what may be wrong when a token is not taken.
func (s *session) hint(t *token) string {
	if r, ok := regionAt(s.origin(t)); ok && t.Region != "" && t.Region != r.name {
		return fmt.Sprintf("the requests go to region %s, but the token comes from region %s: set region: %s", r.name, t.Region, t.Region)
	}
	return fmt.Sprintf("a token is good in its own region only: check the tenant's region or url (now %s), and that the API client still exists",
		s.where(t))
}

// where names the region, or the host, that requests go to.
func (s *session) where(t *token) string {
	origin := s.origin(t)
	if r, ok := regionAt(origin); ok {
		return "region " + r.name
	}
	return origin.Host
}

// origin is where the requests that carry a token go.
func (s *session) origin(t *token) *url.URL {
	if r, ok := regionNamed(t.Region); ok && s.discover {
		return r.url()
	}
	return s.http.Origin()
}

// load takes over the token of an earlier run, once.
func (s *session) load() error {
	if s.loaded {
		return nil
	}
	data, err := s.cfg.Store.Get(s.record)
	if err != nil {
		return &provision.Error{
			Vendor: name, Op: opSignIn, Kind: provision.KindOf(err), Message: "the kept session cannot be read", Err: err,
		}
	}
	s.loaded = true
	t := &token{}
	if json.Unmarshal(data, t) == nil && t.Value != "" {
		s.cfg.Made(t.Value)
		s.current = t
	}
	return nil
}

// drop forgets the current token, and its record unless another process has
// put a newer token there.
func (s *session) drop(ctx context.Context) {
	old := s.current
	s.current = nil
	if old == nil {
		return
	}
	err := s.cfg.Store.Update(ctx, s.record, func(data []byte) ([]byte, error) {
		var stored token
		if json.Unmarshal(data, &stored) == nil && stored.Value != old.Value {
			return data, nil
		}
		return nil, nil
	})
	if err != nil {
		s.cfg.Log.InfoContext(ctx, "the kept session cannot be removed", "tenant", s.cfg.Tenant, "error", err)
	}
}

// SignOut implements provision.Session: it revokes the token, also one of an
// earlier run, and forgets it.
func (a *adapter) SignOut(ctx context.Context) error {
	s := a.api.session
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	if err := s.load(); err != nil {
		return err
	}
	t := s.current
	if t == nil {
		return nil
	}
	s.drop(ctx)
	if !s.cfg.Now().Before(t.Expires) {
		return nil
	}
	resp, err := s.http.At(s.origin(t)).Do(ctx, &transport.Request{
		Op: "sign out", Method: http.MethodPost, Path: "/oauth2/revoke", Header: formHeader(),
		Body: []byte(url.Values{"token": {t.Value}}.Encode()),
		Sign: func(r *http.Request) error {
			r.SetBasicAuth(s.cfg.Setting("client-id"), s.secret())
			return nil
		},
	})
	if err != nil {
		return err
	}
	if !resp.OK() {
		return failure(&call{op: "sign out", kind: callToken}, resp, s.secret(), t.Value)
	}
	return nil
}

func (s *session) secret() string { return s.cfg.Secrets["client-secret"].Reveal() }

func (s *session) enter(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &provision.Error{
			Vendor: name, Op: opSignIn, Kind: provision.ErrInterrupted, Message: "stopped while waiting", Err: context.Cause(ctx),
		}
	}
}

func (s *session) leave() { <-s.turn }

func formHeader() http.Header {
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
}
