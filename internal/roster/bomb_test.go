package roster

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestBombs reads files that are made to cost much. Each is as large as a file
// may be, unless its cost grows faster than that. What they may allocate is what
// the file itself takes while it is read, and a little more.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a gigabyte")
	}
	const yamlHead = "apiVersion: edrctl/v1\nkind: Roster\nusers:\n"
	// fill makes a file of the largest size, text one that is as it stands.
	fill := func(head, part, tail string) func() string {
		return func() string { return head + strings.Repeat(part, (maxFile-len(head)-len(tail))/len(part)) + tail }
	}
	text := func(parts ...string) func() string { return func() string { return strings.Join(parts, "") } }
	for _, test := range []struct {
		name  string
		file  func() string
		fault string
	}{
		{"too large.csv", func() string { return strings.Repeat("x", maxFile+1) }, "the file has more than 64 MiB"},
		{"quoted cell.csv", fill("login,roles\na@b.example,\"", "x", "\"\n"), ":2:13: a cell has more than 64 KiB"},
		{"open quote.csv", fill("login,roles\n\"", "a@b.example,x\n", ""), ":2:1: a cell has more than 64 KiB"},
		{"commas.csv", fill("login\n", ",", ""), ":2:257: a row has more than 256 cells"},
		{"commas in the header.csv", fill("login", ",", ""), ":1:262: a row has more than 256 cells"},
		{"rows.csv", fill("login,roles\n", "a\n", ""), "too many faults"},
		{"blank rows.csv", fill("login,roles\na\n", ",\n", ""), ":2:2: the row has 1 cells"},
		{"large rows.csv", fill("login\n", strings.Repeat(strings.Repeat("é", 60_000>>1)+",", 200)+"\n", ""), "the row has 201 cells"},
		{"laughs.yaml", laughs, noAnchors},
		{"brackets.yaml", fill(yamlHead+"  - login: ", "[", ""), "a user has more than 256 KiB"},
		{"small brackets.yaml", text(yamlHead, "  - login: ", strings.Repeat("[", 100_000)), "exceeded max depth"},
		{"braces.yaml", text(yamlHead, "  - login: ", strings.Repeat("{x: ", 100_000)), "exceeded max depth"},
		{"dashes.yaml", text(yamlHead, "  ", strings.Repeat("- ", 100_000)), "exceeded max depth"},
		{"steps.yaml", text(yamlHead, steps(600)), "single value"},
		{"keys.yaml", text(yamlHead, "  - login: a@b.example\n", strings.Repeat("    x: 1\n", 20_000)), "too many faults"},
		{"items.yaml", text(yamlHead, "  - login: a@b.example\n    roles: [", strings.Repeat("a,", 120_000), "]\n"), "roles has more than 1000 items"},
		{"list in brackets.yaml", fill("users: [", "a,", "]"), "a roster of more than 512 KiB"},
		{"tree.yaml", text("users: [", strings.Repeat("a,", maxTree/2-10), "]"), "too many faults"},
		{"nobody.yaml", fill(yamlHead, "- x\n", ""), "too many faults"},
		{"comments.yaml", fill(yamlHead+"  - login: x\n", "# x\n", ""), "a user has more than 256 KiB"},
		{"blank lines.yaml", fill(yamlHead+"  - login: x\n", "\n", ""), "a user has more than 256 KiB"},
		{"long value.yaml", fill(yamlHead+"  - login: ", "x", ""), "a user has more than 256 KiB"},
		{"long quote.yaml", fill(yamlHead+"  - login: '", "\n  - x", ""), "found unexpected end of stream"},
		{"long head.yaml", fill("apiVersion: ", "x", "\nusers:\n  - x\n"), "what stands beside the list of users"},
		{"long tail.yaml", fill(yamlHead+"  - x\nx: [", "x,", "]\n"), "what stands beside the list of users"},
		{"documents.yaml", fill(yamlHead+"  - x\n", "---\n", ""), "what stands beside the list of users"},
		{"JSON.yaml", fill(`{"users":[`, `"x",`, `"x"]}`), "too many faults"},
		{"text.json", fill(`{"users":[{"login":"`, "x", `"}]}`), ":1:20: a value has more than 64 KiB"},
		{"open text.json", fill(`{"users":[{"login":"`, "x", ""), ":1:20: a value has more than 64 KiB"},
		{"brackets.json", fill(`{"users":[`, "[", ""), "more than 16 deep"},
		{"braces.json", fill(``, `{"x":`, ""), "more than 16 deep"},
		{"items.json", fill(`{"users":[{"roles":[`, "1,", "1]}]}"), "more stands here than any part of a roster has"},
		{"top items.json", fill(`{"x":[`, "1,", "1]}"), "more stands here than any part of a roster has"},
		{"nobody.json", fill(`{"users":[`, "1,", "1]}"), "too many faults"},
		{"number.json", fill(`{"users":[{"login":`, "1", "}]}"), ":1:20: a value has more than 64 KiB"},
		{"keys.json", fill(`{`, `"x":1,`, `"x":1}`), "a roster has more than 32 keys"},
		{"blanks.json", fill(`{`, " ", `}`), "is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			file := test.file()
			runtime.GC()
			runtime.ReadMemStats(&before)
			_, err := Read(strings.NewReader(file), test.name)
			runtime.ReadMemStats(&after)
			cost := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%d MiB for a file of %d MiB", cost, len(file)>>20)
			assert.Less(t, cost, uint64(512))
			assert.Contains(t, strings.Join(faultsOf(t, err), "\n"), test.fault)
		})
	}
}

// laughs is a small file that aliases would make a large one.
func laughs() string {
	var b strings.Builder
	b.WriteString("apiVersion: edrctl/v1\nkind: Roster\nx0: &x0 [a, a]\n")
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		b.WriteString("x" + n + ": &x" + n + " [" + strings.Repeat("*x"+string(n[0]-1)+", ", 9) + "]\n")
	}
	return b.String() + "users: []\n"
}

// steps is a mapping in a mapping, and so on, each on a line of its own.
func steps(n int) string {
	var b strings.Builder
	b.WriteString("  - login:\n")
	for i := range n {
		b.WriteString(strings.Repeat(" ", 5+i) + "x:\n")
	}
	return b.String()
}
