package render

import (
	"encoding/csv"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// csvTable writes items as rows whose columns are the keys of the items.
type csvTable struct {
	w    *csv.Writer
	keys []string
}

func newCSVTable(w io.Writer, item reflect.Type) (*csvTable, error) {
	t := &csvTable{w: csv.NewWriter(w)}
	if item == nil {
		return t, nil
	}
	for _, f := range fieldsOf(item) {
		t.keys = append(t.keys, f.key)
	}
	return t, t.write(t.keys)
}

func (t *csvTable) item(tree any) error {
	obj, _ := tree.(object)
	var row []string
	for _, key := range t.keys {
		row = append(row, csvCell(obj.get(key)))
	}
	return t.write(row)
}

// write escapes before it neutralises, so that a hidden character does not
// stand between the apostrophe and what it guards against.
func (t *csvTable) write(row []string) error {
	safe := make([]string, len(row))
	for i, cell := range row {
		safe[i] = Neutralise(EscapeText(cell))
	}
	if err := t.w.Write(safe); err != nil {
		return err
	}
	t.w.Flush()
	return t.w.Error()
}

// csvCell is a value in one cell: lists joined by semicolons, an object in a
// list by what names it, and any other object as JSON on one line.
func csvCell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, listCell(item))
		}
		return strings.Join(parts, ";")
	default:
		return string(appendJSON(nil, v, -1))
	}
}

func listCell(v any) string {
	obj, ok := v.(object)
	if !ok {
		return csvCell(v)
	}
	id, _ := obj.get("id").(string)
	name, _ := obj.get("name").(string)
	kind, _ := obj.get("kind").(string)
	switch {
	case id != "":
		return id
	case name != "" && kind != "" && len(obj) == 2:
		return kind + ":" + name
	case name != "":
		return name
	default:
		return csvCell(v)
	}
}
