// Package docs_test holds what the documentation claims against the source tree.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// row is a line of the table in reliability.md or security.md.
type row struct {
	number, wrong, promise, proof string
}

func table(t *testing.T, file string) []row {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var rows []row
	for line := range strings.Lines(string(text)) {
		cells := regexp.MustCompile(`^\| (\d+) \| (.+) \| (.+) \| (.+) \|\n$`).FindStringSubmatch(line)
		if cells != nil {
			rows = append(rows, row{cells[1], cells[2], cells[3], cells[4]})
		} else {
			assert.NotRegexp(t, `^\|\s*\d`, line, "a row of another shape")
		}
	}
	return rows
}

// TestReliability and TestSecurity hold the two tables against the tests.
func TestReliability(t *testing.T) { proved(t, "reliability.md", 48) }

func TestSecurity(t *testing.T) { proved(t, "security.md", 20) }

// proved demands that each row of a document is there, and that every test and
// target of the Makefile that it names exists.
func proved(t *testing.T, file string, want int) {
	t.Helper()
	tests, makefile := readTests(t), read(t, "../Makefile")
	rows := table(t, file)
	assert.Len(t, rows, want)
	name := regexp.MustCompile("`([^`]+)`")
	for i, r := range rows {
		assert.Equal(t, strconv.Itoa(i+1), r.number)
		proofs := name.FindAllStringSubmatch(r.proof, -1)
		assert.NotEmpty(t, proofs, "row %s", r.number)
		assert.Empty(t, strings.TrimSpace(name.ReplaceAllString(r.proof, "")), "row %s names tests only", r.number)
		for _, p := range proofs {
			if target, ok := strings.CutPrefix(p[1], "make "); ok {
				assert.Contains(t, makefile, "\n"+target+":", "row %s", r.number)
				continue
			}
			assert.NoError(t, tests.find(p[1]), "row %s", r.number)
		}
	}
}

// sources are the tests of the module.
type sources struct {
	// functions are the test functions of each folder, and texts the strings in
	// its test files, among which are the names of subtests.
	functions, texts map[string]map[string]bool
	scripts          map[string]bool
}

func readTests(t *testing.T) sources {
	t.Helper()
	s := sources{map[string]map[string]bool{}, map[string]map[string]bool{}, map[string]bool{}}
	root := os.DirFS("..")
	for _, dir := range []string{"cmd", "docs", "internal", "testdata/script"} {
		require.NoError(t, fs.WalkDir(root, dir, func(name string, _ fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case strings.HasSuffix(name, ".txtar"):
				s.scripts[path.Base(name)] = true
			case strings.HasSuffix(name, "_test.go"):
				return s.read(name)
			}
			return nil
		}))
	}
	return s
}

func (s sources) read(name string) error {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", name), nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	if s.functions[dir] == nil {
		s.functions[dir], s.texts[dir] = map[string]bool{}, map[string]bool{}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			s.functions[dir][n.Name.Name] = n.Recv == nil
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
				s.texts[dir][text] = true
			}
		}
		return true
	})
	return nil
}

type missing string

func (m missing) Error() string { return string(m) }

// find looks for "package.Test", "package.Test/subtest" or "script.txtar".
func (s sources) find(proof string) error {
	if strings.HasSuffix(proof, ".txtar") {
		if !s.scripts[proof] {
			return missing("there is no script " + proof)
		}
		return nil
	}
	name, sub, _ := strings.Cut(proof, "/")
	pkg, function, _ := strings.Cut(name, ".")
	if !strings.HasPrefix(function, "Test") && !strings.HasPrefix(function, "Fuzz") {
		return missing(proof + " is no test")
	}
	for dir, functions := range s.functions {
		if path.Base(dir) == pkg && functions[function] && (sub == "" || s.texts[dir][sub]) {
			return nil
		}
	}
	return missing("there is no test " + proof)
}
