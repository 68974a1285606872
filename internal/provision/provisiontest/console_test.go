package provisiontest_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
	"edrctl/internal/provision/provisiontest"
	"edrctl/internal/transport"
)

// TestConsole holds a small adapter and a small mock of a vendor that does not
// exist to the contract, over TLS and through the transport, as the real ones
// are held to it.
func TestConsole(t *testing.T) {
	console := provisiontest.Console{
		Vendor:     toyVendor(),
		Maker:      mock.Maker{Vendor: "toy", New: func(mock.Env) mock.API { return newToyConsole() }},
		Settings:   map[string]string{"generation": "two"},
		Switches:   map[string]string{"greeting": "hello"},
		PageSwitch: "page-size",
		Forbid:     func(s *mock.Server) { _ = s.Set("forbidden", "on") },
	}
	provisiontest.Run(t, provisiontest.Target{
		Vendor:      console.Vendor,
		Open:        console.Open,
		Listed:      []string{"ada@example.com", "Grace@Example.com", "lin@example.com"},
		Plain:       "ada@example.com",
		Mixed:       "Grace@Example.com",
		Holder:      "lin@example.com",
		HolderRoles: []string{"one"},
		RoleA:       provision.Role{ID: "one", Name: "One"},
		RoleB:       provision.Role{ID: "two", Name: "Two"},
		UnknownRole: "nine",
	})
}

func TestConsoleConfiguration(t *testing.T) {
	var got provision.Config
	vendor := toyVendor()
	connect := vendor.New
	vendor.New = func(ctx context.Context, cfg provision.Config) (provision.Provisioner, error) {
		got = cfg
		return connect(ctx, cfg)
	}
	console := provisiontest.Console{
		Vendor:   vendor,
		Maker:    mock.Maker{Vendor: "toy", New: func(mock.Env) mock.API { return newToyConsole() }},
		Settings: map[string]string{"generation": "two"},
	}
	tenant := console.Open(t)
	assert.Equal(t, "two", got.Settings["generation"], "overridden")
	assert.Equal(t, "large", got.Settings["size"], "by default")
	assert.Contains(t, got.Settings["url"], "https://127.0.0.1:")
	assert.NotContains(t, got.Settings, "token")
	assert.Equal(t, toyToken, got.Secrets["token"].Reveal())
	assert.Equal(t, []string{toyToken}, tenant.Secrets())
	_, err := tenant.P.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"GET /me"}, tenant.Requests())
	assert.Empty(t, tenant.Changes())
	assert.Contains(t, tenant.Output(), "path=/me")
	assert.Nil(t, tenant.Twins)
}

// toyToken is what the toy console wants to be shown.
const toyToken = "toy-token-0123456789"

// toyUser is a user on the wire.
type toyUser struct {
	ID    int      `json:"id"`
	Login string   `json:"login"`
	First string   `json:"first"`
	Last  string   `json:"last"`
	Roles []string `json:"roles"`
}

// toyConsole is a vendor's fake with one resource.
type toyConsole struct {
	mu       sync.Mutex
	users    []toyUser
	next     int
	switches map[string]string
}

func newToyConsole() *toyConsole {
	return &toyConsole{next: 3, switches: map[string]string{}, users: []toyUser{
		{ID: 1, Login: "ada@example.com", First: "Ada", Last: "Lovelace", Roles: []string{}},
		{ID: 2, Login: "Grace@Example.com", First: "Grace", Last: "Hopper", Roles: []string{"two"}},
		{ID: 3, Login: "lin@example.com", First: "Lin", Last: "Clark", Roles: []string{"one"}},
	}}
}

