// Testreport reads what `go test -json` writes and tells it to people: a line a
// package, what failed with its output, what was skipped with its reason, and how
// many tests there were. It fails if a test failed, or if one that a document names
// as a proof did not run.
//
//	go test -json ./... | go run ./cmd/testreport docs/reliability.md docs/security.md
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

func main() {
	var proofs []string
	for _, name := range os.Args[1:] {
		text, err := os.ReadFile(name) //nolint:gosec // the documents that the caller names
		if err != nil {
			fmt.Fprintln(os.Stderr, "testreport:", err)
			os.Exit(2)
		}
		proofs = append(proofs, named(string(text))...)
	}
	if err := tell(os.Stdin, os.Stdout, proofs); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
}

// named are the tests that the tables of a document name, as package.Test or
// package.Test/subtest.
func named(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		for _, m := range regexp.MustCompile("`([a-z]+\\.(?:Test|Fuzz)[^`]*)`").FindAllStringSubmatch(line, -1) {
			all = append(all, m[1])
		}
	}
	return all
}

// event is a line of `go test -json`.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64
}

// report is what is known so far.
type report struct {
	out io.Writer
	// said is what each running test has written, by package and name.
	said map[[2]string][]string
	// ended are the tests that ended, by the last part of their package and the
	// name as Go writes it, and also by each part of the name alone: a document
	// does not say what a subtest is part of.
	ended map[string]bool
	count map[string]int
}

// tell writes the report and returns an error if something failed or is missing.
func tell(in io.Reader, out io.Writer, proofs []string) error {
	r := &report{out: out, said: map[[2]string][]string{}, ended: map[string]bool{}, count: map[string]int{}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			r.print(lines.Text()) // go's own complaints are plain
			continue
		}
		r.take(e)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	missing := r.missing(proofs)
	for _, proof := range missing {
		r.print("did not run, and is named as a proof: " + proof)
	}
	r.print(fmt.Sprintf("%d passed, %d failed, %d skipped", r.count["pass"], r.count["fail"], r.count["skip"]))
	switch {
	case r.count["fail"] > 0 || r.count["broken"] > 0:
		return errors.New("tests failed")
	case len(missing) > 0:
		return errors.New("proofs are missing")
	}
	return nil
}

func (r *report) print(text string) { _, _ = fmt.Fprintln(r.out, strings.TrimRight(text, "\n")) }

func (r *report) take(e event) {
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		r.print(e.Output)
	case "build-fail":
		r.count["broken"]++
	case "output":
		if e.Test == "" && !strings.HasPrefix(e.Output, "FAIL\t") && !strings.HasPrefix(e.Output, "ok  \t") {
			return
		}
		r.said[key] = append(r.said[key], e.Output)
	case "pass", "fail", "skip":
		r.end(e, r.said[key])
		delete(r.said, key)
	}
}

// end tells how a test, or a package, ended.
func (r *report) end(e event, said []string) {
	text := strings.Join(said, "")
	if e.Test == "" {
		if e.Action == "fail" {
			r.count["broken"]++
			r.unfinished(e.Package)
		}
		if text != "" {
			r.print(text)
		}
		return
	}
	r.count[e.Action]++
	name := path.Base(e.Package) + "." + e.Test
	parts := strings.Split(name, "/")
	r.ended[parts[0]] = true
	for _, part := range parts[1:] {
		r.ended[parts[0]+"/"+part] = true
	}
	switch e.Action {
	case "fail":
		r.print(text)
	case "skip":
		r.print("skipped " + name + ": " + reason(said))
	}
}

// unfinished prints what tests had written that never ended, as when the process
// crashed or took too long.
func (r *report) unfinished(pkg string) {
	for _, key := range slices.SortedFunc(maps.Keys(r.said), func(a, b [2]string) int { return strings.Compare(a[1], b[1]) }) {
		if key[0] == pkg && key[1] != "" {
			r.print(strings.Join(r.said[key], ""))
			delete(r.said, key)
		}
	}
}

// reason is what a test said before it was skipped, without what the tool adds.
func reason(said []string) string {
	var words []string
	for _, line := range said {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- SKIP") {
			words = append(words, regexp.MustCompile(`^\w+\.go:\d+: `).ReplaceAllString(line, ""))
		}
	}
	return strings.Join(words, " ")
}

// missing are the proofs that ran nowhere. A skipped one has told why.
func (r *report) missing(proofs []string) []string {
	var all []string
	for _, proof := range proofs {
		if !r.ended[strings.ReplaceAll(proof, " ", "_")] && !slices.Contains(all, proof) {
			all = append(all, proof)
		}
	}
	return all
}
