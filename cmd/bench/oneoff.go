package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"edrctl/internal/mock"
	mockcrowdstrike "edrctl/internal/mock/crowdstrike"
)

// oneOff measures a create with a role on Falcon as whole processes, beside a
// client that does nothing but send the three requests.
func (b *bench) oneOff(latency time.Duration) error {
	servers, env, err := b.serve(fmt.Sprintf("oneoff-%d", latency.Milliseconds()), mock.Options{Makers: []mock.Maker{mockcrowdstrike.Maker()}, Latency: latency})
	if err != nil {
		return err
	}
	defer func() { _ = servers.Close() }()
	settings := servers.Server("crowdstrike").Settings()
	bare, err := b.buildBare()
	if err != nil {
		return err
	}
	const n = 31
	var cold, warm, plain []time.Duration
	for i := range n {
		for kind, list := range map[string]*[]time.Duration{"cold": &cold, "warm": &warm} {
			if kind == "cold" {
				if _, err := b.process([]string{"auth", "clear", "-q"}, env); err != nil {
					return err
				}
			}
			m, err := b.process([]string{"user", "create", fmt.Sprintf("%s%d@example.com", kind, i), "--role", "id:event_viewer"}, env)
			if err != nil {
				return err
			}
			*list = append(*list, m.wall)
		}
		cmd := exec.Command(bare, settings["url"], settings["client-id"], settings["client-secret"], fmt.Sprintf("bare%d@example.com", i))
		cmd.Env = append(os.Environ(), env...)
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("bare client: %w: %s", err, out)
		}
		plain = append(plain, time.Since(began))
	}
	median := func(d []time.Duration) time.Duration { slices.Sort(d); return d[len(d)/2].Round(10 * time.Microsecond) }
	c, w, p := median(cold), median(warm), median(plain)
	ratio := func(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(p)) }
	b.row(fmt.Sprintf("ONE-OFF CREATE, %s A REQUEST", latency), "MEDIAN", "RATIO")
	b.row("bare client, three requests", p, "1.00")
	b.row("edrctl, cold", c, ratio(c))
	b.row("edrctl, with a session", w, ratio(w))
	return nil
}

// buildBare builds the client that sends the three requests and nothing else.
func (b *bench) buildBare() (string, error) {
	path := filepath.Join(b.dir, "bare")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/bench/bare").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the bare client: %w: %s", err, out)
	}
	return path, nil
}
