package roster

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edrctl/internal/provision"
)

// phrases are texts that a format may mistake for something else.
func phrases() *rapid.Generator[string] {
	odd := []string{
		"=1+1", "+49 170", "-x", "@SUM(A1)", "'=x", "''-x", "'", "no", "Yes", "y", "null", "Null", "~", "0123", "1e3", "1:30", "true", "2027-03-31", "a,b",
		`"`, `""`, "a\"b", "#x", "a: b", "a #b", "- x", "[x", "{x}", "*x", "&x", "!x", "%x", "`x", "|", ">", "?", "? x", ":", "\\", `\u0041`, "<<", "=",
		"id:=x", "Îñés", "\u202eevil", "a\u200cb", "\U0001f600", "\U000e0041x", "<b>&", "x'y", "...", "---", "--- x", "0x1f", ".inf", ".", "日本", "\u00ad",
	}
	free := rapid.StringOfN(rapid.RuneFrom([]rune(" =+-@'\",:#[]{}&*!|>%`\\a0é\u200d\u202e\u3000\U000e0001")), 1, 12, -1)
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "odd") {
			return rapid.SampledFrom(odd).Draw(t, "text")
		}
		return strings.TrimSpace(free.Draw(t, "text"))
	})
}

func filled(g *rapid.Generator[string]) *rapid.Generator[string] {
	return g.Filter(func(s string) bool { return s != "" })
}

// sets are lists without repetition, nil for empty ones.
func sets(g *rapid.Generator[string], from int) *rapid.Generator[[]string] {
	return rapid.Custom(func(t *rapid.T) []string {
		list := rapid.SliceOfNDistinct(g, from, 4, rapid.ID[string]).Draw(t, "list")
		if len(list) == 0 {
			return nil
		}
		return list
	})
}

// users are what a format can hold, in one entry.
func users(format string) *rapid.Generator[User] {
	text, role := phrases(), filled(phrases())
	if format == CSV {
		text = filled(text) // an empty cell is one that is not given
	}
	return rapid.Custom(func(t *rapid.T) User {
		u := User{
			Login: rapid.StringMatching(`[A-Za-z0-9_%+'-]{1,6}@[a-z]{1,3}\.example`).Draw(t, "login"),
			Roles: sets(role, 0).Draw(t, "roles"), State: rapid.SampledFrom([]string{Present, Absent}).Draw(t, "state"),
			Tenants:   sets(rapid.SampledFrom([]string{"a", "b-2", "0", "no", "1e3", "null"}), 1).Draw(t, "tenants"),
			FirstName: rapid.Ptr(text, true).Draw(t, "first"), LastName: rapid.Ptr(text, true).Draw(t, "last"),
			Phone:    rapid.Ptr(text, true).Draw(t, "phone"),
			Password: rapid.SampledFrom([]string{"", "env:A", "file:/x y", "keyring:a/b", "prompt:"}).Draw(t, "password"),
		}
		for name, value := range rapid.MapOf(rapid.SampledFrom([]string{"v.a", "v.no", "w.b-c", "0.1"}), text).Draw(t, "options") {
			vendor, option, _ := strings.Cut(name, ".")
			u.option(pos{}, vendor, option, value)
		}
		if seconds := rapid.Int64Range(-1, 4e9).Draw(t, "expires"); seconds >= 0 {
			u.Expires = time.Unix(seconds, rapid.SampledFrom([]int64{0, 1, 5e8}).Draw(t, "ns")).UTC()
			if rapid.Bool().Draw(t, "day") {
				u.Expires = u.Expires.Truncate(24 * time.Hour)
			}
		}
		if format != CSV {
			if rapid.Bool().Draw(t, "defaults") {
				u.Tenants = nil
			}
			for _, tenant := range u.Tenants {
				if roles := sets(role, 0).Draw(t, "further"); roles != nil {
					u.TenantRoles = merged(u.TenantRoles, tenant, roles)
				}
			}
		}
		return u
	})
}

