package render

import (
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"edrctl/internal/provision"
)

// Kinds lists the kinds of documents.
func Kinds() []string {
	return []string{
		KindUserList, KindRoleList, KindResultList, KindPlan, KindTenantList, KindVendorList, KindReview,
		KindDoctorReport, KindAuditList, KindError,
	}
}

// itemType is the type of the items of a kind, nil if it has none.
func itemType(kind string) reflect.Type {
	switch kind {
	case KindUserList:
		return reflect.TypeFor[UserItem]()
	case KindRoleList:
		return reflect.TypeFor[RoleItem]()
	case KindResultList:
		return reflect.TypeFor[ResultItem]()
	case KindPlan:
		return reflect.TypeFor[PlanItem]()
	case KindTenantList:
		return reflect.TypeFor[TenantItem]()
	case KindVendorList:
		return reflect.TypeFor[VendorItem]()
	case KindReview:
		return reflect.TypeFor[ReviewItem]()
	case KindDoctorReport:
		return reflect.TypeFor[DoctorItem]()
	case KindAuditList:
		return reflect.TypeFor[AuditItem]()
	default:
		return nil
	}
}

// Schema is the JSON Schema of the documents of a kind, indented. A line of
// jsonl is an item of it, and a target that could not be read is a document of
// KindError. Objects are left open, since later versions may add keys. An
// unknown kind is ErrUsage.
func Schema(kind string) ([]byte, error) {
	if !slices.Contains(Kinds(), kind) {
		return nil, provision.Usagef("there is no kind of document %q", kind)
	}
	doc := envelope(kind)
	if err := addContent(doc, kind); err != nil {
		return nil, err
	}
	return json.MarshalIndent(doc, "", "  ")
}

func envelope(kind string) *jsonschema.Schema {
	constant := func(s string) *jsonschema.Schema { return &jsonschema.Schema{Const: jsonschema.Ptr(any(s))} }
	doc := &jsonschema.Schema{
		Schema: "https://json-schema.org/draft/2020-12/schema", ID: "urn:edrctl:v1:" + kind, Title: kind,
		Type: "object", Properties: map[string]*jsonschema.Schema{},
	}
	addProperty(doc, "apiVersion", constant(APIVersion), true)
	addProperty(doc, "kind", constant(kind), true)
	return doc
}

func addContent(doc *jsonschema.Schema, kind string) error {
	if kind == KindError {
		return addErrorContent(doc)
	}
	item, err := schemaOf(itemType(kind), kind)
	if err != nil {
		return err
	}
	failed, err := schemaOf(reflect.TypeFor[ItemError](), "")
	if err != nil {
		return err
	}
	if kind == KindPlan {
		addProperty(doc, "sha256", &jsonschema.Schema{Type: "string"}, true)
	}
	addProperty(doc, "items", &jsonschema.Schema{Type: "array", Items: item}, true)
	addProperty(doc, "errors", &jsonschema.Schema{Type: "array", Items: failed}, false)
	counts := &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "integer"}}
	addProperty(doc, "summary", counts, kind == KindResultList || kind == KindPlan)
	return nil
}

// addErrorContent describes both a command that ended before any target and,
// with the target's keys, a line of jsonl.
func addErrorContent(doc *jsonschema.Schema) error {
	failed, err := schemaOf(reflect.TypeFor[ItemError](), "")
	if err != nil {
		return err
	}
	for _, key := range failed.PropertyOrder {
		addProperty(doc, key, failed.Properties[key], key == "error")
	}
	doc.Properties["error"].Types, doc.Properties["error"].Type = nil, "object"
	return nil
}

func addProperty(s *jsonschema.Schema, key string, value *jsonschema.Schema, required bool) {
	s.Properties[key] = value
	s.PropertyOrder = append(s.PropertyOrder, key)
	if required {
		s.Required = append(s.Required, key)
	}
}

// schemaOf is the schema of a type as treeOf prints it.
func schemaOf(t reflect.Type, kind string) (*jsonschema.Schema, error) {
	word := func(values ...any) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Enum: values} }
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[time.Time](): {Type: "string", Format: "date-time"},
		reflect.TypeFor[provision.Status](): word(provision.StatusActive, provision.StatusDisabled,
			provision.StatusInvited, provision.StatusLocked, provision.StatusUnknown),
		reflect.TypeFor[provision.Level]():      word(provision.Native, provision.Emulated, provision.Unsupported),
		reflect.TypeFor[provision.OptionKind](): word(provision.KindString, provision.KindBool, provision.KindList),
		reflect.TypeFor[provision.Kind]():       word(errorCodes()...),
	}})
	if err != nil {
		return nil, err
	}
	loosen(s)
	for key, values := range words(kind) {
		s.Properties[key].Enum = values
	}
	return s, nil
}

// loosen opens objects and takes back the null that lists may have in Go and
// never have here.
func loosen(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if slices.Contains(s.Types, "array") {
		s.Types, s.Type = nil, "array"
	}
	if s.Properties != nil {
		s.AdditionalProperties = nil
	}
	for _, p := range s.Properties {
		loosen(p)
	}
	loosen(s.Items)
	loosen(s.AdditionalProperties)
}

func errorCodes() []any {
	return []any{
		provision.ErrInternal, provision.ErrUsage, provision.ErrUnauthenticated, provision.ErrForbidden,
		provision.ErrUntrusted, provision.ErrNotFound, provision.ErrExists, provision.ErrConflict,
		provision.ErrPartial, provision.ErrRateLimited, provision.ErrUnavailable, provision.ErrRefused,
		provision.ErrUnsupported, provision.ErrUncertain, provision.ErrInvalid, provision.ErrInterrupted, "changes",
	}
}

// words are the values of those keys that have a fixed set of them.
func words(kind string) map[string][]any {
	switch kind {
	case KindResultList:
		return map[string][]any{"outcome": {
			"created", "invited", "updated", "deleted", "granted", "revoked", "unchanged", "absent",
			"planned", "skipped", "stale", "unsupported", "failed", "unknown",
		}}
	case KindPlan:
		return map[string][]any{
			"action":  {"create", "update", "roles", "delete", "none"},
			"outcome": {"planned", "unchanged", "invited", "unsupported"},
		}
	case KindDoctorReport:
		return map[string][]any{"result": {"ok", "warn", "fail", "skip"}}
	default:
		return nil
	}
}
