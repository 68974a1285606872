package render

import (
	"errors"
	"io"
	"reflect"
	"sync"
)

// Writer writes a document item by item. With jsonl, csv and name each item
// comes out at once; the other formats need them all and wait for Close.
// It is safe for concurrent use.
type Writer struct {
	mu     sync.Mutex
	w      io.Writer
	opts   Options
	doc    Document
	jq     func(tree any) error
	csv    *csvTable
	items  []any
	fails  []ItemError
	closed bool
}

// NewWriter starts a document. The items and errors that doc has come first,
// and what else it has applies to all of it. Options that Options.Check refuses
// are refused here too, before anything is written.
func NewWriter(w io.Writer, doc Document, opts Options) (*Writer, error) {
	format, err := ParseFormat(string(opts.Format))
	if err != nil {
		return nil, err
	}
	opts.Format = format
	dw := &Writer{w: w, opts: opts, doc: doc}
	if opts.JQ != "" {
		code, err := compileJQ(opts.JQ)
		if err != nil {
			return nil, err
		}
		dw.jq = func(tree any) error { return runJQ(w, code, opts.JQ, tree) }
	}
	if doc.Kind == KindError {
		return dw, nil
	}
	for _, item := range sliceOf(doc.Items) {
		if err := dw.Item(item); err != nil {
			return nil, err
		}
	}
	for _, failed := range doc.Errors {
		if err := dw.Fail(failed); err != nil {
			return nil, err
		}
	}
	return dw, nil
}

// Item adds an item.
func (w *Writer) Item(item any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return errors.New("the document is closed")
	case w.jq != nil:
	case w.opts.Format == JSONL:
		return w.line(item)
	case w.opts.Format == CSV:
		return w.row(item)
	case w.opts.Format == Name:
		_, err := io.WriteString(w.w, Escape(w.opts.Redactor.String(nameOf(item)))+"\n")
		return err
	}
	w.items = append(w.items, item)
	return nil
}

// Fail adds a target that could not be read. Formats that are not structured
// leave it out.
func (w *Writer) Fail(failed ItemError) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return errors.New("the document is closed")
	case w.jq == nil && w.opts.Format == JSONL:
		return w.line(failedLine{APIVersion, KindError, failed})
	}
	w.fails = append(w.fails, failed)
	return nil
}

// Close writes what is left. It does not close the stream beneath.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	switch {
	case w.doc.Kind == KindError:
		return w.errorDocument()
	case w.jq != nil, w.opts.Format == JSON, w.opts.Format == YAML:
		return w.document()
	case w.opts.Format == CSV && w.csv == nil:
		return w.header(reflect.TypeOf(w.doc.Items))
	case w.opts.Format == Table, w.opts.Format == Wide:
		return w.table()
	}
	return nil
}

// failedLine is how jsonl shows a target that could not be read.
type failedLine struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	ItemError
}

func (w *Writer) tree(v any) (any, error) { return treeOf(v, w.opts.Redactor.String) }

func (w *Writer) line(v any) error {
	tree, err := w.tree(v)
	if err != nil {
		return err
	}
	_, err = w.w.Write(append(appendJSON(nil, tree, -1), '\n'))
	return err
}

func (w *Writer) row(item any) error {
	if w.csv == nil {
		if err := w.header(reflect.TypeOf(item)); err != nil {
			return err
		}
	}
	tree, err := w.tree(item)
	if err != nil {
		return err
	}
	return w.csv.item(tree)
}

// header begins a CSV with the keys of a type of items or of a slice of them,
// or if that says nothing, with those of the kind.
func (w *Writer) header(t reflect.Type) (err error) {
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		t = itemType(w.doc.Kind)
	}
	w.csv, err = newCSVTable(w.w, t)
	return err
}

// sliceOf are the elements of a slice; nothing for nil.
func sliceOf(items any) []any {
	v := reflect.ValueOf(items)
	if !v.IsValid() {
		return nil
	}
	list := make([]any, 0, v.Len())
	for i := range v.Len() {
		list = append(list, v.Index(i).Interface())
	}
	return list
}
