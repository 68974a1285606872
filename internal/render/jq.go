package render

import (
	"errors"
	"io"
	"maps"
	"math/big"
	"slices"

	"github.com/itchyny/gojq"

	"edrctl/internal/provision"
)

// compileJQ compiles an expression; it sees no environment, no modules and no
// input but the document. What does not compile is ErrUsage.
func compileJQ(expr string) (*gojq.Code, error) {
	query, err := gojq.Parse(expr)
	if err != nil {
		return nil, jqError(expr, err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, jqError(expr, err)
	}
	return code, nil
}

// runJQ writes each result on a line, strings as they are. What cannot be
// evaluated is ErrUsage; results before it have been written.
func runJQ(w io.Writer, code *gojq.Code, expr string, tree any) error {
	results := code.Run(jqValue(tree))
	for {
		v, ok := results.Next()
		if !ok {
			return nil
		}
		if err, failed := v.(error); failed {
			if halt, ok := errors.AsType[*gojq.HaltError](err); ok && halt.Value() == nil {
				return nil
			}
			return jqError(expr, err)
		}
		if _, err := w.Write(jqLine(v)); err != nil {
			return err
		}
	}
}

func jqError(expr string, err error) error {
	return &provision.Error{Kind: provision.ErrUsage, Message: "jq expression " + Escape(expr), Err: err}
}

func jqLine(v any) []byte {
	if s, ok := v.(string); ok {
		return append([]byte(EscapeText(s)), '\n')
	}
	return append(appendJSON(nil, jqTree(v), -1), '\n')
}

// jqValue is a tree in the types of gojq.
func jqValue(v any) any {
	switch v := v.(type) {
	case int64:
		return int(v)
	case uint64:
		return new(big.Int).SetUint64(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = jqValue(item)
		}
		return list
	case object:
		dict := make(map[string]any, len(v))
		for _, m := range v {
			dict[m.key] = jqValue(m.value)
		}
		return dict
	default:
		return v
	}
}

// jqTree is a result of gojq as a tree. Its objects have no order of their own,
// so their keys are sorted.
func jqTree(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = jqTree(item)
		}
		return list
	case map[string]any:
		dict := make(object, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			dict = append(dict, member{key, jqTree(v[key])})
		}
		return dict
	default:
		return v
	}
}
