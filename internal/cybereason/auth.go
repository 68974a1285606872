package cybereason

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

const (
	opSignIn   = "sign in"
	cookieName = "JSESSIONID"

	// life is how long a session is used. The console ends it after eight
	// hours. (Cybereason API documentation, Log in with the API.)
	life = 8*time.Hour - 5*time.Minute
)

// session holds the sign-in that all requests of a tenant share. One is made
// at a time, and what the console refused is not tried again.
type session struct {
	cfg    provision.Config
	http   *transport.Client
	factor factor
	pause  func(context.Context, time.Duration) error
	// record and steps are the names of what is kept in cfg.Store.
	record, steps string

	// turn is held by whoever uses the fields below, a sign-in included.
	turn    chan struct{}
	loaded  bool
	current *ticket
	refusal error
	// idle counts the sessions of this run, one after the other, that ended
	// before they were of any use.
	idle int
	// badCodes counts the codes of the second factor that were not taken.
	badCodes int
}

// ticket is a session at the console. What is stored of it is as good as a
// password for as long as the session lasts.
type ticket struct {
	Cookie  string    `json:"cookie"`
	Since   time.Time `json:"since"`
	Account string    `json:"account"`
	// Login is what the console calls us, where it tells.
	Login string `json:"login"`

	// kept is true for one of an earlier run.
	kept bool
	// me is who we are, as the console said when we signed in.
	me *identity
	// served is set once a request other than that question was let in.
	served atomic.Bool
}

func newSession(cfg provision.Config, client *transport.Client, f factor) *session {
	sum := sha256.Sum256([]byte(client.Origin().String() + "\n" + provision.FoldLogin(cfg.Setting("username"))))
	id := hex.EncodeToString(sum[:12])
	return &session{
		cfg: cfg, http: client, factor: f, pause: sleep,
		record: "session-" + id, steps: "totp-" + id, turn: make(chan struct{}, 1),
	}
}

// ticket returns a session, signing in if there is none.
func (s *session) ticket(ctx context.Context) (*ticket, error) {
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
	if s.current != nil && s.current.young(s.cfg.Now()) {
		return s.current, nil
	}
	s.current = nil
	t, err := s.signIn(ctx)
	if err != nil {
		if provision.KindOf(err) == provision.ErrUnauthenticated {
			s.refusal = err
		}
		return nil, err
	}
	s.current = t
	data, err := json.Marshal(t)
	if err == nil {
		err = s.cfg.Store.Put(s.record, data)
	}
	if err != nil {
		s.cfg.Log.InfoContext(ctx, "the session cannot be kept for the next run", "tenant", s.cfg.Tenant, "error", err)
	}
	return t, nil
}

func (t *ticket) young(now time.Time) bool {
	age := now.Sub(t.Since)
	return age >= 0 && age < life
}

// ended tells that the console does not know a session any more. However many
// requests meet that, one new sign-in is made for them. After two sessions that
// ended before they were of any use there is no third.
func (s *session) ended(ctx context.Context, t *ticket) {
	if s.enter(ctx) != nil {
		return
	}
	defer s.leave()
	if s.current != t {
		return
	}
	s.drop(ctx)
	switch {
	case t.served.Load():
		s.idle = 0
	case !t.kept:
		s.idle++
	}
	if s.idle > 1 {
		s.refusal = &provision.Error{
			Vendor: name, Op: opSignIn, Kind: provision.ErrUnauthenticated, Message: "the console ends each session at once",
			Hint: "does something else sign in as the same user? Give edrctl an account of its own",
		}
	}
}

// load takes over the session of an earlier run, once.
func (s *session) load() error {
	if s.loaded {
		return nil
	}
	data, err := s.cfg.Store.Get(s.record)
	if err != nil {
		return &provision.Error{Vendor: name, Op: opSignIn, Kind: provision.KindOf(err), Message: "reading the session", Err: err}
	}
	s.loaded = true
	t := &ticket{kept: true}
	if json.Unmarshal(data, t) == nil && t.Cookie != "" && provision.SameLogin(t.Account, s.account()) {
		s.cfg.Made(t.Cookie)
		s.current = t
	}
	return nil
}

// drop forgets the current session, and its record unless another process has
// put a newer one there.
func (s *session) drop(ctx context.Context) {
	old := s.current
	s.current = nil
	if old == nil {
		return
	}
	err := s.cfg.Store.Update(ctx, s.record, func(data []byte) ([]byte, error) {
		var stored ticket
		if json.Unmarshal(data, &stored) == nil && stored.Cookie != old.Cookie {
			return data, nil
		}
		return nil, nil
	})
	if err != nil {
		s.cfg.Log.InfoContext(ctx, "the kept session cannot be removed", "tenant", s.cfg.Tenant, "error", err)
	}
}

// SignOut implements provision.Session: it ends the session, also one of an
// earlier run, and forgets it. The console answers with a redirect whatever
// became of it.
func (a *adapter) SignOut(ctx context.Context) error {
	s := a.session
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
	if !t.young(s.cfg.Now()) {
		return nil
	}
	_, err := s.http.Do(ctx, &transport.Request{
		Op: "sign out", Method: http.MethodGet, Path: "/logout", Single: true, Sign: signer(t.Cookie),
	})
	return err
}

// signer puts the session on a request.
func signer(cookie string) func(*http.Request) error {
	return func(r *http.Request) error {
		r.Header.Set("Cookie", cookieName+"="+cookie)
		return nil
	}
}

// isOurs reports the account that we are signed in as.
func (s *session) isOurs(ctx context.Context, login string) bool {
	if provision.SameLogin(login, s.account()) {
		return true
	}
	if s.enter(ctx) != nil {
		return false
	}
	defer s.leave()
	return s.current != nil && provision.SameLogin(login, s.current.Login)
}

func (s *session) account() string { return s.cfg.Setting("username") }

func (s *session) password() string { return s.cfg.Secrets["password"].Reveal() }

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
