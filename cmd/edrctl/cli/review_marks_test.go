package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// reviewed is a console of a vendor that tells when people signed in, with the
// aliases analyst and responder.
func reviewed(tenant string, users ...provision.User) *inspected {
	return &inspected{
		tenant: tenant, address: "https://" + tenant, users: users,
		vendor: &provision.Vendor{Name: tenant, LastLogins: true, AdminRoles: []string{"root", "Chief Administrator"}},
		kinds: map[string][]string{
			"analyst": {tenant + "-view", "shared"}, "responder": {tenant + "-act", "shared"}, "lead": {tenant + "-view", tenant + "-lead"},
		},
	}
}

// signedIn is somebody who has signed in, with direct roles.
func signedIn(login string, roles ...string) provision.User {
	last := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	u := provision.User{ID: "id-" + login, Login: login, Status: provision.StatusActive, LastLogin: &last}
	for _, r := range roles {
		u.Roles = append(u.Roles, provision.HeldRole{ID: r, Name: r, Direct: true})
	}
	return u
}

func marksOf(in inspection) map[string][]string {
	marks := map[string][]string{}
	for _, item := range in.items() {
		marks[item.Login] = item.Marks
	}
	return marks
}

func TestMarksOfAComparison(t *testing.T) {
	in := inspection{
		consoles: []*inspected{reviewed("one", signedIn("Ada@Example.com")), reviewed("two", signedIn("ada@example.com"), signedIn("bo@example.com"))},
		listed:   map[string]bool{"ada@example.com": true, "cy@example.com": true},
	}
	assert.Equal(t, map[string][]string{
		"ada@example.com": {}, "bo@example.com": {"orphan", "partial"}, "cy@example.com": {"missing"},
	}, marksOf(in))

	in.listed = map[string]bool{}
	assert.Equal(t, map[string][]string{"ada@example.com": {"orphan"}, "bo@example.com": {"orphan", "partial"}}, marksOf(in), "an empty file")
	in.listed = nil
	assert.Equal(t, map[string][]string{"ada@example.com": {}, "bo@example.com": {"partial"}}, marksOf(in), "no file")

	in.consoles, in.listed = nil, map[string]bool{"ada@example.com": true}
	assert.Empty(t, in.items(), "nothing was read, so nobody knows who is missing")
}

func TestMarksOfOnePerson(t *testing.T) {
	last := signedIn("").LastLogin
	admin := provision.HeldRole{ID: "9f", Name: "chief administrator", Direct: true}
	tests := []struct {
		name string
		at   map[string]render.ReviewTenant
		want []string
	}{
		{"nothing strikes", map[string]render.ReviewTenant{"one": {LastLogin: last}, "two": {LastLogin: last}, "mute": {}}, []string{}},
		{"partial", map[string]render.ReviewTenant{"one": {LastLogin: last}, "mute": {}}, []string{"partial"}},
		{"never, where it is told", map[string]render.ReviewTenant{"one": {}, "two": {}, "mute": {}}, []string{"never"}},
		{"signed in once is not never", map[string]render.ReviewTenant{"one": {}, "two": {LastLogin: last}, "mute": {}}, []string{}},
		{"not told is not never", map[string]render.ReviewTenant{"mute": {}}, []string{"partial"}},
		{"admin by name", map[string]render.ReviewTenant{"one": {LastLogin: last, Roles: []provision.HeldRole{admin}}, "two": {}, "mute": {}}, []string{"admin"}},
		{
			"a role of that name elsewhere is none of administrators",
			map[string]render.ReviewTenant{"one": {LastLogin: last}, "two": {}, "mute": {Roles: []provision.HeldRole{admin}}},
			[]string{},
		},
		{
			"invited, and through a group",
			map[string]render.ReviewTenant{"one": {Status: provision.StatusInvited}, "mute": {Roles: []provision.HeldRole{{ID: "x", Via: "SOC"}}}},
			[]string{"invited", "never", "partial", "group"},
		},
		{"an administrator who is disabled", map[string]render.ReviewTenant{
			"one": {Status: provision.StatusDisabled, LastLogin: last, Roles: []provision.HeldRole{{ID: "ROOT", Direct: true}}}, "two": {}, "mute": {},
		}, []string{"admin"}},
	}
	mute := reviewed("mute")
	mute.vendor = &provision.Vendor{Name: "mute"}
	in := inspection{consoles: []*inspected{reviewed("one"), reviewed("two"), mute}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, in.marks("ada@example.com", tt.at)) })
	}
}

