package render

import (
	"reflect"
	"strings"
	"unicode"
)

// Column is a column of a table.
type Column struct {
	Header string
	// Value is the cell of an item, as plain text; it is escaped afterwards.
	Value func(item any) string
	// Wide columns are shown in the format wide only, and are the first to go
	// where the terminal is too narrow.
	Wide bool
	// Firm columns are cut only when the others have been: what people copy, or
	// compare, from line to line.
	Firm bool
	// Status columns hold words that have colours: statuses, outcomes, results.
	Status bool
}

// NewColumn is a column over items of one type, which may come as values or as
// pointers. Of items of another type it is empty.
func NewColumn[T any](header string, value func(T) string) Column {
	return Column{Header: header, Value: func(item any) string {
		if v, ok := as[T](item); ok {
			return value(v)
		}
		return ""
	}}
}

func wide[T any](header string, value func(T) string) Column {
	c := NewColumn(header, value)
	c.Wide = true
	return c
}

func status[T any](header string, value func(T) string) Column {
	c := NewColumn(header, value)
	c.Status, c.Firm = true, true
	return c
}

func firm[T any](header string, value func(T) string) Column {
	c := NewColumn(header, value)
	c.Firm = true
	return c
}

// as is an item that may be a T or a *T.
func as[T any](item any) (v T, ok bool) {
	if p, isPointer := item.(*T); isPointer && p != nil {
		return *p, true
	}
	v, ok = item.(T)
	return v, ok
}

// keyColumns are columns for items of any struct: its JSON keys, with the cells
// of a CSV.
func keyColumns(rows []any) []Column {
	if len(rows) == 0 {
		return nil
	}
	t := reflect.TypeOf(rows[0])
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var columns []Column
	for _, f := range fieldsOf(t) {
		columns = append(columns, Column{Header: headerOf(f.key), Value: func(item any) string {
			tree, err := treeOf(item, nil)
			obj, ok := tree.(object)
			if err != nil || !ok {
				return ""
			}
			return csvCell(obj.get(f.key))
		}})
	}
	return columns
}

// headerOf writes a key as a header: "requestId" is REQUEST ID.
func headerOf(key string) string {
	var b strings.Builder
	for i, r := range key {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}
