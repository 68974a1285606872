package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edrctl/cmd/edrctl/cli"
	"edrctl/internal/carbonblack"
	"edrctl/internal/cortex"
	"edrctl/internal/crowdstrike"
	"edrctl/internal/cybereason"
	"edrctl/internal/mock"
	mockcarbonblack "edrctl/internal/mock/carbonblack"
	mockcortex "edrctl/internal/mock/cortex"
	mockcrowdstrike "edrctl/internal/mock/crowdstrike"
	mockcybereason "edrctl/internal/mock/cybereason"
	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// asEdrctl is the variable that makes this test's program edrctl itself, with
// the real main and a process of its own.
const asEdrctl = "RUN_AS_EDRCTL"

func TestMain(m *testing.M) {
	if os.Getenv(asEdrctl) != "" {
		main()
	}
	os.Exit(m.Run())
}

// console is a vendor, its fake, and people and roles of the fake's default
// state. Listed is somebody whose roles can be changed.
type console struct {
	vendor              provision.Vendor
	maker               mock.Maker
	listed, role, other string
	firstPassword       string
	sessions            bool
	// creates is the path that new accounts are posted to, if there is one.
	creates string
}

func consoles() []console {
	return []console{
		{
			vendor: crowdstrike.Vendor(), maker: mockcrowdstrike.Maker(), sessions: true,
			listed: "li.tran@my-company.com", role: "event_viewer", other: "help_desk",
			creates: "/user-management/entities/users/v1",
		},
		{
			vendor: carbonblack.Vendor(), maker: mockcarbonblack.Maker(),
			listed: "lea.brandt@example.com", role: "psc:role::BETA_VIEW_ALL", other: "psc:role::BETA_LEVEL_1_ANALYST",
			creates: "/appservices/v6/orgs/7KQ2M9XD/users",
		},
		{
			vendor: cortex.Vendor(), maker: mockcortex.Maker(),
			listed: "ivo.novak+soc@my-company.com", role: "viewer", other: "soc_lead_5190",
		},
		{
			vendor: cybereason.Vendor(), maker: mockcybereason.Maker(), sessions: true,
			listed: "soc+night@example.com", role: "executive", other: "analyst_l1", firstPassword: "First#Passw0rd!of2Some",
			creates: "/rest/users",
		},
	}
}

func eachConsole(t *testing.T, f func(t *testing.T, c console)) {
	for _, c := range consoles() {
		t.Run(c.vendor.Name, func(t *testing.T) {
			t.Parallel()
			f(t, c)
		})
	}
}

// spec is a person who is not there yet, with a role.
func (c console) spec(login string) provision.UserSpec {
	s := provision.UserSpec{Login: login, FirstName: "New", LastName: "Person", Roles: []string{c.role}}
	if c.firstPassword != "" {
		s.FirstName, s.LastName, s.Password = "", "", provision.NewSecret(c.firstPassword)
	}
	return s
}

// patch is a detail that Listed does not have yet.
func (c console) patch() provision.UserPatch {
	first := "Renamed"
	if c.vendor.Can(provision.CanStoreName) {
		return provision.UserPatch{FirstName: &first}
	}
	return provision.UserPatch{Options: provision.Options{"daily-notifications": "false"}}
}

// between stands before a fake and answers in its place where it wants to.
type between func(w http.ResponseWriter, r *http.Request, fake http.Handler)

// stage is a fake over TLS with somebody between it and the adapter.
type stage struct {
	console
	api    mock.API
	server *httptest.Server
	ca     *authority
	// strays are connections that went elsewhere, or without TLS.
	strays *notes

	mu      sync.Mutex
	between between
}

// newStage serves a console's fake; alter, if not nil, changes the server before
// it starts.
func newStage(t *testing.T, c console, alter func(*stage)) *stage {
	t.Helper()
	s := &stage{console: c, api: c.maker.New(mock.Env{Now: time.Now}), ca: newAuthority(t, "a throw-away authority"), strays: &notes{}}
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		b := s.between
		s.mu.Unlock()
		if b == nil {
			s.api.ServeHTTP(w, r)
			return
		}
		b(w, r, s.api)
	}))
	s.server.EnableHTTP2 = true
	s.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.server.Listener = &sniffer{Listener: s.server.Listener, strays: s.strays}
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{s.ca.issue(t, nil)}}
	if alter != nil {
		alter(s)
	}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

