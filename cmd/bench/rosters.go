package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"edrctl/internal/mock"
)

// plans are what a roster of new people costs at each vendor: how many requests
// are in flight at once, and how many a second the vendor takes.
type vendorPlan struct {
	maker     mock.Maker
	role      string
	inFlight  int
	perSecond float64
	switches  map[string]string
}

func vendorPlans() []vendorPlan {
	all := makers()
	return []vendorPlan{
		{maker: all[0], role: "id:event_viewer", inFlight: 16},
		{maker: all[1], role: "id:psc:role::BETA_VIEW_ALL", inFlight: 4, switches: map[string]string{"instant-activation": "on"}},
		{maker: all[3], role: "analyst_l1", inFlight: 1, switches: map[string]string{"password-rule": "off"}},
	}
}

// rosters measures people created with one role each, at each vendor that can
// create, and planning over them afterwards.
func (b *bench) rosters(people int, latency time.Duration) error {
	b.row(fmt.Sprintf("%d NEW PEOPLE, %s A REQUEST", people, latency), "WALL", "REQUESTS EACH", "PEAK", "IDEAL", "RATIO")
	for _, p := range vendorPlans() {
		if err := b.oneVendor(p, people, latency); err != nil {
			return fmt.Errorf("%s: %w", p.maker.Vendor, err)
		}
	}
	return nil
}

func (b *bench) oneVendor(p vendorPlan, people int, latency time.Duration) error {
	name := fmt.Sprintf("%s-%d", p.maker.Vendor, latency.Milliseconds())
	servers, env, err := b.serve(name, latency, p.maker)
	if err != nil {
		return err
	}
	defer func() { _ = servers.Close() }()
	server := servers.Server(p.maker.Vendor)
	for k, v := range p.switches {
		if err := server.Set(k, v); err != nil {
			return err
		}
	}
	roster := filepath.Join(b.dir, name, "roster.csv")
	if err := writeRoster(roster, people, p.maker.Vendor, p.role); err != nil {
		return err
	}
	args := []string{"apply", "-f", roster, "-o", "jsonl", "-q", "--generate-passwords", "--password-out", filepath.Join(b.dir, name, "passwords")}
	m, err := b.process(args, env)
	if err != nil {
		return err
	}
	requests := len(server.Requests())
	ideal := time.Duration(requests) * latency / time.Duration(p.inFlight)
	if p.perSecond > 0 {
		ideal = max(ideal, time.Duration(float64(requests)/p.perSecond*float64(time.Second)))
	}
	ratio := "-"
	if ideal > 0 {
		ratio = fmt.Sprintf("%.2f", float64(m.wall)/float64(ideal))
	}
	b.row(p.maker.Vendor+", apply", m.wall.Round(time.Millisecond), fmt.Sprintf("%.2f", float64(requests)/float64(people)),
		fmt.Sprintf("%d MiB", m.peak>>20), ideal.Round(time.Millisecond), ratio)

	server.ClearRequests()
	m, err = b.process([]string{"plan", "-f", roster, "-o", "jsonl", "-q"}, env)
	if err != nil {
		return err
	}
	b.row(p.maker.Vendor+", plan again", m.wall.Round(time.Millisecond),
		fmt.Sprintf("%.2f", float64(len(server.Requests()))/float64(people)), fmt.Sprintf("%d MiB", m.peak>>20), "", "")
	return nil
}

// read measures reading and checking a large roster, which ends before the
// first request because of its last row.
func (b *bench) read(rows int) error {
	servers, env, err := b.serve("read", 0, makers()[:1]...)
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
			fmt.Fprintf(&s, "  - login: person%06d@example.com\n    roles: [%q]\n    tenants: [%s]\n", i, role, tenant)
		} else {
			fmt.Fprintf(&s, "person%06d@example.com,%s,%s\n", i, role, tenant)
		}
	}
	return os.WriteFile(path, []byte(s.String()), 0o600)
}