func (c *toyConsole) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	if r.Header.Get("Authorization") != "Bearer "+toyToken {
		answer(http.StatusUnauthorized, "who are you?")
		return
	}
	if c.switches["forbidden"] == "on" && r.URL.Path != "/me" {
		answer(http.StatusForbidden, "not you")
		return
	}
	var in toyUser
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		if json.NewDecoder(r.Body).Decode(&in) != nil {
			answer(http.StatusBadRequest, "no JSON")
			return
		}
		for _, role := range in.Roles {
			if role != "one" && role != "two" {
				answer(http.StatusUnprocessableEntity, "unknown role")
				return
			}
		}
	}
	id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/users/"))
	i := slices.IndexFunc(c.users, func(u toyUser) bool { return u.ID == id })
	switch {
	case r.URL.Path == "/me":
		answer(http.StatusOK, map[string]bool{"manages": c.switches["forbidden"] != "on"})
	case r.Method == http.MethodGet && r.URL.Path == "/users":
		from, _ := strconv.Atoi(r.URL.Query().Get("from"))
		size, _ := strconv.Atoi(c.switches["page-size"])
		if size == 0 {
			size = 100
		}
		from = min(from, len(c.users))
		answer(http.StatusOK, c.users[from:min(len(c.users), from+size)])
	case r.Method == http.MethodPost && r.URL.Path == "/users":
		for _, u := range c.users {
			if strings.EqualFold(u.Login, in.Login) {
				answer(http.StatusConflict, "taken")
				return
			}
		}
		c.next++
		in.ID = c.next
		c.users = append([]toyUser{in}, c.users...)
		answer(http.StatusCreated, in)
	case i < 0:
		answer(http.StatusNotFound, "nobody")
	case r.Method == http.MethodPut:
		in.ID, in.Login = c.users[i].ID, c.users[i].Login
		c.users[i] = in
		answer(http.StatusOK, in)
	case r.Method == http.MethodDelete:
		c.users = slices.Delete(c.users, i, i+1)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (c *toyConsole) Change(r *http.Request) bool { return r.Method != http.MethodGet }

func (c *toyConsole) Fail(w http.ResponseWriter, _ *http.Request, status int, retryAfter time.Duration) {
	if retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`"no"`))
}

func (c *toyConsole) State() any            { return c.users }
func (c *toyConsole) Load([]byte) error     { return errors.New("a toy cannot") }
func (c *toyConsole) Activate(string) error { return errors.New("a toy invites nobody") }
func (c *toyConsole) ExpireSessions()       {}

func (c *toyConsole) Set(name, value string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.switches[name] = value
	return nil
}

func (c *toyConsole) Switches() map[string]mock.Switch { return nil }

func (c *toyConsole) Settings(address string) map[string]string {
	return map[string]string{"url": address, "token": toyToken}
}

func toyVendor() *provision.Vendor {
	no := func(note string) provision.Capability {
		return provision.Capability{Level: provision.Unsupported, Note: note}
	}
	native := provision.Capability{Level: provision.Native}
	v := &provision.Vendor{
		Name: "toy", Title: "Toy", About: "A toy.", InFlight: 2, ListsPending: true,
		Settings: []provision.Setting{
			{Name: "url", Help: "address", Address: true},
			{Name: "token", Help: "key", Secret: true},
			{Name: "generation", Help: "which one", Default: "one"},
			{Name: "size", Help: "how large", Default: "large"},
		},
		Capabilities: map[provision.CapabilityName]provision.Capability{
			provision.CanListUsers: native, provision.CanCreateUser: native, provision.CanUpdateUser: native,
			provision.CanDeleteUser: native, provision.CanListRoles: native, provision.CanChangeRoles: native,
			provision.CanStoreName: native, provision.CanStorePhone: no("no phones"), provision.CanExpireRoles: no("no ends"),
			provision.CanResetMFA: no("no factors"), provision.CanResetPassword: no("no passwords"),
			provision.CanDryRunCreate: no("no rehearsal"),
		},
	}
	v.New = func(_ context.Context, cfg provision.Config) (provision.Provisioner, error) {
		origin, err := url.Parse(cfg.Setting("url"))
		if err != nil {
			return nil, err
		}
		return &toy{
			Base:  provision.Base{V: v},
			http:  transport.New(transport.Options{Vendor: "toy", Config: cfg, Origin: origin}),
			token: cfg.Secrets["token"],
		}, nil
	}
	return v
}

// toy is the adapter.
type toy struct {
	provision.Base
	http  *transport.Client
	token provision.Secret
}

func (a *toy) do(ctx context.Context, op, method, path string, query url.Values, body, into any) error {
	req := &transport.Request{
		Op: op, Method: method, Path: path, Query: query,
		Change: method != http.MethodGet, JSON: method != http.MethodDelete,
		Sign: func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+a.token.Reveal())
			return nil
		},
	}
	if body != nil {
		req.Body, _ = json.Marshal(body)
	}
	resp, err := a.http.Do(ctx, req)
	switch {
	case err != nil:
		return err
	case resp.OK() && into != nil:
		return resp.Decode("toy", op, into)
	case resp.OK():
		return nil
	}
	kind := transport.StatusKind(resp.Status, req.Change)
	if kind == provision.ErrConflict {
		kind = provision.ErrExists
	}
	return &provision.Error{Vendor: "toy", Op: op, Kind: kind, Status: resp.Status, Message: transport.Excerpt(resp.Body, 80)}
}

