package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// measured is what one run of edrctl took.
type measured struct {
	wall time.Duration
	// peak is the resident memory at its highest, in bytes.
	peak int64
}

// process runs edrctl once.
func (b *bench) process(args, env []string) (measured, error) {
	cmd := exec.Command(b.binary, args...)
	cmd.Env = append(os.Environ(), env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	began := time.Now()
	err := cmd.Run()
	m := measured{wall: time.Since(began)}
	if err != nil {
		return m, fmt.Errorf("%v: %w\n%s", args, err, errs.String())
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.peak = usage.Maxrss << 10
	}
	return m, nil
}
