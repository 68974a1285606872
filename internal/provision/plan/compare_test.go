package plan_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/provision/provisiontest"
)

func compare(t require.TestingT, f *provisiontest.Fake, o plan.CompareOptions, wanted ...plan.Wanted) []plan.Difference {
	for i := range wanted {
		wanted[i].Tenant = "one"
	}
	diffs, err := plan.Compare(context.Background(), []plan.Target{target(f)}, wanted, o)
	require.NoError(t, err)
	return diffs
}

func TestCompare(t *testing.T) {
	today := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	noExpiry := provisiontest.FakeOptions{Capabilities: map[provision.CapabilityName]provision.Capability{
		provision.CanExpireRoles: {Level: provision.Unsupported, Note: "roles have no end here"},
	}}
	cases := []struct {
		name    string
		options provisiontest.FakeOptions
		wanted  plan.Wanted
		invited bool
		want    plan.Difference // Tenant, Vendor, Login and Seen are filled in
		message string
	}{
		{
			name:   "as it is",
			wanted: plan.Wanted{Login: "ADA@example.com", Roles: []string{"Reader"}},
			want:   plan.Difference{Login: "ada@example.com", Action: plan.DiffNone, Outcome: plan.Unchanged},
		},
		{
			name:   "create",
			wanted: plan.Wanted{Login: newcomer, FirstName: ptr("New"), Roles: []string{"Reader", "analyst"}, Options: provision.Options{"badge": "7"}},
			want: plan.Difference{
				Login: newcomer, Action: plan.DiffCreate, Outcome: plan.Planned, RolesAdded: []string{"analyst", "reader"},
				Details: map[string]string{"first-name": "New", "fake.badge": "7"},
			},
		},
		{
			name:   "other roles",
			wanted: plan.Wanted{Login: "ada@example.com", Roles: []string{"analyst"}},
			want: plan.Difference{
				Login: "ada@example.com", Action: plan.DiffRoles, Outcome: plan.Planned,
				RolesAdded: []string{"analyst"}, RolesRemoved: []string{"reader"},
			},
		},
		{
			name:   "no roles",
			wanted: plan.Wanted{Login: "ada@example.com"},
			want: plan.Difference{
				Login: "ada@example.com", Action: plan.DiffRoles, Outcome: plan.Planned, RolesRemoved: []string{"reader"}, TakesAll: true,
			},
		},
		{
			name:   "details that are given",
			wanted: plan.Wanted{Login: "ada@example.com", LastName: ptr("King"), Phone: nil, Roles: []string{"reader"}},
			want: plan.Difference{
				Login: "ada@example.com", Action: plan.DiffUpdate, Outcome: plan.Planned, Details: map[string]string{"last-name": "King"},
			},
		},
		{
			name:   "absent",
			wanted: plan.Wanted{Login: "ada@example.com", Absent: true},
			want: plan.Difference{
				Login: "ada@example.com", Action: plan.DiffDelete, Outcome: plan.Planned, RolesRemoved: []string{"reader"}, TakesAll: true,
			},
		},
		{
			name:   "absent already",
			wanted: plan.Wanted{Login: newcomer, Absent: true},
			want:   plan.Difference{Login: newcomer, Action: plan.DiffNone, Outcome: plan.Unchanged},
		},
		{
			name: "absent where accounts stay", options: provisiontest.FakeOptions{KeepsAccounts: true},
			wanted:  plan.Wanted{Login: "zuse@example.com", Absent: true},
			want:    plan.Difference{Login: "zuse@example.com", Action: plan.DiffNone, Outcome: plan.Unchanged},
			message: "without direct roles",
		},
		{
			name: "somebody the vendor cannot create", options: noCreate(),
			wanted:  plan.Wanted{Login: newcomer, Roles: []string{"reader"}},
			want:    plan.Difference{Login: newcomer, Action: plan.DiffCreate, Outcome: plan.Unsupported},
			message: "invite the person",
		},
		{
			name: "somebody invited before", options: provisiontest.FakeOptions{Invites: true}, invited: true,
			wanted:  plan.Wanted{Login: newcomer, Roles: []string{"reader"}},
			want:    plan.Difference{Login: newcomer, Action: plan.DiffNone, Outcome: plan.Invited},
			message: "invited before",
		},
		{
			name:   "an end that the vendor keeps",
			wanted: plan.Wanted{Login: newcomer, Roles: []string{"reader"}, Expires: today.AddDate(0, 1, 0)},
			want: plan.Difference{
				Login: newcomer, Action: plan.DiffCreate, Outcome: plan.Planned, RolesAdded: []string{"reader"},
				Details: map[string]string{"expires": "2027-02-01T00:00:00Z"},
			},
			message: "the vendor ends",
		},
		{
			name: "an end that the vendor does not keep", options: noExpiry,
			wanted: plan.Wanted{Login: newcomer, Roles: []string{"reader"}, Expires: today.AddDate(0, 1, 0)},
			want: plan.Difference{
				Login: newcomer, Action: plan.DiffCreate, Outcome: plan.Planned, RolesAdded: []string{"reader"},
			},
			message: "next apply after 2027-02-01",
		},
		{
			name: "an end that has come", options: noExpiry,
			wanted: plan.Wanted{Login: "ada@example.com", Roles: []string{"reader"}, Expires: today},
			want: plan.Difference{
				Login: "ada@example.com", Action: plan.DiffRoles, Outcome: plan.Planned, RolesRemoved: []string{"reader"}, TakesAll: true,
			},
			message: "access ended",
		},
		{
			name:    "an end that has come for somebody who is not there",
			wanted:  plan.Wanted{Login: newcomer, Roles: []string{"reader"}, Expires: today},
			want:    plan.Difference{Login: newcomer, Action: plan.DiffNone, Outcome: plan.Unchanged},
			message: "access ended",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := provisiontest.NewFake(c.options)
			diffs := compare(t, f, plan.CompareOptions{
				Now: func() time.Time { return today }, Invited: func(string, string) bool { return c.invited },
			}, c.wanted)
			require.Len(t, diffs, 1)
			got := diffs[0]
			assert.Contains(t, got.Message, c.message)
			assert.Empty(t, f.Changes(), "comparing changes nothing")
			c.want.Tenant, c.want.Vendor, c.want.Seen, c.want.Message, c.want.Err = "one", "fake", got.Seen, got.Message, got.Err
			if c.want.Details == nil {
				c.want.Details = map[string]string{}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestComparePrunes(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	diffs := compare(t, f, plan.CompareOptions{Prune: true}, plan.Wanted{Login: "ada@example.com", Roles: []string{"reader"}})
	var gone []string
	for _, d := range diffs[1:] {
		assert.Equal(t, plan.DiffDelete, d.Action)
		gone = append(gone, d.Login)
	}
	want := []string{"Grace.Hopper@Example.com", "joan@example.com", "lin@example.com", "root@example.com", "zuse@example.com"}
	assert.Equal(t, want, gone)

	diffs = compare(t, f, plan.CompareOptions{Prune: true, Mine: func(login string) bool { return login == "lin@example.com" }})
	require.Len(t, diffs, 1)
	assert.Equal(t, "lin@example.com", diffs[0].Login)
}

func TestCompareRefusesUnknownRoles(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	_, err := plan.Compare(t.Context(), []plan.Target{target(f)}, []plan.Wanted{
		{Tenant: "one", Login: newcomer, Roles: []string{"reder"}},
	}, plan.CompareOptions{})
	require.ErrorIs(t, err, provision.ErrNotFound)
	assert.ErrorContains(t, err, "reder")
}

func TestCompareGoesOnWithoutADeadTenant(t *testing.T) {
	dead, live := provisiontest.NewFake(provisiontest.FakeOptions{}), provisiontest.NewFake(provisiontest.FakeOptions{})
	dead.FailNext(provisiontest.OpList, &provision.Error{Kind: provision.ErrUnavailable})
	other := target(live)
	other.Tenant = "two"
	diffs, err := plan.Compare(t.Context(), []plan.Target{target(dead), other}, []plan.Wanted{
		{Tenant: "one", Login: "ada@example.com"}, {Tenant: "two", Login: "ada@example.com"},
	}, plan.CompareOptions{})
	require.NoError(t, err)
	assert.Equal(t, plan.Failed, diffs[0].Outcome)
	require.ErrorIs(t, diffs[0].Err, provision.ErrUnavailable)
	assert.Equal(t, plan.Planned, diffs[1].Outcome)
}

func TestStaleDifferencesAreSkipped(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{Swaps: true})
	wanted := []plan.Wanted{{Login: "ada@example.com", Roles: []string{"analyst"}}, {Login: "lin@example.com", Roles: []string{"analyst"}}}
	planned := compare(t, f, plan.CompareOptions{}, wanted...)
	_, err := f.ChangeRoles(t.Context(), "ada@example.com", provision.RoleChange{Grant: []string{"responder"}})
	require.NoError(t, err)
	diffs := plan.MarkStale(planned, compare(t, f, plan.CompareOptions{}, wanted...))
	f.Forget()
	results, err := plan.Enact(t.Context(), []plan.Target{target(f)}, diffs, nil, unbounded())
	require.NoError(t, err)
	assert.Equal(t, plan.Stale, results[0].Outcome)
	require.ErrorIs(t, results[0].Err, provision.ErrConflict)
	assert.Equal(t, plan.Updated, results[1].Outcome)
	assert.Len(t, f.Changes(), 1)
}

// Whatever is there and whatever is wanted, and whichever answers get lost:
// what was reported is so, nobody is there twice, and once nothing goes wrong a
// second run finds nothing to do.
func TestConvergence(t *testing.T) {
	roleIDs := []string{"reader", "analyst", "responder", "triage-7"}
	people := make([]string, 12)
	for i := range people {
		people[i] = fmt.Sprintf("p%02d@example.com", i)
	}
	rapid.Check(t, func(rt *rapid.T) {
		some := func(label string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(roleIDs), 0, 3, rapid.ID).Draw(rt, label)
		}
		options := provisiontest.FakeOptions{Swaps: rapid.Bool().Draw(rt, "swaps"), Users: []provision.User{}}
		f := provisiontest.NewFake(options)
		for _, login := range people {
			if !rapid.Bool().Draw(rt, "there") {
				continue
			}
			u := provision.User{Login: login, Status: provision.StatusActive, Extra: map[string]any{"badge": ""}}
			for _, id := range some("held") {
				u.Roles = append(u.Roles, provision.HeldRole{ID: id, Direct: true})
			}
			provision.SortRoles(u.Roles)
			f.Put(u)
		}
		var wanted []plan.Wanted
		for _, login := range people {
			if rapid.Bool().Draw(rt, "named") {
				wanted = append(wanted, plan.Wanted{
					Tenant: "one", Login: login, Absent: rapid.IntRange(0, 3).Draw(rt, "absent") == 0, Roles: some("wanted"),
				})
			}
		}
		prune := rapid.Bool().Draw(rt, "prune")
		ops := []string{provisiontest.OpCreate, provisiontest.OpChangeRoles, provisiontest.OpDelete}
		for range rapid.IntRange(0, 4).Draw(rt, "faults") {
			f.LoseNext(rapid.SampledFrom(ops).Draw(rt, "op"), rapid.Bool().Draw(rt, "applied"))
		}
		o := unbounded()
		o.Guards.AllowLockout = true
		o.Looks = []time.Duration{0, 0, 0}

		results, err := plan.Enact(t.Context(), []plan.Target{target(f)}, compare(rt, f, plan.CompareOptions{Prune: prune}, wanted...), nil, o)
		require.NoError(rt, err)
		for _, r := range results {
			stored, there := f.Stored(r.Login)
			switch r.Outcome {
			case plan.Created, plan.Updated:
				require.True(rt, there, "%s is reported %s", r.Login, r.Outcome)
				i := slices.IndexFunc(wanted, func(w plan.Wanted) bool { return provision.SameLogin(w.Login, r.Login) })
				require.ElementsMatch(rt, wanted[i].Roles, stored.DirectRoles())
			case plan.Deleted, plan.Absent:
				require.False(rt, there, "%s is reported %s", r.Login, r.Outcome)
			}
		}
		logins := map[string]bool{}
		for _, u := range f.State() {
			require.False(rt, logins[provision.FoldLogin(u.Login)], "%s is there twice", u.Login)
			logins[provision.FoldLogin(u.Login)] = true
		}
		// Faults that were not used up hit the second run; the third is calm.
		for range 3 {
			_, err = plan.Enact(t.Context(), []plan.Target{target(f)}, compare(rt, f, plan.CompareOptions{Prune: prune}, wanted...), nil, o)
			require.NoError(rt, err)
		}
		f.Forget()
		for _, d := range compare(rt, f, plan.CompareOptions{Prune: prune}, wanted...) {
			require.Equal(rt, plan.Unchanged, d.Outcome, "%+v", d)
		}
		require.Empty(rt, f.Changes())
	})
}
