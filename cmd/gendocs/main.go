// Gendocs writes what is documented of edrctl by its own code: a manual page
// and a page of Markdown for each command and each topic of help, and the JSON
// Schemas of its output. It is a program of its own so that what it needs for
// that is not linked into edrctl.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"edrctl/cmd/edrctl/cli"
	"edrctl/internal/render"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "gendocs: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("it takes one argument, the folder to write to, not %d", len(args))
	}
	pages, err := generate()
	if err != nil {
		return err
	}
	return write(args[0], pages)
}

// folders are those that hold generated files and nothing else.
func folders() []string { return []string{"man", "reference", "schemas"} }

// generate makes all files, by their paths below the folder of documentation.
func generate() (map[string][]byte, error) {
	pages := map[string][]byte{}
	add := func(name string, content []byte, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		pages[name] = content
		return nil
	}
	// Each kind of page has a tree of its own, since making it changes one.
	for _, cmd := range documented(tree()) {
		page, err := manual(cmd)
		if err := add(path.Join("man", pageName(cmd, "-")+".1"), page, err); err != nil {
			return nil, err
		}
	}
	for _, cmd := range documented(tree()) {
		page, err := markdown(cmd)
		if err := add(path.Join("reference", pageName(cmd, "_")+".md"), page, err); err != nil {
			return nil, err
		}
	}
	for _, kind := range render.Kinds() {
		schema, err := render.Schema(kind)
		if err := add(path.Join("schemas", kind+".json"), append(schema, '\n'), err); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// write puts the files below a folder and removes those of an earlier time.
func write(dir string, pages map[string][]byte) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, folder := range folders() {
		if err := root.RemoveAll(folder); err != nil {
			return err
		}
		if err := root.Mkdir(folder, 0o755); err != nil {
			return err
		}
	}
	for name, content := range pages {
		if err := root.WriteFile(name, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tree is the real tree of commands in a world where nothing is set, so that
// the pages are the same wherever they are made.
func tree() *cobra.Command {
	root := cli.Root(cli.Env{})
	root.DisableAutoGenTag = true // it has the date
	return root
}

// documented are a command and all below it that have a page, topics included.
func documented(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if isTopic(sub) || sub.IsAvailableCommand() {
			list = append(list, documented(sub)...)
		}
	}
	return list
}

// isTopic reports a page of help that is no command.
func isTopic(cmd *cobra.Command) bool {
	return cmd.HasParent() && !cmd.Runnable() && !cmd.HasSubCommands()
}

// pageName is the name of a page, after how it is asked for: that of a topic
// begins with edrctl help.
func pageName(cmd *cobra.Command, separator string) string {
	name := cmd.CommandPath()
	if isTopic(cmd) {
		name = cmd.Parent().CommandPath() + " help " + cmd.Name()
	}
	return strings.ReplaceAll(name, " ", separator)
}

// manual is the manual page of a command or a topic, without a date.
func manual(cmd *cobra.Command) ([]byte, error) {
	title := strings.ToUpper(pageName(cmd, "-"))
	if isTopic(cmd) {
		text := fmt.Sprintf("%% %q \"1\" \"\" \"edrctl\" \"edrctl\"\n# NAME\n%s \\- %s\n\n# DESCRIPTION\n```\n%s\n```\n\n# SEE ALSO\n**edrctl(1)**\n",
			title, pageName(cmd, "-"), cmd.Short, cmd.Long)
		return trimmed(md2man.Render([]byte(text))), nil
	}
	// What stands in angle brackets would be taken for HTML and left out.
	cmd.Use = strings.ReplaceAll(cmd.Use, "<", `\<`)
	var page bytes.Buffer
	header := &doc.GenManHeader{Title: title, Section: "1", Source: "edrctl", Manual: "edrctl", Date: &time.Time{}}
	if err := doc.GenMan(cmd, header, &page); err != nil {
		return nil, err
	}
	dated := regexp.MustCompile(`(?m)^(\.TH "[^"]*" "[^"]*" )"[^"]*"`)
	return trimmed(dated.ReplaceAll(page.Bytes(), []byte(`$1""`))), nil
}

// markdown is the page of a command in the reference.
func markdown(cmd *cobra.Command) ([]byte, error) {
	if isTopic(cmd) {
		return fmt.Appendf(nil, "## %s\n\n%s\n\n```\n%s\n```\n", pageName(cmd, " "), cmd.Short, cmd.Long), nil
	}
	var page bytes.Buffer
	if err := doc.GenMarkdown(cmd, &page); err != nil {
		return nil, err
	}
	first := true
	for _, sub := range cmd.Commands() {
		if !isTopic(sub) {
			continue
		}
		if first {
			page.WriteString("### Topics\n\n")
		}
		first = false
		fmt.Fprintf(&page, "* [edrctl help %s](%s.md) - %s\n", sub.Name(), pageName(sub, "_"), sub.Short)
	}
	return trimmed(page.Bytes()), nil
}

// trimmed is a text with no spaces at the end of its lines and one line break
// at its own.
func trimmed(text []byte) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(string(text)) {
		out.WriteString(strings.TrimRight(line, " \t\n") + "\n")
	}
	return append(bytes.TrimRight(out.Bytes(), "\n"), '\n')
}