func TestRolesThatAreUnlike(t *testing.T) {
	tests := []struct {
		name     string
		one, two []string
		want     bool
	}{
		{"the same alias", []string{"one-view"}, []string{"two-view"}, false},
		{"in another case", []string{"ONE-View"}, []string{"two-VIEW"}, false},
		{"different aliases", []string{"one-view"}, []string{"two-act"}, true},
		{"two aliases in both", []string{"one-view", "one-act"}, []string{"two-view", "two-act"}, false},
		{"one more in the second", []string{"one-view"}, []string{"two-view", "two-act"}, true},
		{"a role of two aliases, in common with either", []string{"shared"}, []string{"two-act"}, false},
		{"a role of two aliases does not join them", []string{"one-view", "shared"}, []string{"two-act"}, true},
		{"one of the roles of an alias is enough", []string{"one-view", "one-lead"}, []string{"two-view"}, false},
		{"a role of no alias", []string{"one-view"}, []string{"two-view", "unheard-of"}, true},
		{"no role of any alias", []string{"x"}, []string{"x"}, true},
		{"no roles in one of them", []string{"one-view"}, nil, false},
		{"no roles at all", nil, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := inspection{consoles: []*inspected{
				reviewed("one", signedIn("ada@example.com", tt.one...)), reviewed("two", signedIn("ada@example.com", tt.two...)),
			}}
			want := []string{}
			if tt.want {
				want = []string{"unlike"}
			}
			assert.Equal(t, want, marksOf(in)["ada@example.com"])
			in.consoles[1].kinds = nil // no alias has a role there
			assert.Empty(t, marksOf(in)["ada@example.com"])
		})
	}
}

func TestAccountsOfOnePerson(t *testing.T) {
	first, second := signedIn("ADA@example.com", "b"), signedIn("ada@EXAMPLE.com", "a")
	first.Status, first.LastLogin, first.FirstName = provision.StatusDisabled, nil, "Ada"
	sooner, later := second.LastLogin.AddDate(1, 0, 0), second.LastLogin.AddDate(2, 0, 0)
	first.Roles[0].ExpiresAt, second.Roles[0].ExpiresAt = &later, &sooner
	nameless := provision.User{ID: "4711", Status: provision.StatusActive}
	in := inspection{
		consoles: []*inspected{reviewed("one", first, second, nameless)},
		invited: map[invitation]bool{
			{"one", "https://one", "new@example.com"}:  true,
			{"one", "https://one", "ada@example.com"}:  true, // has taken it up
			{"one", "https://old", "old@example.com"}:  true, // another console of that name
			{"two", "https://two", "else@example.com"}: true, // was not read
		},
	}
	assert.Equal(t, []render.ReviewItem{
		{Login: "4711", Marks: []string{"never"}, Tenants: map[string]render.ReviewTenant{"one": {Status: provision.StatusActive}}},
		{Login: "ada@example.com", Marks: []string{}, Tenants: map[string]render.ReviewTenant{"one": {
			Name: "Ada", Status: provision.StatusActive, LastLogin: second.LastLogin, ExpiresAt: &sooner,
			Roles: []provision.HeldRole{second.Roles[0], first.Roles[0]},
		}}},
		{Login: "new@example.com", Marks: []string{"invited", "never"}, Tenants: map[string]render.ReviewTenant{"one": {Status: provision.StatusInvited}}},
	}, in.items())
}

func TestWhatCountsForTheStatus(t *testing.T) {
	alone, compared := inspection{}, inspection{listed: map[string]bool{}}
	for _, tt := range []struct {
		marks           []string
		alone, compared bool
	}{
		{nil, false, false},
		{[]string{"admin", "partial"}, true, false},
		{[]string{"orphan"}, true, true},
		{[]string{"missing"}, true, true},
	} {
		assert.Equal(t, tt.alone, alone.counts(render.ReviewItem{Marks: tt.marks}))
		assert.Equal(t, tt.compared, compared.counts(render.ReviewItem{Marks: tt.marks}))
	}
}

// TestVendorsDeclareAdministrators is about every vendor having some; who holds
// them in the fakes is in review.txtar.
func TestVendorsDeclareAdministrators(t *testing.T) {
	for _, v := range vendors() {
		assert.NotEmpty(t, v.AdminRoles, v.Name)
		assert.False(t, v.Administers(provision.HeldRole{ID: "viewer", Name: "Viewer"}), v.Name)
		assert.False(t, v.Administers(provision.HeldRole{}), v.Name)
	}
}
