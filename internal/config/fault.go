package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"edrctl/internal/provision"
)

// Fault is one thing wrong with the configuration.
type Fault struct {
	// Where is the place in the file, as path:12, a variable, or empty.
	Where   string
	Message string
	// line orders faults; those of no line go last.
	line int
}

// String is the fault on one line.
func (f Fault) String() string {
	if f.Where == "" {
		return f.Message
	}
	return fmt.Sprintf("%s: %s", f.Where, f.Message)
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
	for _, one := range f {
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
		if a.line == 0 || b.line == 0 {
			return cmp.Compare(b.line, a.line)
		}
		return cmp.Compare(a.line, b.line)
	})
	f = slices.CompactFunc(f, func(a, b Fault) bool { return a == b })
	return &provision.Error{Kind: provision.ErrUsage, Message: "configuration", Err: f}
}

// add notes a fault of the value of a key by its source, as layers know it.
func (r *reader) add(source, key, message string) {
	where, env := strings.CutPrefix(source, sourceEnv(""))
	line, inFile := lineOf(source)
	switch {
	case inFile:
		r.fault(line, "%s", message)
		return
	case !env:
		where = "--" + key
	}
	r.faults = append(r.faults, Fault{Where: where, Message: message})
}

// usage wraps an error of the outside world as one that the user can mend. What
// already says its kind, and an ended context, stay as they are.
func usage(op string, err error) error {
	var e *provision.Error
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %w", op, err)
	}
	return &provision.Error{Kind: provision.ErrUsage, Message: op, Err: err}
}

func quote(s string) string { return strconv.Quote(s) }
