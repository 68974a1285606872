package cortex

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestPersonOfOddRecords(t *testing.T) {
	for _, tt := range []struct {
		name, record string
		want         person
	}{
		{"bare", `{"user_email":" a@b.example "}`, person{email: "a@b.example", status: provision.StatusUnknown}},
		{
			"numbers, and null", `{"user_email":"a@b.example","role_name":null,"last_logged_in":0,"phone_number":15550100,"groups":null,"scope":[[1]]}`,
			person{email: "a@b.example", phone: "15550100", status: provision.StatusUnknown},
		},
		{
			"status in another spelling", `{"user_email":"a@b.example","status":"INACTIVE","last_logged_in":"never"}`,
			person{email: "a@b.example", status: provision.StatusDisabled},
		},
		{
			"a status of its own", `{"user_email":"a@b.example","status":"Pending"}`,
			person{email: "a@b.example", status: provision.StatusUnknown, rawStatus: "Pending"},
		},
		{
			"groups of all kinds", `{"user_email":"a@b.example","groups":["One",{"group_id":2,"group_name":"Two"},{"group_id":"3"},null,"",[]]}`,
			person{email: "a@b.example", status: provision.StatusUnknown, groups: groupSet{{Name: "One"}, {ID: "2", Name: "Two"}, {ID: "3"}}},
		},
		{
			"groups that are no list", `{"user_email":"a@b.example","groups":{"a":1}}`,
			person{email: "a@b.example", status: provision.StatusUnknown},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w wireUser
			require.NoError(t, json.Unmarshal([]byte(tt.record), &w))
			assert.Equal(t, tt.want, w.person())
		})
	}
	assert.Equal(t, []string{"One", "3"}, groupSet{{Name: "One"}, {ID: "3"}}.names())
}

func TestRows(t *testing.T) {
	for content, want := range map[string]int{
		`[1,2]`: 2, `[]`: 0, `[[1],[2,3],[]]`: 3, `{"data":[1]}`: 1, `{"data":[[1,2]]}`: 2,
	} {
		got, err := rows(json.RawMessage(content))
		if assert.NoError(t, err, content) {
			assert.Len(t, got, want, content)
		}
	}
	for _, content := range []string{``, `null`, `{}`, `"x"`, `{"data":null}`, `{"err_code":500}`, `[1`} {
		_, err := rows(json.RawMessage(content))
		assert.Error(t, err, "%q is no list of nobody", content)
	}
}

func TestEditSendsOnlyWhatIsNamed(t *testing.T) {
	none, no := "", false
	got, err := json.Marshal(edit{Role: &none, Groups: &[]string{}, Hidden: &no})
	require.NoError(t, err)
	assert.JSONEq(t, `{"role_id":"","user_groups":[],"is_hidden":false}`, string(got))
}

func TestFind(t *testing.T) {
	people := []person{{email: "Ada@b.example"}, {email: "ada@b.example"}, {email: "Bo@b.example"}}
	p, err := find(people, " bo@B.example")
	require.NoError(t, err)
	assert.Equal(t, "Bo@b.example", p.email)
	_, err = find(people, "ADA@b.example")
	require.ErrorIs(t, err, provision.ErrConflict)
	require.ErrorContains(t, err, "Ada@b.example, ada@b.example")
	_, err = find(people, "cy@b.example")
	assert.ErrorIs(t, err, provision.ErrNotFound)
}

func TestUnknownIn(t *testing.T) {
	unknown := func(message string) error {
		return &provision.Error{Kind: provision.ErrNotFound, Message: message}
	}
	names := []string{"View", "Viewer", "It's"}
	assert.Equal(t, 1, unknownIn(names, unknown("x: Role 'Viewer' was not found")))
	assert.Equal(t, 2, unknownIn(names, unknown(`Role \'It's\' was not found`)))
	assert.Equal(t, -1, unknownIn(names, unknown("Role 'Other' was not found")))
	assert.Equal(t, 0, unknownIn(names[:1], unknown("not said")), "it can only be that one")
	assert.Equal(t, -1, unknownIn(names, nil))
	assert.Equal(t, -1, unknownIn(names, &provision.Error{Kind: provision.ErrForbidden, Message: "'View'"}))
}
