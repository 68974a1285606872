// Bench measures edrctl against its own mocks and prints a table. It decides
// nothing: times depend on the machine.
//
//	go run ./cmd/bench -edrctl bin/edrctl
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"edrctl/internal/mock"
	mockcarbonblack "edrctl/internal/mock/carbonblack"
	mockcortex "edrctl/internal/mock/cortex"
	mockcrowdstrike "edrctl/internal/mock/crowdstrike"
	mockcybereason "edrctl/internal/mock/cybereason"
)

func main() {
	binary := flag.String("edrctl", "bin/edrctl", "the binary to measure")
	people := flag.Int("people", 1000, "people in the rosters that are applied")
	rows := flag.Int("rows", 100000, "rows of the roster that is only read")
	flag.Parse()
	path, err := filepath.Abs(*binary)
	if err == nil {
		err = run(path, *people, *rows)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(binary string, people, rows int) error {
	dir, err := os.MkdirTemp("", "edrctl-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{binary: binary, dir: dir, out: tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)}
	steps := []func() error{
		b.size, b.start,
		func() error { return b.oneOff(0) },
		func() error { return b.oneOff(20 * time.Millisecond) },
		func() error { return b.rosters(people, 0, subjects()) },
		func() error { return b.rosters(people, 20*time.Millisecond, subjects()) },
		// Falcon takes a request for each person's roles, and 6,000 a minute.
		func() error { return b.rosters(10*people, 0, subjects()[1:]) },
		func() error { return b.tenants(200, 50) },
		func() error { return b.pause(100) },
		func() error { return b.read(rows) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
		if err := b.out.Flush(); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(b.out)
	}
	return b.out.Flush()
}

type bench struct {
	binary string
	dir    string
	out    *tabwriter.Writer
}

func (b *bench) row(cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = fmt.Sprint(c)
	}
	_, _ = fmt.Fprintln(b.out, strings.Join(texts, "\t"))
}

func (b *bench) size() error {
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	b.row("WHAT", "MEASURED", "BUDGET")
	b.row("binary", fmt.Sprintf("%.1f MiB", float64(info.Size())/(1<<20)), "15 MiB")
	return nil
}

// start measures commands that need nothing but to start.
func (b *bench) start() error {
	for _, c := range []struct {
		args   []string
		budget string
	}{{[]string{"version"}, "10 ms"}, {[]string{"--help"}, "15 ms"}, {[]string{"__complete", "user", "list", "--status", ""}, "50 ms"}} {
		took, err := b.median(50, c.args, nil)
		if err != nil {
			return err
		}
		b.row("edrctl "+strings.Join(c.args, " "), took, c.budget)
	}
	return nil
}

// median runs a command several times.
func (b *bench) median(n int, args, env []string) (time.Duration, error) {
	var all []time.Duration
	for range n {
		m, err := b.process(args, env)
		if err != nil {
			return 0, err
		}
		all = append(all, m.wall)
	}
	slices.Sort(all)
	return all[n/2].Round(10 * time.Microsecond), nil
}

func makers() []mock.Maker {
	return []mock.Maker{mockcrowdstrike.Maker(), mockcarbonblack.Maker(), mockcortex.Maker(), mockcybereason.Maker()}
}

// systemRoots is where Debian and those like it keep the authorities they trust.
const systemRoots = "/etc/ssl/certs/ca-certificates.crt"

// serve starts fakes and writes a configuration for them. Their authority is one
// among the system's, as those of the vendors' clouds are.
func (b *bench) serve(name string, o mock.Options) (*mock.Servers, []string, error) {
	servers, err := mock.Start(context.Background(), o)
	if err != nil {
		return nil, nil, err
	}
	home := filepath.Join(b.dir, name)
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, nil, err
	}
	roots, config := filepath.Join(home, "roots.pem"), filepath.Join(home, "config.yaml")
	trusted, _ := os.ReadFile(systemRoots) // elsewhere, only ours
	if err := os.WriteFile(roots, append(trusted, servers.CAPEM()...), 0o600); err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(config, servers.Config(""), 0o600); err != nil {
		return nil, nil, err
	}
	return servers, []string{
		"EDRCTL_CONFIG=" + config, "SSL_CERT_FILE=" + roots, "SSL_CERT_DIR=" + home, "XDG_CACHE_HOME=" + home, "XDG_STATE_HOME=" + home,
	}, nil
}