func (s *stage) put(b between) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.between = b
}

// reset is the fake's default state, with nobody between.
func (s *stage) reset(t *testing.T) {
	t.Helper()
	s.put(nil)
	require.NoError(t, s.api.Load(nil))
}

// base is the real transport, trusting the stage's authority.
func (s *stage) base(t *testing.T) *http.Transport {
	t.Helper()
	base := transport.Base(transport.BaseOptions{Roots: s.ca.pool()})
	t.Cleanup(base.CloseIdleConnections)
	return base
}

// open makes an adapter by the vendor's own New.
func (s *stage) open(t *testing.T, carrier http.RoundTripper) provision.Provisioner {
	t.Helper()
	p, err := s.vendor.New(t.Context(), s.config(carrier))
	require.NoError(t, err)
	return p
}

func (s *stage) config(carrier http.RoundTripper) provision.Config {
	cfg := s.tenant(s.api.Settings(s.server.URL), carrier)
	cfg.Timeout, cfg.MaxWait, cfg.RequestsPerMinute = 10*time.Second, time.Second, 600_000
	return cfg
}

// tenant is configured by the settings that a fake gives.
func (c console) tenant(given map[string]string, carrier http.RoundTripper) provision.Config {
	cfg := provision.Config{
		Tenant: "lab", Settings: map[string]string{}, Secrets: map[string]provision.Secret{}, HTTP: carrier, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Store: provision.MemoryStore(),
	}
	for _, setting := range c.vendor.Settings {
		switch value := given[setting.Name]; {
		case value == "":
		case setting.Secret:
			cfg.Secrets[setting.Name] = provision.NewSecret(value)
		default:
			cfg.Settings[setting.Name] = value
		}
	}
	return cfg
}

// operation is something edrctl does at a vendor.
type operation struct {
	name string
	do   func(ctx context.Context, p provision.Provisioner) error
}

// operations are all of them. Each begins with nothing but its adapter.
func (c console) operations() []operation {
	return []operation{
		{"check", func(ctx context.Context, p provision.Provisioner) error {
			_, err := p.Check(ctx)
			return err
		}},
		{"list users", func(ctx context.Context, p provision.Provisioner) error {
			for _, err := range p.Users(ctx, provision.Filter{}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"get user", func(ctx context.Context, p provision.Provisioner) error {
			_, err := p.User(ctx, c.listed)
			return err
		}},
		{"list roles", func(ctx context.Context, p provision.Provisioner) error {
			_, err := p.Roles(ctx)
			return err
		}},
		{"create user", func(ctx context.Context, p provision.Provisioner) error {
			_, err := p.CreateUser(ctx, c.spec("new.person@example.com"))
			return err
		}},
		{"update user", func(ctx context.Context, p provision.Provisioner) error {
			_, _, err := p.UpdateUser(ctx, c.listed, c.patch())
			return err
		}},
		{"change roles", func(ctx context.Context, p provision.Provisioner) error {
			_, err := p.ChangeRoles(ctx, c.listed, provision.RoleChange{Grant: []string{c.other}, Exact: true})
			return err
		}},
		{"delete user", func(ctx context.Context, p provision.Provisioner) error {
			_, err := p.DeleteUser(ctx, c.listed)
			return err
		}},
		{"reset", func(ctx context.Context, p provision.Provisioner) error {
			return p.Reset(ctx, c.listed, provision.CredentialMFA)
		}},
		{"sign out", func(ctx context.Context, p provision.Provisioner) error {
			s, ok := p.(provision.Session)
			if !ok {
				return nil
			}
			if _, err := p.Check(ctx); err != nil {
				return err
			}
			return s.SignOut(ctx)
		}},
	}
}

// notes are lines that several goroutines write.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

// take returns the lines and forgets them.
func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	lines := n.lines
	n.lines = nil
	return lines
}

// sniffer notes connections that begin with something else than a TLS handshake.
type sniffer struct {
	net.Listener
	strays *notes
}

func (l *sniffer) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &sniffed{Conn: conn, strays: l.strays}, nil
}