func merged(m map[string][]string, key string, value []string) map[string][]string {
	if m == nil {
		m = map[string][]string{}
	}
	m[key] = value
	return m
}

func rosters(format string) *rapid.Generator[*Roster] {
	fold := func(u User) string { return provision.FoldLogin(u.Login) }
	return rapid.Custom(func(t *rapid.T) *Roster {
		r := &Roster{Users: rapid.SliceOfNDistinct(users(format), 0, 5, fold).Draw(t, "users")}
		if format != CSV {
			r.Defaults.Tenants = sets(rapid.SampledFrom([]string{"a", "x", "007"}), 0).Draw(t, "defaults")
			return r
		}
		for i := range r.Users {
			r.Users[i].Roles = slices.DeleteFunc(r.Users[i].Roles, func(role string) bool { return strings.Contains(role, ";") })
		}
		return r
	})
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	for _, format := range []string{YAML, JSON, CSV} {
		t.Run(format, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				x := rosters(format).Draw(t, "roster")
				var file bytes.Buffer
				require.NoError(t, Write(&file, x, format))
				got, err := Read(bytes.NewReader(file.Bytes()), "r."+format)
				require.NoError(t, err, "%s", file.String())

				slices.SortFunc(x.Users, func(a, b User) int {
					return strings.Compare(provision.FoldLogin(a.Login), provision.FoldLogin(b.Login))
				})
				assert.Equal(t, x.Defaults.Tenants, got.Defaults.Tenants)
				assert.Equal(t, unplaced(x.Users), unplaced(got.Users), "%s", file.String())

				var again bytes.Buffer
				require.NoError(t, Write(&again, got, format))
				assert.Equal(t, file.String(), again.String())
			})
		})
	}
}

// access is what a roster says of each login and tenant.
func access(r *Roster) map[string][]string {
	all := map[string][]string{}
	for i := range r.Users {
		u := &r.Users[i]
		for _, tenant := range r.TenantsOf(u) {
			key := provision.FoldLogin(u.Login) + " " + tenant
			all[key] = slices.Concat(slices.Sorted(slices.Values(u.RolesIn(tenant))), []string{u.State, u.Password, fmt.Sprint(u.Expires)})
		}
	}
	return all
}

func TestFormatsSayTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rosters(YAML).Draw(t, "roster")
		x.Defaults.Tenants = []string{"a", "x"}
		for i := range x.Users {
			for _, roles := range append(slices.Collect(maps.Values(x.Users[i].TenantRoles)), x.Users[i].Roles) {
				for j := range roles {
					roles[j] = strings.ReplaceAll(roles[j], ";", "_")
				}
			}
		}
		var rows, file bytes.Buffer
		require.NoError(t, Write(&rows, x, CSV))
		fromRows, err := Read(&rows, "r.csv")
		require.NoError(t, err)
		assert.Equal(t, access(x), access(fromRows))

		require.NoError(t, Write(&file, fromRows, JSON))
		back, err := Read(&file, "r.json")
		require.NoError(t, err)
		assert.Equal(t, access(x), access(back))
	})
}

