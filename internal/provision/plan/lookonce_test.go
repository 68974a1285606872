package plan_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/provision/provisiontest"
)

// many are changes enough to be looked at once for all.
func many(action plan.Action) []plan.Change {
	var changes []plan.Change
	for i := range 12 {
		changes = append(changes, plan.Change{
			Tenant: "one", Action: action, Login: fmt.Sprintf("p%02d@example.com", i), Spec: provision.UserSpec{Roles: []string{"reader"}},
		})
	}
	return changes
}

func TestManyChangesAreLookedAtOnce(t *testing.T) {
	cases := []struct {
		name    string
		options provisiontest.FakeOptions
		// meddle is what happens to somebody before the look.
		meddle  func(f *provisiontest.Fake, login string)
		want    plan.Outcome // of the one meddled with
		others  plan.Outcome
		records []plan.Outcome // of the one meddled with
	}{
		{
			name:   "nothing odd",
			meddle: func(*provisiontest.Fake, string) {},
			want:   plan.Created, others: plan.Created, records: []plan.Outcome{plan.Created},
		},
		{
			name:   "not shown",
			meddle: func(f *provisiontest.Fake, login string) { f.Remove(login) },
			want:   plan.Unknown, others: plan.Created, records: []plan.Outcome{plan.Created, plan.Unknown},
		},
		{
			name: "invited and listed at once", options: provisiontest.FakeOptions{Invites: true},
			meddle: func(f *provisiontest.Fake, login string) { _ = f.Activate(login) },
			want:   plan.Created, others: plan.Invited, records: []plan.Outcome{plan.Invited, plan.Created},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := provisiontest.NewFake(c.options)
				f.Vendor().ReadsBack = true
				lists := 0
				f.OnCall(func(call provisiontest.Call) {
					if call.Op == provisiontest.OpList {
						if lists++; lists == 1 {
							c.meddle(f, "p03@example.com")
						}
					}
				})
				record := &perLogin{ended: map[string][]plan.Outcome{}}
				o := unbounded()
				o.Journal = record
				results, err := plan.Apply(t.Context(), []plan.Target{target(f)}, many(plan.CreateUser), o)
				require.NoError(t, err)
				for _, r := range results {
					want := c.others
					if r.Login == "p03@example.com" {
						want = c.want
					}
					assert.Equal(t, want, r.Outcome, "%+v", r)
					assert.Equal(t, want == plan.Unknown, r.Err != nil)
				}
				assert.Equal(t, c.records, record.ended["p03@example.com"])
			})
		})
	}
}

// perLogin records how the changes of each login ended.
type perLogin struct {
	mu    sync.Mutex
	ended map[string][]plan.Outcome
}

func (p *perLogin) Begin(c plan.Change, _, _ []string) (func(plan.Result) func() error, error) {
	return func(r plan.Result) func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ended[c.Login] = append(p.ended[c.Login], r.Outcome)
		return func() error { return nil }
	}, nil
}