func (u toyUser) user() provision.User {
	out := provision.User{
		ID: strconv.Itoa(u.ID), Login: u.Login, FirstName: u.First, LastName: u.Last,
		Status: provision.StatusActive, Roles: []provision.HeldRole{},
	}
	for _, id := range u.Roles {
		out.Roles = append(out.Roles, provision.HeldRole{ID: id, Name: toyRoles()[id], Direct: true})
	}
	provision.SortRoles(out.Roles)
	return out
}

func toyRoles() map[string]string { return map[string]string{"one": "One", "two": "Two"} }

func (a *toy) Check(ctx context.Context) (provision.Identity, error) {
	var me struct {
		Manages bool `json:"manages"`
	}
	err := a.do(ctx, "check", http.MethodGet, "/me", nil, nil, &me)
	return provision.Identity{Name: "key", MayManage: me.Manages}, err
}

func (a *toy) Users(ctx context.Context, _ provision.Filter) iter.Seq2[provision.User, error] {
	return func(yield func(provision.User, error) bool) {
		seen := map[int]bool{}
		for from := 0; ; {
			var page []toyUser
			query := url.Values{"from": {strconv.Itoa(from)}}
			if err := a.do(ctx, "list users", http.MethodGet, "/users", query, nil, &page); err != nil {
				yield(provision.User{}, err)
				return
			}
			if len(page) == 0 {
				return
			}
			from += len(page)
			for _, u := range page {
				if !seen[u.ID] && !yield(u.user(), nil) {
					return
				}
				seen[u.ID] = true
			}
		}
	}
}

func (a *toy) User(ctx context.Context, login string) (provision.User, error) {
	for u, err := range a.Users(ctx, provision.Filter{}) {
		if err != nil || provision.SameLogin(u.Login, login) {
			return u, err
		}
	}
	return provision.User{}, &provision.Error{Vendor: "toy", Op: "get user", Kind: provision.ErrNotFound}
}

func (a *toy) CreateUser(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
	var out toyUser
	in := toyUser{Login: spec.Login, First: spec.FirstName, Last: spec.LastName, Roles: spec.Roles}
	err := a.do(ctx, "create user", http.MethodPost, "/users", nil, in, &out)
	return out.user(), err
}

func (a *toy) put(ctx context.Context, op string, u provision.User, roles []string) (provision.User, error) {
	var out toyUser
	in := toyUser{First: u.FirstName, Last: u.LastName, Roles: roles}
	err := a.do(ctx, op, http.MethodPut, "/users/"+transport.Segment(u.ID), nil, in, &out)
	return out.user(), err
}

func (a *toy) UpdateUser(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
	if p.Phone != nil {
		return provision.User{}, false, a.V.Refuse(provision.CanStorePhone, "update user")
	}
	u, err := a.User(ctx, login)
	if err != nil || p.Satisfied(u) {
		return u, false, err
	}
	if p.FirstName != nil {
		u.FirstName = *p.FirstName
	}
	if p.LastName != nil {
		u.LastName = *p.LastName
	}
	u, err = a.put(ctx, "update user", u, u.DirectRoles())
	return u, err == nil, err
}

func (a *toy) DeleteUser(ctx context.Context, login string) (provision.Removal, error) {
	u, err := a.User(ctx, login)
	if err != nil {
		return provision.Removal{}, err
	}
	err = a.do(ctx, "delete user", http.MethodDelete, "/users/"+transport.Segment(u.ID), nil, nil, nil)
	return provision.Removal{ID: u.ID, Deleted: true, Revoked: u.DirectRoles()}, err
}

func (a *toy) Roles(ctx context.Context) ([]provision.Role, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return []provision.Role{{ID: "one", Name: "One"}, {ID: "two", Name: "Two"}}, nil
}

func (a *toy) ChangeRoles(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
	if !c.Expires.IsZero() {
		return provision.RoleResult{}, a.V.Refuse(provision.CanExpireRoles, "change roles")
	}
	u, err := a.User(ctx, login)
	if err != nil {
		return provision.RoleResult{}, err
	}
	diff, err := a.V.Plan(u, c)
	result := provision.RoleResult{User: u}
	if err != nil || diff.Empty() {
		return result, err
	}
	roles := slices.Concat(diff.Grant, slices.DeleteFunc(u.DirectRoles(), func(id string) bool {
		return slices.Contains(diff.Revoke, id)
	}))
	after, err := a.put(ctx, "change roles", u, roles)
	if err == nil {
		result.User = after
	}
	if err == nil || errors.Is(err, provision.ErrUncertain) {
		result.Granted, result.Revoked = diff.Grant, diff.Revoke
	}
	return result, err
}
