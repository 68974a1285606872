package render

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func text(t *testing.T, doc Document, opts Options) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Write(&out, doc, opts))
	return out.String()
}

func at(s string) *time.Time {
	when, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return &when
}

func users() Document {
	return Document{Kind: KindUserList, Items: []UserItem{
		{Tenant: "cbc", Vendor: "carbonblack", User: provision.User{
			ID: "6100417", Login: "ines.duarte@example.com", FirstName: "Ines", LastName: "Duarte", Status: provision.StatusActive,
			Roles: []provision.HeldRole{
				{ID: "psc:role::BETA_VIEW_ALL", Name: "View All", Direct: true, Scope: "7KQ2M9XD"},
				{ID: "tmp", Name: "Temp", Direct: true, ExpiresAt: at("2027-03-31T02:00:00.5+02:00")},
				{ID: "g", Via: "SOC"},
			},
			LastLogin: at("2026-01-02T03:04:05Z"),
			Extra:     map[string]any{"groups": []string{"a", "b"}, "totp-enabled": true},
		}},
		{Tenant: "cr", Vendor: "cybereason", User: provision.User{Login: "no", Status: provision.StatusLocked, FirstName: "=1+1"}},
	}}
}

const usersJSONL = `{"tenant":"cbc","vendor":"carbonblack","id":"6100417","login":"ines.duarte@example.com","firstName":"Ines",` +
	`"lastName":"Duarte","phone":"","status":"active","roles":[` +
	`{"id":"psc:role::BETA_VIEW_ALL","name":"View All","direct":true,"scope":"7KQ2M9XD","expiresAt":null},` +
	`{"id":"tmp","name":"Temp","direct":true,"scope":"","expiresAt":"2027-03-31T00:00:00Z"},` +
	`{"id":"g","name":"","direct":false,"scope":"","expiresAt":null,"via":"SOC"}],` +
	`"lastLogin":"2026-01-02T03:04:05Z","extra":{"groups":["a","b"],"totp-enabled":true}}` + "\n" +
	`{"tenant":"cr","vendor":"cybereason","id":"","login":"no","firstName":"=1+1","lastName":"","phone":"","status":"locked",` +
	`"roles":[],"lastLogin":null,"extra":{}}` + "\n"

func failure() ItemError {
	return ItemError{Tenant: "xdr", Vendor: "cortex", Error: ErrorOf(&provision.Error{Kind: provision.ErrForbidden, Status: 403})}
}

const failureJSON = `{"code":"forbidden","message":"permission missing (HTTP 403)","vendorStatus":403,"vendorCode":"","requestId":"",` +
	`"retryable":false,"retryAfterSeconds":null,"hint":""}`

func TestUserList(t *testing.T) {
	tests := []struct {
		format Format
		want   string
	}{
		{Table, `
TENANT  LOGIN                    NAME         STATUS  ROLES
cbc     ines.duarte@example.com  Ines Duarte  active  View All, Temp (until 2027-03-31), g (via SOC)
cr      no                       =1+1         locked  -
`},
		{JSONL, "\n" + usersJSONL},
		{CSV, `
tenant,vendor,id,login,firstName,lastName,phone,status,roles,lastLogin,extra
cbc,carbonblack,6100417,ines.duarte@example.com,Ines,Duarte,,active,psc:role::BETA_VIEW_ALL;tmp;g,2026-01-02T03:04:05Z,` +
			`"{""groups"":[""a"",""b""],""totp-enabled"":true}"
cr,cybereason,,no,'=1+1,,,locked,,,{}
`},
		{Name, "\nines.duarte@example.com\nno\n"},
		{YAML, `
apiVersion: edrctl/v1
kind: UserList
items:
  - tenant: cbc
    vendor: carbonblack
    id: "6100417"
    login: ines.duarte@example.com
    firstName: Ines
    lastName: Duarte
    phone: ""
    status: active
    roles:
      - id: psc:role::BETA_VIEW_ALL
        name: View All
        direct: true
        scope: 7KQ2M9XD
        expiresAt: null
      - id: tmp
        name: Temp
        direct: true
        scope: ""
        expiresAt: "2027-03-31T00:00:00Z"
      - id: g
        name: ""
        direct: false
        scope: ""
        expiresAt: null
        via: SOC
    lastLogin: "2026-01-02T03:04:05Z"
    extra:
      groups:
        - a
        - b
      totp-enabled: true
  - tenant: cr
    vendor: cybereason
    id: ""
    login: "no"
    firstName: =1+1
    lastName: ""
    phone: ""
    status: locked
    roles: []
    lastLogin: null
    extra: {}
`},
	}
	for _, tt := range tests {
		t.Run(string(tt.format), func(t *testing.T) {
			assert.Equal(t, tt.want, "\n"+text(t, users(), Options{Format: tt.format}))
		})
	}
}