type sniffed struct {
	net.Conn
	strays *notes
	once   sync.Once
}

func (c *sniffed) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.once.Do(func() {
			if p[0] != 0x16 {
				c.strays.add("plain HTTP at the console's own port: " + string(p[:n]))
			}
		})
	}
	return n, err
}

// authority signs certificates for a test.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  []byte
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{key: key, cert: cert, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// issue signs a certificate for loopback and a few names, changed by alter.
func (a *authority) issue(t *testing.T, alter func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "a server"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{"localhost", "*.crowdstrike.com", "*.example"},
	}
	if alter != nil {
		alter(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// home is a person's account on a computer: folders of its own, and a
// configuration.
type home struct {
	dir, work string
	environ   []string
	// started, if not nil, is told the id of each process.
	started func(pid int)
}

func newHome(t *testing.T) *home {
	t.Helper()
	h := &home{dir: t.TempDir(), work: t.TempDir()}
	h.environ = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, "XDG_CONFIG_HOME=" + h.path(".config"), "XDG_CACHE_HOME=" + h.path(".cache"),
		"XDG_STATE_HOME=" + h.path(".state"), "TERM=dumb",
	}
	return h
}

func (h *home) path(parts ...string) string {
	return filepath.Join(append([]string{h.dir}, parts...)...)
}

// write makes a file that only its owner can read, and its folders.
func (h *home) write(t *testing.T, name, text string) string {
	t.Helper()
	path := h.path(name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// configure writes the configuration of tenants, each with a ca-file.
func (h *home) configure(t *testing.T, stages ...*stage) {
	t.Helper()
	var text strings.Builder
	text.WriteString("version: 1\nallow-plaintext-secrets: true\ntenants:\n")
	for _, s := range stages {
		name := s.vendor.Name
		text.WriteString("  " + name + ":\n    vendor: " + name + "\n    requests-per-minute: 600000\n    ca-file: " + h.write(t, name+".pem", string(s.ca.pem)) + "\n")
		for key, value := range s.api.Settings(s.server.URL) {
			text.WriteString("    " + key + ": '" + strings.ReplaceAll(value, "'", "''") + "'\n")
		}
	}
	h.write(t, ".config/edrctl/config.yaml", text.String())
}

// clear removes what edrctl keeps between runs.
func (h *home) clear() error {
	return errors.Join(os.RemoveAll(h.path(".cache")), os.RemoveAll(h.path(".state")))
}

// run is one run of edrctl within this process.
type run struct {
	status   int
	out, err string
}

func (r run) all() string { return r.out + r.err }

// edrctl runs a command without a terminal.
func (h *home) edrctl(args ...string) run {
	return h.edrctlIn(func(*cli.Env) {}, args...)
}

// edrctlIn runs a command in a world that is changed by alter.
func (h *home) edrctlIn(alter func(*cli.Env), args ...string) run {
	var out, errs bytes.Buffer
	env := cli.Env{
		In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now, Environ: h.environ,
		ConfigDir: h.path(".config"), CacheDir: h.path(".cache"), HomeDir: h.dir, Looks: []time.Duration{0, 0, 0},
	}
	for _, c := range consoles() {
		env.Vendors, env.Mocks = append(env.Vendors, c.vendor), append(env.Mocks, c.maker)
	}
	alter(&env)
	return run{cli.Main(args, env), out.String(), errs.String()}
}

// process runs edrctl in a process of its own, through a program and its
// arguments that take a command to run, if there is one.
func (h *home) process(t *testing.T, through []string, args ...string) (run, *os.ProcessState) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	argv := slices.Concat(through, []string{self}, args)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(slices.Clone(h.environ), asEdrctl+"=1")
	cmd.Dir = h.work
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Start())
	if h.started != nil {
		h.started(cmd.Process.Pid)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return run{cmd.ProcessState.ExitCode(), out.String(), errs.String()}, cmd.ProcessState
}
