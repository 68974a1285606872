package render

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func validator(t *testing.T, kind string) *jsonschema.Resolved {
	t.Helper()
	data, err := Schema(kind)
	require.NoError(t, err)
	var s jsonschema.Schema
	require.NoError(t, json.Unmarshal(data, &s))
	resolved, err := s.Resolve(nil)
	require.NoError(t, err)
	return resolved
}

// documents has one of each kind, with every list and pointer filled.
func documents() []Document {
	failed := failure()
	result := results()
	result.Items = append(result.Items.([]ResultItem), ResultItem{Outcome: "failed", Error: failed.Error})
	list := users()
	list.Errors = []ItemError{failed}
	when := time.Date(2026, 1, 2, 3, 4, 5, 6, time.Local)
	return []Document{
		list,
		result,
		{Kind: KindRoleList, Items: []RoleItem{{Tenant: "cbc", Vendor: "carbonblack", Role: provision.Role{ID: "a", Custom: true}}}},
		{Kind: KindPlan, SHA256: "0", Items: []PlanItem{{Action: "roles", Outcome: "planned", Details: map[string]string{"phone": "1"}}}},
		{Kind: KindTenantList, Items: []TenantItem{{Name: "cbc"}}},
		{Kind: KindVendorList, Items: []VendorItem{{
			Name: "cortex", Options: []OptionItem{{Name: "hidden", Kind: provision.KindBool, On: []string{"update"}}},
			Capabilities: map[provision.CapabilityName]provision.Capability{provision.CanListUsers: {Level: provision.Native}},
		}}},
		{Kind: KindReview, Items: []ReviewItem{{Login: "a", Tenants: map[string]ReviewTenant{"cbc": {
			Status: "active", Roles: []provision.HeldRole{{ID: "x"}}, LastLogin: &when,
		}}}}},
		{Kind: KindDoctorReport, Items: []DoctorItem{{Check: "tls", Result: "ok"}}},
		{Kind: KindAuditList, Items: []AuditItem{{Time: when}}},
		{Kind: KindError, Error: failed.Error},
	}
}

func TestDocumentsAreAsTheirSchemasSay(t *testing.T) {
	kinds := map[string]bool{}
	for _, doc := range documents() {
		kinds[doc.Kind] = true
		t.Run(doc.Kind, func(t *testing.T) {
			schema := validator(t, doc.Kind)
			for _, d := range []Document{doc, {Kind: doc.Kind, SHA256: doc.SHA256, Error: doc.Error}} {
				var v map[string]any
				require.NoError(t, json.Unmarshal([]byte(text(t, d, Options{Format: JSON})), &v))
				require.NoError(t, schema.Validate(v))
				delete(v, "kind")
				require.Error(t, schema.Validate(v))
			}
		})
	}
	for _, kind := range Kinds() {
		assert.True(t, kinds[kind], kind)
	}
}

func TestFailedLineIsAnError(t *testing.T) {
	var v map[string]any
	doc := Document{Kind: KindUserList, Errors: []ItemError{failure()}}
	require.NoError(t, json.Unmarshal([]byte(text(t, doc, Options{Format: JSONL})), &v))
	require.NoError(t, validator(t, KindError).Validate(v))
}

func TestSchemasRefuse(t *testing.T) {
	tests := []struct{ name, kind, doc string }{
		{"null list", KindTenantList, `{"apiVersion":"edrctl/v1","kind":"TenantList","items":null}`},
		{"other version", KindTenantList, `{"apiVersion":"edrctl/v2","kind":"TenantList","items":[]}`},
		{"other kind", KindTenantList, `{"apiVersion":"edrctl/v1","kind":"UserList","items":[]}`},
		{"missing key", KindTenantList, `{"apiVersion":"edrctl/v1","kind":"TenantList","items":[{"name":"cbc"}]}`},
		{"result", KindDoctorReport, `{"apiVersion":"edrctl/v1","kind":"DoctorReport","items":[{"tenant":"","vendor":"","check":"","result":"fine","message":"","hint":""}]}`},
		{"error", KindError, `{"apiVersion":"edrctl/v1","kind":"Error","error":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var v any
			require.NoError(t, json.Unmarshal([]byte(tt.doc), &v))
			require.Error(t, validator(t, tt.kind).Validate(v))
		})
	}
	_, err := Schema("Nosuch")
	require.ErrorIs(t, err, provision.ErrUsage)
}

// TestKeyOrder pins the keys that scripts read by position.
func TestKeyOrder(t *testing.T) {
	want := map[string]string{
		KindUserList:     "tenant vendor id login firstName lastName phone status roles lastLogin extra",
		KindRoleList:     "tenant vendor id name description custom",
		KindResultList:   "tenant vendor login action outcome id rolesAdded rolesRemoved residualAccess message error",
		KindPlan:         "tenant vendor login action rolesAdded rolesRemoved details seen outcome message",
		KindTenantList:   "name vendor url default",
		KindVendorList:   "name title capabilities options",
		KindReview:       "login tenants marks",
		KindDoctorReport: "tenant vendor check result message hint",
		KindAuditList:    "time tenant vendor login action outcome rolesAdded rolesRemoved requestId osUser host version hash",
	}
	got := map[string]string{}
	for _, kind := range Kinds() {
		if t := itemType(kind); t != nil {
			var keys []string
			for _, f := range fieldsOf(t) {
				keys = append(keys, f.key)
			}
			got[kind] = strings.Join(keys, " ")
		}
	}
	assert.Equal(t, want, got)
	schema, err := schemaOf(reflect.TypeFor[UserItem](), KindUserList)
	require.NoError(t, err)
	assert.Equal(t, strings.Fields(want[KindUserList]), schema.PropertyOrder)
}