func TestWrites(t *testing.T) {
	r := &Roster{Defaults: Defaults{Tenants: []string{"falcon-prod", "cbc"}}, Users: contractUsers()}
	slices.Reverse(r.Users)
	r.Users[1].LastName = pointer("=Du\u202earte")
	for format, want := range map[string]string{
		"": `apiVersion: edrctl/v1
kind: Roster
defaults: {tenants: [falcon-prod, cbc]}
users:
  - login: ines.duarte@example.com
    first-name: Ines
    last-name: "=Du\u202earte"
    roles: [analyst]
    tenants: [falcon-prod, cbc, cr]
    tenant-roles: {cbc: [SOC Triage]}
    options: {cybereason: {totp-enabled: "true"}}
    password: env:INES_FIRST_PASSWORD
    expires: 2027-03-31
  - login: tomas.keller@example.com
    state: absent
`,
		JSON: `{
  "apiVersion": "edrctl/v1",
  "kind": "Roster",
  "defaults": {"tenants":["falcon-prod","cbc"]},
  "users": [
    {"login":"ines.duarte@example.com","first-name":"Ines","last-name":"=Du\u202earte","roles":["analyst"],` +
			`"tenants":["falcon-prod","cbc","cr"],"tenant-roles":{"cbc":["SOC Triage"]},"options":{"cybereason":{"totp-enabled":"true"}},` +
			`"password":"env:INES_FIRST_PASSWORD","expires":"2027-03-31"},
    {"login":"tomas.keller@example.com","state":"absent"}
  ]
}
`,
		CSV: "login,first-name,last-name,roles,tenants,state,expires,password,cybereason.totp-enabled\n" +
			"ines.duarte@example.com,Ines,'=Du\u202earte,analyst,falcon-prod;cr,present,2027-03-31,env:INES_FIRST_PASSWORD,true\n" +
			"ines.duarte@example.com,Ines,'=Du\u202earte,analyst;SOC Triage,cbc,present,2027-03-31,env:INES_FIRST_PASSWORD,true\n" +
			"tomas.keller@example.com,,,,falcon-prod;cbc,absent,,,\n",
	} {
		var file bytes.Buffer
		require.NoError(t, Write(&file, r, format))
		assert.Equal(t, want, file.String())
	}
	assert.Equal(t, "tomas.keller@example.com", r.Users[0].Login, "the roster itself stays in its order")
}

func TestWritesNobody(t *testing.T) {
	for _, format := range []string{YAML, JSON, CSV} {
		var file bytes.Buffer
		require.NoError(t, Write(&file, &Roster{}, format))
		r, err := Read(&file, "r."+format)
		require.NoError(t, err)
		assert.Empty(t, r.Users)
	}
}

func TestJoinsUsersOfALogin(t *testing.T) {
	r := &Roster{Users: []User{
		{Login: "a@b.example", Tenants: []string{"cr"}, Roles: []string{"x"}},
		{Login: "A@b.example", Tenants: []string{"cbc"}, Roles: []string{"z", "x"}},
		{Login: "a@b.example", Tenants: []string{"falcon"}, Roles: []string{"x"}},
	}}
	var file bytes.Buffer
	require.NoError(t, Write(&file, r, YAML))
	assert.Equal(t, yamlFile(
		"  - login: A@b.example",
		"    roles: [x]",
		"    tenants: [cbc, cr, falcon]",
		"    tenant-roles: {cbc: [z]}",
	), file.String())

	for what, change := range map[string]func(u *User){
		"first-name": func(u *User) { u.FirstName = pointer("") },
		"last-name":  func(u *User) { u.LastName = pointer("x") },
		"phone":      func(u *User) { u.Phone = pointer("x") },
		"password":   func(u *User) { u.Password = "env:X" },
		"expires":    func(u *User) { u.Expires = time.Unix(1e9, 0) },
		"state":      func(u *User) { u.State = Absent },
		"options":    func(u *User) { u.option(pos{}, "cr", "x", "y") },
	} {
		other := &Roster{Users: slices.Clone(r.Users)}
		change(&other.Users[1])
		require.ErrorContains(t, Write(&file, other, JSON), "different "+what)
		require.NoError(t, Write(&file, other, CSV))
	}
	r.Users[1].Tenants = []string{"cr", "cbc"}
	require.ErrorContains(t, Write(&file, r, YAML), "a@b.example stands several times for tenant cr")
	for i := range r.Users {
		r.Users[i].Tenants = nil
	}
	require.ErrorContains(t, Write(&file, r, YAML), "without tenants")
}

