package roster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

const (
	// shownFaults are written out; the others are counted.
	shownFaults = 50
	// maxFaults end the reading of a file that is no roster at all.
	maxFaults = 1000
)

// pos is a place in a file. Lines and columns count from 1, columns in
// characters; 0 is for the whole file, and for a line as a whole.
type pos struct{ line, column int }

// Fault is one thing wrong with a roster.
type Fault struct {
	// Name is that of the file.
	Name string
	// Line and Column count from 1. They are 0 where there is none to name.
	Line, Column int
	Message      string
}

// String is the fault on one line.
func (f Fault) String() string {
	switch {
	case f.Line == 0:
		return fmt.Sprintf("%s: %s", f.Name, f.Message)
	case f.Column == 0:
		return fmt.Sprintf("%s:%d: %s", f.Name, f.Line, f.Message)
	default:
		return fmt.Sprintf("%s:%d:%d: %s", f.Name, f.Line, f.Column, f.Message)
	}
}

// Faults are all things wrong, in the order of the file.
type Faults []Fault

// Error has one fault a line, if there are several.
func (f Faults) Error() string {
	if len(f) == 1 {
		return f[0].String()
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d faults:", len(f))
	for i, one := range f {
		if i == shownFaults {
			fmt.Fprintf(&text, "\n  and %d more", len(f)-shownFaults)
			break
		}
		text.WriteString("\n  " + one.String())
	}
	return text.String()
}

// err is nil without faults.
func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	f = slices.Compact(f)
	return &provision.Error{Kind: provision.ErrUsage, Message: "roster", Err: f}
}

// full reports whether there are so many faults that more are of no use.
func (f Faults) full() bool { return len(f) >= maxFaults }

// messageOf is an error of provision without its kind.
func messageOf(err error) string {
	var e *provision.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}