func TestJSONIsItsLines(t *testing.T) {
	lines := strings.ReplaceAll(strings.TrimSpace(usersJSONL), "\n", ",")
	got := text(t, users(), Options{Format: JSON})
	assert.JSONEq(t, `{"apiVersion":"edrctl/v1","kind":"UserList","items":[`+lines+`]}`, got)
	assert.True(t, strings.HasPrefix(got, "{\n  \"apiVersion\": \"edrctl/v1\",\n  \"kind\": \"UserList\",\n  \"items\": [\n    {\n"), got)
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, []byte(got)))
	assert.Equal(t, `{"apiVersion":"edrctl/v1","kind":"UserList","items":[`+lines+`]}`, compact.String())
}

func TestFailedTargets(t *testing.T) {
	doc := Document{Kind: KindUserList, Errors: []ItemError{failure()}}
	want := map[Format]string{
		Table: "TENANT  LOGIN  NAME  STATUS  ROLES\n",
		Name:  "",
		CSV:   "tenant,vendor,id,login,firstName,lastName,phone,status,roles,lastLogin,extra\n",
		JSONL: `{"apiVersion":"edrctl/v1","kind":"Error","tenant":"xdr","vendor":"cortex","login":"","error":` + failureJSON + "}\n",
	}
	for format, lines := range want {
		assert.Equal(t, lines, text(t, doc, Options{Format: format}), format)
	}
	assert.JSONEq(t, `{"apiVersion":"edrctl/v1","kind":"UserList","items":[],"errors":[
		{"tenant":"xdr","vendor":"cortex","login":"","error":`+failureJSON+`}]}`, text(t, doc, Options{Format: JSON}))
}

func results() Document {
	return Document{Kind: KindResultList, Items: []ResultItem{
		{
			Tenant: "falcon-prod", Vendor: "crowdstrike", Login: "ines.duarte@example.com", Action: "user.create", Outcome: "created",
			ID: "c1a7", RolesAdded: []string{"falconhost_read_only"},
		},
		{
			Tenant: "cr", Vendor: "cybereason", Login: "ines.duarte@example.com", Action: "user.delete", Outcome: "revoked",
			RolesRemoved: []string{"a", "b"}, ResidualAccess: []provision.Residual{{Kind: "group", Name: "SOC"}}, Message: "disabled",
		},
	}}
}

func TestResultList(t *testing.T) {
	assert.JSONEq(t, `{"apiVersion":"edrctl/v1","kind":"ResultList","items":[
		{"tenant":"falcon-prod","vendor":"crowdstrike","login":"ines.duarte@example.com","action":"user.create","outcome":"created",
		 "id":"c1a7","rolesAdded":["falconhost_read_only"],"rolesRemoved":[],"residualAccess":[],"message":"","error":null},
		{"tenant":"cr","vendor":"cybereason","login":"ines.duarte@example.com","action":"user.delete","outcome":"revoked",
		 "id":"","rolesAdded":[],"rolesRemoved":["a","b"],"residualAccess":[{"kind":"group","name":"SOC"}],"message":"disabled","error":null}],
		"summary":{"created":1,"failed":0,"revoked":1}}`, text(t, results(), Options{Format: JSON}))
	assert.Equal(t, `
TENANT       LOGIN                    ACTION       OUTCOME  DETAIL
falcon-prod  ines.duarte@example.com  user.create  created  +falconhost_read_only
cr           ines.duarte@example.com  user.delete  revoked  -a -b; remains: group SOC; disabled
`, "\n"+text(t, results(), Options{}))
	assert.Equal(t, `
tenant,vendor,login,action,outcome,id,rolesAdded,rolesRemoved,residualAccess,message,error
falcon-prod,crowdstrike,ines.duarte@example.com,user.create,created,c1a7,falconhost_read_only,,,,
cr,cybereason,ines.duarte@example.com,user.delete,revoked,,,a;b,group:SOC,disabled,
`, "\n"+text(t, results(), Options{Format: CSV}))
}

