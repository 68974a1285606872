package render

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A tree is a value as all structured formats see it, so that they agree in
// names, order and spelling: nil, bool, string, int64, uint64, float64,
// *big.Int, []any or object.

// member is a key of an object with its value.
type member struct {
	key   string
	value any
}

// object keeps its keys in order.
type object []member

func (o object) get(key string) any {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// field is a key of a struct.
type field struct {
	key       string
	index     []int
	omitEmpty bool
}

// fieldsOf lists the JSON keys of a struct, those of embedded structs in place.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" && opts == "":
			continue
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			for _, e := range fieldsOf(f.Type) {
				e.index = append([]int{i}, e.index...)
				fields = append(fields, e)
			}
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		omit := slices.Contains(strings.Split(opts, ","), "omitempty") || slices.Contains(strings.Split(opts, ","), "omitzero")
		fields = append(fields, field{key: name, index: []int{i}, omitEmpty: omit})
	}
	return fields
}

// treeOf turns a value into a tree. Slices and maps are never null, times are
// RFC 3339 in UTC, in whole seconds so that jq's own functions can read them,
// or null. Every string passes through clean, if there is one.
func treeOf(v any, clean func(string) string) (any, error) {
	if clean == nil {
		clean = func(s string) string { return s }
	}
	return treeBuilder{clean}.value(reflect.ValueOf(v))
}

type treeBuilder struct{ clean func(string) string }

func (b treeBuilder) value(v reflect.Value) (any, error) {
	if !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil() {
		return nil, nil
	}
	switch x := v.Interface().(type) {
	case time.Time:
		if x.IsZero() {
			return nil, nil
		}
		return x.UTC().Format(time.RFC3339), nil
	case *time.Time:
		return b.value(v.Elem())
	case json.Marshaler:
		return b.marshaled(x)
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		return b.clean(string(text)), err
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return b.value(v.Elem())
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.String:
		return b.clean(v.String()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint(), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.Slice, reflect.Array:
		return b.list(v)
	case reflect.Map:
		return b.dict(v)
	case reflect.Struct:
		return b.fields(v)
	default:
		return nil, fmt.Errorf("a value of type %s cannot be printed", v.Type())
	}
}

func (b treeBuilder) marshaled(m json.Marshaler) (any, error) {
	data, err := m.MarshalJSON()
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return b.value(reflect.ValueOf(v))
}

func (b treeBuilder) list(v reflect.Value) (any, error) {
	list := make([]any, 0, v.Len())
	for i := range v.Len() {
		item, err := b.value(v.Index(i))
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, nil
}

func (b treeBuilder) dict(v reflect.Value) (any, error) {
	if v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("a map with keys of type %s cannot be printed", v.Type().Key())
	}
	dict := make(object, 0, v.Len())
	for _, key := range v.MapKeys() {
		item, err := b.value(v.MapIndex(key))
		if err != nil {
			return nil, err
		}
		dict = append(dict, member{b.clean(key.String()), item})
	}
	slices.SortFunc(dict, func(x, y member) int { return strings.Compare(x.key, y.key) })
	return dict, nil
}

func (b treeBuilder) fields(v reflect.Value) (any, error) {
	obj := object{}
	for _, f := range fieldsOf(v.Type()) {
		value := v.FieldByIndex(f.index)
		if f.omitEmpty && value.IsZero() {
			continue
		}
		item, err := b.value(value)
		if err != nil {
			return nil, err
		}
		obj = append(obj, member{f.key, item})
	}
	return obj, nil
}
