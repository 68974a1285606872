package render

import (
	"errors"
	"reflect"

	"edrctl/internal/provision"
)

// document writes all of it as one value, or what jq makes of that.
func (w *Writer) document() error {
	items, err := w.tree(w.items)
	if err != nil {
		return err
	}
	doc := object{{"apiVersion", APIVersion}, {"kind", w.doc.Kind}}
	if w.doc.SHA256 != "" {
		doc = append(doc, member{"sha256", w.doc.SHA256})
	}
	doc = append(doc, member{"items", items})
	if len(w.fails) > 0 {
		fails, err := w.tree(w.fails)
		if err != nil {
			return err
		}
		doc = append(doc, member{"errors", fails})
	}
	if counts := w.summary(); counts != nil {
		summary, err := w.tree(counts)
		if err != nil {
			return err
		}
		doc = append(doc, member{"summary", summary})
	}
	return w.whole(doc)
}

func (w *Writer) whole(doc object) error {
	switch {
	case w.jq != nil:
		return w.jq(doc)
	case w.opts.Format == YAML:
		text, err := toYAML(doc)
		if err != nil {
			return err
		}
		_, err = w.w.Write(text)
		return err
	case w.opts.Format == JSONL:
		_, err := w.w.Write(append(appendJSON(nil, doc, -1), '\n'))
		return err
	default:
		_, err := w.w.Write(append(appendJSON(nil, doc, 0), '\n'))
		return err
	}
}

func (w *Writer) errorDocument() error {
	if !w.opts.Structured() {
		return nil
	}
	body, err := w.tree(w.doc.Error)
	if err != nil {
		return err
	}
	err = w.whole(object{{"apiVersion", APIVersion}, {"kind", KindError}, {"error", body}})
	if errors.Is(err, provision.ErrUsage) {
		return nil // the expression is made for another document
	}
	return err
}

func (w *Writer) summary() map[string]int {
	if w.doc.Summary != nil {
		return w.doc.Summary
	}
	switch w.doc.Kind {
	case KindResultList, KindPlan:
		return Summarise(w.items)
	}
	return nil
}

// Summarise counts the outcomes of a slice of results or of plan items. For
// results "failed" is always there, since that is what scripts ask for.
func Summarise(items any) map[string]int {
	counts := map[string]int{}
	for _, item := range sliceOf(items) {
		switch item := reflect.Indirect(reflect.ValueOf(item)).Interface().(type) {
		case ResultItem:
			counts[item.Outcome]++
			counts["failed"] += 0
		case PlanItem:
			counts[item.Outcome]++
		}
	}
	return counts
}

// nameOf is what the format name shows of an item: the login of a person, the
// name of a tenant or vendor, and of a role its id, which a command can be
// given without doubt.
func nameOf(item any) string {
	tree, err := treeOf(item, nil)
	obj, ok := tree.(object)
	if err != nil || !ok {
		return ""
	}
	for _, key := range []string{"login", "id", "name", "check"} {
		if s, ok := obj.get(key).(string); ok && s != "" {
			return s
		}
	}
	return ""
}
