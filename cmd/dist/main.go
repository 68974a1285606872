// Dist makes what a release consists of: edrctl for each system, as archives
// and as packages, and a list of checksums. The same commit gives the same
// bytes, whatever the folder, the user or the time: see reproducible.
//
//	go run ./cmd/dist -out dist
//	go run ./cmd/dist -notices FILE
//
// The second writes only the licences of what is compiled in.
//
// The version is that of the commit: its tag, or what Go makes of it. Nothing
// is uploaded and nothing is signed here.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	out := flag.String("out", "dist", "folder that is written anew")
	nfpm := flag.String("nfpm", "", "nfpm, to make packages; without it there are only archives")
	only := flag.String("only", "", "the one system to build for, such as linux/amd64")
	licences := flag.String("notices", "", "write the licences of what is compiled in to this file, and nothing else")
	flag.Parse()
	var err error
	if *licences != "" {
		err = writeNotices(*licences)
	} else {
		err = run(*out, *nfpm, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// target is a system that edrctl is built for.
type target struct{ os, arch string }

func (t target) String() string { return t.os + "/" + t.arch }

// binary is where the one for this system is built.
func (t target) binary(work string) string {
	name := "edrctl"
	if t.os == "windows" {
		name += ".exe"
	}
	return filepath.Join(work, t.os+"-"+t.arch, name)
}

func targets() []target {
	var all []target
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			all = append(all, target{system, arch})
		}
	}
	return all
}

// packagers are the formats of packages, for Linux.
func packagers() []string { return []string{"deb", "rpm", "apk"} }

// release is what is being made.
type release struct {
	out     string
	nfpm    string
	version string // without the v
	when    time.Time
}

func run(out, nfpm, only string) error {
	when, err := commitTime()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // for everybody to read
		return err
	}
	r := &release{out: out, nfpm: nfpm, when: when}
	work, err := os.MkdirTemp("", "edrctl-dist-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()

	native := filepath.Join(work, "edrctl")
	if err := build(target{}, native); err != nil {
		return err
	}
	if r.version, err = versionOf(native); err != nil {
		return err
	}
	shared, err := r.sharedFiles(work, native)
	if err != nil {
		return err
	}
	wanted := slices.DeleteFunc(targets(), func(t target) bool { return only != "" && only != t.String() })
	if len(wanted) == 0 {
		return fmt.Errorf("edrctl is not built for %q", only)
	}
	// All are built before anything is written, since a file that git does not
	// know makes another version of the next one.
	for _, t := range wanted {
		if err := build(t, t.binary(work)); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
	}
	for _, t := range wanted {
		if err := r.pack(work, t, shared); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
	}
	return r.checksums()
}

// commitTime is the time that every file in an archive bears: SOURCE_DATE_EPOCH,
// or that of the commit.
func commitTime() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := command("git", "log", "-1", "--format=%ct")
		if err != nil {
			return time.Time{}, err
		}
		text = strings.TrimSpace(out)
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// reproducible are the flags without which the folder or the time would show
// in the binary. With buildvcs, Go records the commit and its version.
func reproducible() []string {
	return []string{"-trimpath", "-buildvcs=true", "-ldflags", "-s -w -buildid="}
}

func build(t target, path string) error {
	args := append([]string{"build"}, reproducible()...)
	cmd := exec.Command("go", append(args, "-o", path, "./cmd/edrctl")...) //nolint:gosec // our own arguments
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if t.os != "" {
		cmd.Env = append(cmd.Env, "GOOS="+t.os, "GOARCH="+t.arch, "GOAMD64=v1", "GOARM64=v8.0")
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}

// versionOf asks a binary for its version. In a work tree of git beside the
// first one Go finds none; packages want a number all the same.
func versionOf(binary string) (string, error) {
	out, err := command(binary, "version")
	if err != nil {
		return "", err
	}
	words := strings.Fields(out)
	if len(words) < 2 {
		return "", fmt.Errorf("%s version: %q", binary, out)
	}
	if strings.HasPrefix(words[1], "devel") {
		return "0.0.0-" + words[1], nil
	}
	return strings.TrimPrefix(words[1], "v"), nil
}

// sharedFiles are those beside the binary, by their names in an archive and
// paths on disk: manual pages, completions, licences and notes.
func (r *release) sharedFiles(work, native string) (map[string]string, error) {
	files := map[string]string{}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		files[name] = name
	}
	pages, err := filepath.Glob("docs/man/*.1")
	if err != nil || len(pages) == 0 {
		return nil, fmt.Errorf("docs/man has no pages (%w)", err)
	}
	for _, page := range pages {
		files["man/"+filepath.Base(page)] = page
	}
	files[noticesName] = filepath.Join(work, noticesName)
	if err := writeNotices(files[noticesName]); err != nil {
		return nil, err
	}
	dir := filepath.Join(work, "completions")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for shell, name := range map[string]string{
		"bash": "edrctl.bash", "zsh": "_edrctl", "fish": "edrctl.fish", "powershell": "edrctl.ps1",
	} {
		text, err := command(native, "completion", shell)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
		files["completions/"+name] = path
	}
	return files, nil
}

// pack makes the archive for one system and, for Linux, the packages.
func (r *release) pack(work string, t target, shared map[string]string) error {
	binary := t.binary(work)
	files := []entry{{name: filepath.Base(binary), path: binary, executable: true}}
	for inside, path := range shared {
		files = append(files, entry{name: inside, path: path})
	}
	slices.SortFunc(files, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	base := fmt.Sprintf("edrctl_%s_%s_%s", r.version, t.os, t.arch)
	write, suffix := writeTar, ".tar.gz"
	if t.os == "windows" {
		write, suffix = writeZip, ".zip"
	}
	if err := write(filepath.Join(r.out, base+suffix), files, r.when); err != nil {
		return err
	}
	if t.os != "linux" || r.nfpm == "" {
		return nil
	}
	return r.packages(work, binary, t.arch)
}

// packages makes the packages for Linux. nfpm.yaml says what is in them; its
// variables are set here.
func (r *release) packages(work, binary, arch string) error {
	for _, format := range packagers() {
		// Named as GoReleaser does, and not by each format's own habit.
		target := filepath.Join(r.out, fmt.Sprintf("edrctl_%s_linux_%s.%s", r.version, arch, format))
		cmd := exec.Command(r.nfpm, "package", "--config", "nfpm.yaml", "--packager", format, "--target", target) //nolint:gosec // our own tool
		cmd.Env = append(os.Environ(),
			"SOURCE_DATE_EPOCH="+strconv.FormatInt(r.when.Unix(), 10),
			"EDRCTL_DIST_VERSION="+r.version, "EDRCTL_DIST_ARCH="+arch,
			"EDRCTL_DIST_BINARY="+binary, "EDRCTL_DIST_FILES="+work)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("nfpm, %s: %w: %s", format, err, out)
		}
	}
	return nil
}

// checksums writes checksums.txt, as sha256sum -c reads it.
func (r *release) checksums() error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var list strings.Builder
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(data), e.Name())
	}
	return os.WriteFile(filepath.Join(r.out, "checksums.txt"), []byte(list.String()), 0o644) //nolint:gosec // for everybody to read
}

func command(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output() //nolint:gosec // our own arguments
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), nil
}