func TestPlan(t *testing.T) {
	doc := Document{Kind: KindPlan, SHA256: "abc", Items: []*PlanItem{{
		Tenant: "cbc", Vendor: "carbonblack", Login: "ada@example.com", Action: "update", RolesAdded: []string{"x"},
		Details: map[string]string{"first-name": "Ada"}, Seen: "123", Outcome: "planned",
	}}}
	assert.JSONEq(t, `{"apiVersion":"edrctl/v1","kind":"Plan","sha256":"abc","items":[
		{"tenant":"cbc","vendor":"carbonblack","login":"ada@example.com","action":"update","rolesAdded":["x"],"rolesRemoved":[],
		"details":{"first-name":"Ada"},"seen":"123","outcome":"planned","message":""}],"summary":{"planned":1}}`,
		text(t, doc, Options{Format: JSON}))
	assert.Equal(t, `
TENANT  LOGIN            ACTION    OUTCOME  CHANGES             MESSAGE
cbc     ada@example.com  ~ update  planned  +x, first-name=Ada  -
`, "\n"+text(t, doc, Options{}))
}

func TestRowsAndColumnsOfTheCaller(t *testing.T) {
	type row struct {
		Key    string `json:"key"`
		Source string `json:"configSource"`
	}
	doc := Document{Kind: "Settings", Items: []row{{"url", "file.yaml:12"}}}
	assert.Equal(t, "KEY  CONFIG SOURCE\nurl  file.yaml:12\n", text(t, doc, Options{}))
	assert.Equal(t, "key,configSource\nurl,file.yaml:12\n", text(t, doc, Options{Format: CSV}))
	doc.Columns = []Column{NewColumn("K", func(r row) string { return r.Key })}
	assert.Equal(t, "K\nurl\n", text(t, doc, Options{}))
	doc.Columns, doc.Rows = []Column{NewColumn("N", func(*int) string { return "x" })}, []*int{nil, nil}
	assert.Equal(t, "N\nx\nx\n", text(t, doc, Options{}))
	assert.Empty(t, text(t, Document{Kind: "Settings"}, Options{}))
}

func TestErrorDocument(t *testing.T) {
	write := func(opts Options) string {
		var out bytes.Buffer
		require.NoError(t, WriteError(&out, &provision.Error{Kind: provision.ErrForbidden, Status: 403}, opts))
		return out.String()
	}
	want := `{"apiVersion":"edrctl/v1","kind":"Error","error":` + failureJSON + `}`
	assert.JSONEq(t, want, write(Options{Format: JSON}))
	assert.Equal(t, want+"\n", write(Options{Format: JSONL}))
	assert.Equal(t, "apiVersion: edrctl/v1\nkind: Error\nerror:\n  code: forbidden\n", write(Options{Format: YAML})[:59])
	for _, format := range []Format{"", Table, Wide, CSV, Name} {
		assert.Empty(t, write(Options{Format: format}))
	}
	assert.Equal(t, "forbidden\n", write(Options{JQ: ".error.code"}))
	assert.Empty(t, write(Options{JQ: ".items[].login"}))
	assert.Empty(t, write(Options{JQ: ".["}))
	assert.Empty(t, write(Options{Format: "xml"}))
}

func TestLinesComeAtOnce(t *testing.T) {
	for format, want := range map[Format]string{JSONL: usersJSONL, Name: "ines.duarte@example.com\nno\n"} {
		var out bytes.Buffer
		w, err := NewWriter(&out, Document{Kind: KindUserList}, Options{Format: format})
		require.NoError(t, err)
		for _, item := range users().Items.([]UserItem) {
			require.NoError(t, w.Item(item))
		}
		assert.Equal(t, want, out.String())
		require.NoError(t, w.Close())
		require.NoError(t, w.Close())
		require.Error(t, w.Item(UserItem{}))
		require.Error(t, w.Fail(ItemError{}))
	}
}