func TestWriteRefusesWhatCannotBeRead(t *testing.T) {
	for want, change := range map[string]func(r *Roster, u *User){
		"the login is empty":                 func(_ *Roster, u *User) { u.Login = "" },
		"is not a login":                     func(_ *Roster, u *User) { u.Login = "x" },
		"first-name has a line break":        func(_ *Roster, u *User) { u.FirstName = pointer("a\nb") },
		"last-name is not UTF-8":             func(_ *Roster, u *User) { u.LastName = pointer("a\xffb") },
		"phone begins or ends with a blank":  func(_ *Roster, u *User) { u.Phone = pointer("1 ") },
		"last-name has more than 64 KiB":     func(_ *Roster, u *User) { u.LastName = pointer(strings.Repeat("x", maxValue+1)) },
		"password is a reference":            func(_ *Roster, u *User) { u.Password = "hunter2" },
		"password cannot be exec:":           func(_ *Roster, u *User) { u.Password = "exec:hunter2" },
		"password has a line break":          func(_ *Roster, u *User) { u.Password = "file:hunter2\n" + "x" },
		"state is present or absent":         func(_ *Roster, u *User) { u.State = "gone" },
		"expires lies before 1970":           func(_ *Roster, u *User) { u.Expires = time.Unix(-1, 0) },
		"is no name of a tenant":             func(_ *Roster, u *User) { u.Tenants = []string{"A"} },
		`"B" is no name of a tenant`:         func(r *Roster, _ *User) { r.Defaults.Tenants = []string{"B"} },
		"roles in tenant x, but the user is": func(_ *Roster, u *User) { u.TenantRoles = map[string][]string{"x": {"y"}} },
		`role "" is empty`:                   func(_ *Roster, u *User) { u.Roles = []string{""} },
		`role "a\x00" has a line break`:      func(_ *Roster, u *User) { u.TenantRoles = map[string][]string{"cbc": {"a\x00"}} },
		"there are too many roles":           func(_ *Roster, u *User) { u.Roles = make([]string, maxList+1) },
		`"A.b" is no name of an option`:      func(_ *Roster, u *User) { u.option(pos{}, "A", "b", "") },
		"option a.b has a line break":        func(_ *Roster, u *User) { u.option(pos{}, "a", "b", "x\ry") },
	} {
		r := &Roster{Users: []User{{Login: "a@b.example", Tenants: []string{"cbc"}}}}
		change(r, &r.Users[0])
		for _, format := range []string{YAML, JSON, CSV} {
			var file bytes.Buffer
			err := Write(&file, r, format)
			require.ErrorIs(t, err, provision.ErrUsage, want)
			require.ErrorContains(t, err, want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Empty(t, file.String())
		}
	}
	huge := &Roster{Users: []User{{Login: "a@b.example", Tenants: []string{"cbc"}}}}
	for i := range 30 {
		huge.Users[0].option(pos{}, "v", fmt.Sprintf("o%d", i), strings.Repeat("x", 10_000))
	}
	require.ErrorContains(t, Write(&bytes.Buffer{}, huge, YAML), tooLarge)
	require.ErrorContains(t, Write(&bytes.Buffer{}, huge, JSON), tooLarge)

	r := &Roster{Users: []User{{Login: "a@b.example", Roles: []string{"a;b"}}}}
	require.ErrorContains(t, Write(&bytes.Buffer{}, r, CSV), "roles cannot be split at semicolons again")
	require.ErrorIs(t, Write(&bytes.Buffer{}, r, "toml"), provision.ErrUsage)
	require.ErrorIs(t, Write(failing{}, r, YAML), io.ErrShortWrite)
}

func TestHolds(t *testing.T) {
	for text, want := range map[string]bool{"": true, "Ines": true, "=1": true, " x": false, "x\n": false, "a\u009bb": false, "\xff": false} {
		assert.Equal(t, want, Holds(text), "%q", text)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
