package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"edrctl/internal/carbonblack"
	"edrctl/internal/cortex"
	"edrctl/internal/crowdstrike"
	"edrctl/internal/cybereason"
	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// subject is a vendor to measure, with what a roster of people needs there.
type subject struct {
	vendor provision.Vendor
	maker  mock.Maker
	role   string
	// perSecond is how many requests the vendor takes; 0 for no limit.
	perSecond float64
	switches  map[string]string
}

func subjects() []subject {
	all := makers()
	return []subject{
		{vendor: crowdstrike.Vendor(), maker: all[0], role: "id:event_viewer"},
		{
			vendor: carbonblack.Vendor(), maker: all[1], role: "id:psc:role::BETA_VIEW_ALL",
			switches: map[string]string{"instant-activation": "on"},
		},
		{vendor: cortex.Vendor(), maker: all[2], role: "id:viewer", perSecond: 8},
		{vendor: cybereason.Vendor(), maker: all[3], role: "analyst_l1", switches: map[string]string{"password-rule": "off"}},
	}
}

// ideal is the least that requests can take: by what is in flight at once, and by
// the vendor's own limit.
func (s subject) ideal(requests int, latency time.Duration) time.Duration {
	byLatency := time.Duration(requests) * latency / time.Duration(s.vendor.InFlight)
	if s.perSecond == 0 {
		return byLatency
	}
	// What is allowed in the first second may go out at once.
	byLimit := time.Duration((float64(requests) - s.perSecond) / s.perSecond * float64(time.Second))
	return max(byLatency, byLimit)
}

// seed is the state of a fake in which the people of a roster are listed, where
// the vendor cannot create accounts; nil elsewhere.
func (s subject) seed(people int) (map[string]json.RawMessage, error) {
	if s.vendor.Can(provision.CanCreateUser) {
		return nil, nil
	}
	data, err := json.Marshal(s.maker.New(mock.Env{Now: time.Now}).State())
	if err != nil {
		return nil, err
	}
	var state map[string]any
	if err := json.Unmarshal(data, &state); err != nil {
		return nil, err
	}
	users, _ := state["users"].([]any)
	for i := range people {
		users = append(users, map[string]any{
			"user_email": person(i), "user_first_name": "Pat", "user_last_name": "Quist", "status": "Active", "role_id": "", "user_type": "CSP",
		})
	}
	state["users"] = users
	data, err = json.Marshal(state)
	return map[string]json.RawMessage{s.vendor.Name: data}, err
}

func person(i int) string { return fmt.Sprintf("person%06d@example.com", i) }

