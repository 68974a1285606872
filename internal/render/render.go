// Package render turns results into bytes: documents as tables, JSON, YAML,
// CSV or names, errors as objects, and text from outside as something that is
// safe to show. It decides nothing about what is shown when, knows no vendor
// and no command, opens no file and reads no environment.
package render

import (
	"io"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// APIVersion is the version of all documents.
const APIVersion = "edrctl/v1"

// The kinds of documents.
const (
	KindUserList     = "UserList"
	KindRoleList     = "RoleList"
	KindResultList   = "ResultList"
	KindPlan         = "Plan"
	KindTenantList   = "TenantList"
	KindVendorList   = "VendorList"
	KindReview       = "Review"
	KindDoctorReport = "DoctorReport"
	KindAuditList    = "AuditList"
	KindError        = "Error"
)

// Format is how a document is written.
type Format string

// The formats.
const (
	Table Format = "table"
	Wide  Format = "wide"
	JSON  Format = "json"
	JSONL Format = "jsonl"
	YAML  Format = "yaml"
	CSV   Format = "csv"
	Name  Format = "name"
)

// Formats lists all formats, the default first.
func Formats() []Format { return []Format{Table, Wide, JSON, JSONL, YAML, CSV, Name} }

// ParseFormat reads a format; the empty string is Table. Anything unknown is
// ErrUsage.
func ParseFormat(s string) (Format, error) {
	if s == "" {
		return Table, nil
	}
	if f := Format(s); slices.Contains(Formats(), f) {
		return f, nil
	}
	var known []string
	for _, f := range Formats() {
		known = append(known, string(f))
	}
	return "", provision.Usagef("there is no output format %q; known are %s", s, strings.Join(known, ", "))
}

// Structured reports whether the format carries errors and summaries itself.
// With the others, whoever writes the document tells of failures elsewhere.
func (f Format) Structured() bool { return f == JSON || f == JSONL || f == YAML }

// Options say how to write. The zero value is a table of any width, no colour.
type Options struct {
	Format Format
	// JQ, if not empty, is a jq expression that filters the JSON document; it
	// goes before Format.
	JQ string
	// Width is that of the terminal; 0 for no limit.
	Width int
	// Color allows escape sequences in tables.
	Color bool
	// Redactor, if any, is applied to every string before it is laid out, so
	// that neither an ellipsis nor an encoding hides part of a secret from it.
	Redactor *Redactor
}

// Structured reports whether what is written carries errors and summaries.
func (o Options) Structured() bool { return o.JQ != "" || o.Format.Structured() }

// Check is ErrUsage for an unknown format or a jq expression that does not
// compile. It is worth asking before work is done that could not be shown.
func (o Options) Check() error {
	if _, err := ParseFormat(string(o.Format)); err != nil {
		return err
	}
	if o.JQ == "" {
		return nil
	}
	_, err := compileJQ(o.JQ)
	return err
}

// Document is what a command has to say.
type Document struct {
	Kind string
	// SHA256 is that of a Plan; left out where empty.
	SHA256 string
	// Items is a slice of item structs; nil for none.
	Items any
	// Errors are the targets that could not be read; left out where empty.
	Errors []ItemError
	// Summary counts outcomes. Nil is computed for ResultList and Plan, and
	// left out elsewhere.
	Summary map[string]int
	// Error is what a document of KindError holds.
	Error *ErrorBody
	// Columns are those of table and wide; nil for the columns of the kind.
	Columns []Column
	// Rows, a slice, replaces Items in table and wide; nil for Items.
	Rows any
}

// Write writes a whole document.
func Write(w io.Writer, doc Document, opts Options) error {
	dw, err := NewWriter(w, doc, opts)
	if err != nil {
		return err
	}
	return dw.Close()
}

// WriteError writes the document of a command that ended before any target was
// tried. Formats that are not structured have no place for it: nothing is
// written, and the message on stderr is all there is. With jq the expression
// sees the error document; if it cannot make anything of it, nothing is written.
// Nor is it with options that Options.Check refuses, which are then the error.
func WriteError(w io.Writer, err error, opts Options) error {
	if usable := opts.Check() == nil; !usable {
		return nil
	}
	return Write(w, Document{Kind: KindError, Error: ErrorOf(err)}, opts)
}
