package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const noticesName = "THIRD-PARTY-NOTICES.txt"

// writeNotices writes a file that is right for every target.
func writeNotices(path string) error {
	text, err := notices(targets())
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // for everybody to read
}

// notices are the licences of all that is compiled into edrctl for any of the
// targets, as most of them demand to be handed on with a binary. It is an error
// if a module has none.
func notices(wanted []target) (string, error) {
	modules := map[string]string{} // path and version, to folder
	for _, t := range wanted {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", "./cmd/edrctl")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+t.os, "GOARCH="+t.arch)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("go list for %s: %w", t, err)
		}
		for line := range strings.Lines(string(out)) {
			if name, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				modules[name] = dir
			}
		}
	}
	out, err := command("go", "env", "GOROOT", "GOVERSION")
	if err != nil {
		return "", err
	}
	root, version, _ := strings.Cut(strings.TrimSpace(out), "\n")
	var text strings.Builder
	text.WriteString("edrctl contains the following, under these licences.\n")
	if err := notice(&text, "Go "+strings.TrimPrefix(version, "go"), root); err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		if err := notice(&text, name, modules[name]); err != nil {
			return "", err
		}
	}
	return text.String(), nil
}

// notice adds what a folder says about its licence.
func notice(text *strings.Builder, name, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		licence := strings.HasPrefix(upper, "LICEN") || strings.HasPrefix(upper, "COPYING")
		if !e.Type().IsRegular() || !licence && !strings.HasPrefix(upper, "NOTICE") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name())) //nolint:gosec // of a module
		if err != nil {
			return err
		}
		found = found || licence
		line := strings.Repeat("-", 78)
		fmt.Fprintf(text, "\n%s\n%s: %s\n%s\n\n%s\n", line, name, e.Name(), line, strings.TrimSpace(string(data)))
	}
	if !found {
		return errors.New(name + " has no licence")
	}
	return nil
}