// set turns the switches that a vendor needs for a roster.
func (s subject) set(servers *mock.Servers) error {
	for name, value := range s.switches {
		if err := servers.Server(s.vendor.Name).Set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// rosters measures people who get one role each, at each vendor, and planning for
// them afterwards.
func (b *bench) rosters(people int, latency time.Duration, subjects []subject) error {
	b.row(fmt.Sprintf("%d PEOPLE, %s A REQUEST", people, latency), "WALL", "REQUESTS EACH", "PEAK", "IDEAL", "RATIO")
	for _, s := range subjects {
		if err := b.oneVendor(s, people, latency); err != nil {
			return fmt.Errorf("%s: %w", s.vendor.Name, err)
		}
	}
	return nil
}

func (b *bench) oneVendor(s subject, people int, latency time.Duration) error {
	name := fmt.Sprintf("%s-%d-%d", s.vendor.Name, people, latency.Milliseconds())
	seed, err := s.seed(people)
	if err != nil {
		return err
	}
	servers, env, err := b.serve(name, mock.Options{Makers: []mock.Maker{s.maker}, Latency: latency, Seed: seed})
	if err != nil {
		return err
	}
	defer func() { _ = servers.Close() }()
	if err := s.set(servers); err != nil {
		return err
	}
	roster := filepath.Join(b.dir, name, "roster.csv")
	if err := writeRoster(roster, people, s.vendor.Name, s.role); err != nil {
		return err
	}
	measure := func(what string, args ...string) error {
		server := servers.Server(s.vendor.Name)
		server.ClearRequests()
		m, err := b.process(args, env)
		if err != nil {
			return err
		}
		requests, ratio := len(server.Requests()), "-"
		ideal := s.ideal(requests, latency)
		if ideal > 0 {
			ratio = fmt.Sprintf("%.2f", float64(m.wall)/float64(ideal))
		}
		b.row(s.vendor.Name+", "+what, m.wall.Round(time.Millisecond), fmt.Sprintf("%.2f", float64(requests)/float64(people)),
			fmt.Sprintf("%d MiB", m.peak>>20), ideal.Round(time.Millisecond), ratio)
		return nil
	}
	if err := measure("apply", b.applying(roster, name)...); err != nil {
		return err
	}
	return measure("plan again", "plan", "-f", roster, "-o", "jsonl", "-q")
}

// applying are the arguments that apply a roster.
func (b *bench) applying(roster, name string) []string {
	passwords := filepath.Join(b.dir, name, "passwords")
	return []string{"apply", "-f", roster, "-o", "jsonl", "-q", "--generate-passwords", "--password-out", passwords}
}

// tenants measures many tenants at once, each with some people: the roster is
// applied, and planned again when nothing is left to be done.
func (b *bench) tenants(tenants, people int) error {
	b.row(fmt.Sprintf("%d TENANTS, %d PEOPLE EACH", tenants, people), "WALL", "REQUESTS EACH", "PEAK")
	home := filepath.Join(b.dir, "tenants")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	var roster, config strings.Builder
	config.WriteString("version: 1\nallow-plaintext-secrets: true\ntenants:\n")
	roster.WriteString("login,roles,tenants\n")
	var all []*mock.Server
	kinds := subjects()
	for i := range tenants {
		s := kinds[i%len(kinds)]
		seed, err := s.seed(people)
		if err != nil {
			return err
		}
		servers, _, err := b.serve(fmt.Sprintf("tenants/%d", i), mock.Options{Makers: []mock.Maker{s.maker}, Plain: true, Seed: seed})
		if err != nil {
			return err
		}
		defer func() { _ = servers.Close() }()
		if err := s.set(servers); err != nil {
			return err
		}
		all = append(all, servers.All()...)
		tenant := fmt.Sprintf("%s-%d", s.vendor.Name, i)
		fmt.Fprintf(&config, "  %s:\n    vendor: %s\n", tenant, s.vendor.Name)
		for key, value := range servers.Server(s.vendor.Name).Settings() {
			fmt.Fprintf(&config, "    %s: %q\n", key, value)
		}
		for n := range people {
			fmt.Fprintf(&roster, "%s,%s,%s\n", person(n), s.role, tenant)
		}
	}
	paths := map[string]string{"config.yaml": config.String(), "roster.csv": roster.String()}
	for name, text := range paths {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	env := []string{"EDRCTL_CONFIG=" + filepath.Join(home, "config.yaml"), "XDG_CACHE_HOME=" + home, "XDG_STATE_HOME=" + home}
	file := filepath.Join(home, "roster.csv")
	for _, run := range []struct {
		what string
		args []string
	}{{"apply", b.applying(file, "tenants")}, {"plan again", []string{"plan", "-f", file, "-o", "jsonl", "-q", "--exit-code"}}} {
		requests := 0
		for _, s := range all {
			s.ClearRequests()
		}
		m, err := b.process(run.args, env)
		if err != nil {
			return err
		}
		for _, s := range all {
			requests += len(s.Requests())
		}
		b.row(run.what, m.wall.Round(time.Millisecond), fmt.Sprintf("%.2f", float64(requests)/float64(tenants*people)), fmt.Sprintf("%d MiB", m.peak>>20))
	}
	return nil
}

// pause measures what is sent while a vendor asks to wait: nothing is to be.
func (b *bench) pause(people int) error {
	const seconds = 2
	b.row(fmt.Sprintf("A PAUSE OF %d S IN %d PEOPLE", seconds, people), "WALL", "SENT MEANWHILE")
	for _, s := range subjects() {
		if !s.vendor.Can(provision.CanCreateUser) {
			continue
		}
		name := "pause-" + s.vendor.Name
		servers, env, err := b.serve(name, mock.Options{Makers: []mock.Maker{s.maker}, Latency: 5 * time.Millisecond})
		if err != nil {
			return err
		}
		defer func() { _ = servers.Close() }()
		if err := s.set(servers); err != nil {
			return err
		}
		server := servers.Server(s.vendor.Name)
		roster := filepath.Join(b.dir, name, "roster.csv")
		if err := writeRoster(roster, people, s.vendor.Name, s.role); err != nil {
			return err
		}
		if err := server.Fault(mock.Fault{Method: "POST", Path: "users", Action: "429", RetryAfter: seconds}); err != nil {
			return err
		}
		m, err := b.process(b.applying(roster, name), env)
		if err != nil {
			return err
		}
		early, until := 0, time.Time{}
		for _, r := range server.Requests() {
			switch {
			case r.Status == 429:
				// What is on its way when the answer comes cannot be held back.
				until = r.Time.Add(seconds * time.Second)
			case !until.IsZero() && r.Time.Before(until) && r.Time.After(until.Add(50*time.Millisecond-seconds*time.Second)):
				early++
			}
		}
		b.row(s.vendor.Name, m.wall.Round(time.Millisecond), early)
	}
	return nil
}

// read measures reading and checking a large roster, of which no row is meant for
// this part of many.
func (b *bench) read(rows int) error {
	servers, env, err := b.serve("read", mock.Options{Makers: makers()[:1]})
	if err != nil {
		return err
	}
	defer func() { _ = servers.Close() }()
	b.row(fmt.Sprintf("%d ROWS READ AND CHECKED", rows), "WALL", "PEAK", "BUDGET")
	for _, format := range []string{"csv", "yaml"} {
		path := filepath.Join(b.dir, "rows."+format)
		if err := writeRoster(path, rows, "crowdstrike", "id:event_viewer"); err != nil {
			return err
		}
		m, err := b.process([]string{"plan", "-f", path, "-q", "-o", "name", "--shard", fmt.Sprintf("0/%d", 1<<30)}, env)
		if err != nil {
			return err
		}
		b.row(format, m.wall.Round(time.Millisecond), fmt.Sprintf("%d MiB", m.peak>>20), "3 s, 300 MiB")
	}
	return nil
}

func writeRoster(path string, people int, tenant, role string) error {
	var s strings.Builder
	yaml := strings.HasSuffix(path, ".yaml")
	if yaml {
		s.WriteString("apiVersion: edrctl/v1\nkind: Roster\nusers:\n")
	} else {
		s.WriteString("login,roles,tenants\n")
	}
	for i := range people {
		if yaml {
			fmt.Fprintf(&s, "  - login: %s\n    roles: [%q]\n    tenants: [%s]\n", person(i), role, tenant)
		} else {
			fmt.Fprintf(&s, "%s,%s,%s\n", person(i), role, tenant)
		}
	}
	return os.WriteFile(path, []byte(s.String()), 0o600)
}
