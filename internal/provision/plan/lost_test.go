package plan_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/provision/provisiontest"
)

// A change that may have happened stays unknown when whatever comes next, such
// as a session that has ended, keeps edrctl from looking.
func TestLostChangeThatCannotBeLookedAt(t *testing.T) {
	changes := map[string]plan.Change{
		provisiontest.OpChangeRoles: roles(plan.GrantRoles, "ada@example.com", provision.RoleChange{Grant: []string{"analyst"}}),
		provisiontest.OpUpdate:      {Action: plan.UpdateUser, Login: "ada@example.com", Patch: provision.UserPatch{FirstName: ptr("A")}},
		provisiontest.OpDelete:      {Action: plan.DeleteUser, Login: "ada@example.com"},
	}
	for op, change := range changes {
		for _, kind := range []provision.Kind{
			provision.ErrUnauthenticated, provision.ErrForbidden, provision.ErrRateLimited, provision.ErrUntrusted,
			provision.ErrUnavailable, provision.ErrInternal, provision.ErrInterrupted,
		} {
			t.Run(op+", "+string(kind), func(t *testing.T) {
				f := provisiontest.NewFake(provisiontest.FakeOptions{})
				f.FailNext(op, &provision.Error{Kind: provision.ErrUncertain, Message: "the answer was lost"})
				for range 3 {
					f.FailNext(op, &provision.Error{Kind: kind, Message: "no look is possible"})
				}
				got := do(t, f, change, unbounded())
				assert.Equal(t, plan.Unknown, got.Outcome, "%v", got.Err)
				require.ErrorIs(t, got.Err, provision.ErrUncertain)
				assert.ErrorContains(t, got.Err, "no look is possible")
			})
		}
		t.Run(op+", refused then", func(t *testing.T) {
			f := provisiontest.NewFake(provisiontest.FakeOptions{})
			f.FailNext(op, &provision.Error{Kind: provision.ErrUncertain})
			f.FailNext(op, &provision.Error{Kind: provision.ErrInvalid})
			got := do(t, f, change, unbounded())
			assert.Equal(t, plan.Failed, got.Outcome)
			assert.ErrorIs(t, got.Err, provision.ErrInvalid)
		})
	}
}

// A create that reading does not show in ten seconds, and that is there after
// all, makes the second one meet a taken login. That is what was wanted.
func TestLostCreateThatShowsLate(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	f.Lag(3)
	f.LoseNext(provisiontest.OpCreate, true)
	got := do(t, f, create("Reader"), unbounded())
	require.NoError(t, got.Err)
	assert.Equal(t, plan.Created, got.Outcome)
	assert.Equal(t, []string{"reader"}, got.RolesAdded)
	accounts := 0
	for _, u := range f.State() {
		if provision.SameLogin(u.Login, newcomer) {
			accounts++
		}
	}
	assert.Equal(t, 1, accounts)
}

// The looks at a create are spread over ten seconds, and one that fails proves
// nothing.
func TestLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := provisiontest.NewFake(provisiontest.FakeOptions{})
		f.FailNext(provisiontest.OpCreate, &provision.Error{Kind: provision.ErrUncertain})
		for range 3 {
			f.FailNext(provisiontest.OpGet, &provision.Error{Kind: provision.ErrUnavailable})
		}
		c := create()
		c.Tenant = "one"
		var at []time.Duration
		began := time.Now()
		f.OnCall(func(call provisiontest.Call) {
			if call.Op == provisiontest.OpGet {
				at = append(at, time.Since(began))
			}
		})
		results, err := plan.Apply(t.Context(), []plan.Target{target(f)}, []plan.Change{c}, unbounded())
		require.NoError(t, err)
		assert.Equal(t, plan.Unknown, results[0].Outcome)
		assert.Equal(t, []time.Duration{0, 3 * time.Second, 10 * time.Second}, at)
		assert.Empty(t, f.Changes(), "no create is sent while it is not proved that the first did not happen")
	})
}

// A vendor who throttles for ever, or is down, ends a run early. What was not
// started says so, and may be run again.
func TestRunThatEndsEarly(t *testing.T) {
	for _, tt := range []struct {
		kind   provision.Kind
		failed int
	}{
		{provision.ErrRateLimited, 1}, {provision.ErrUnauthenticated, 1}, {provision.ErrUntrusted, 1}, {provision.ErrUnavailable, 5},
	} {
		t.Run(string(tt.kind), func(t *testing.T) {
			f := provisiontest.NewFake(provisiontest.FakeOptions{})
			var changes []plan.Change
			for _, c := range many(plan.CreateUser) {
				changes = append(changes, c)
				f.FailNext(provisiontest.OpCreate, &provision.Error{Kind: tt.kind})
			}
			o := unbounded()
			o.Parallel = 1
			results, err := plan.Apply(t.Context(), []plan.Target{target(f)}, changes, o)
			require.NoError(t, err)
			outcomes := map[plan.Outcome]int{}
			for _, r := range results {
				outcomes[r.Outcome]++
				require.ErrorIs(t, r.Err, tt.kind)
			}
			assert.Equal(t, map[plan.Outcome]int{plan.Failed: tt.failed, plan.Skipped: len(changes) - tt.failed}, outcomes)
			assert.Empty(t, f.Changes())
		})
	}
}

func TestPanicOfAnAdapter(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	f.OnCall(func(c provisiontest.Call) {
		if c.Op == provisiontest.OpCreate {
			panic("index out of range")
		}
	})
	o, j := unbounded(), &journal{}
	o.Journal = j
	got := do(t, f, create(), o)
	assert.Equal(t, plan.Unknown, got.Outcome)
	require.ErrorIs(t, got.Err, provision.ErrInternal)
	require.ErrorContains(t, got.Err, "panic: index out of range")
	assert.Equal(t, []plan.Outcome{plan.Unknown}, j.ended, "it is on record")
}

// What was done and cannot be recorded is said all the same, and nothing more is
// begun.
func TestRecordThatFillsUp(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	o := unbounded()
	o.Parallel, o.Journal = 1, &filling{}
	results, err := plan.Apply(t.Context(), []plan.Target{target(f)}, []plan.Change{
		{Tenant: "one", Action: plan.DeleteUser, Login: "ada@example.com"},
		{Tenant: "one", Action: plan.DeleteUser, Login: "lin@example.com"},
	}, o)
	require.NoError(t, err)
	assert.Equal(t, plan.Deleted, results[0].Outcome)
	require.ErrorIs(t, results[0].Err, errFull)
	assert.Contains(t, []plan.Outcome{plan.Failed, plan.Skipped}, results[1].Outcome)
	require.ErrorIs(t, results[1].Err, errFull)
	assert.Len(t, f.Changes(), 1)
}

// filling is a journal that takes the first change, and not how it ended.
type filling struct{ full atomic.Bool }

const errFull = provision.Kind("no space left on device")

func (f *filling) Begin(plan.Change, []string, []string) (func(plan.Result) func() error, error) {
	if f.full.Swap(true) {
		return nil, errFull
	}
	return func(plan.Result) func() error { return func() error { return errFull } }, nil
}

// Somebody whom another run has made since the tenant was compared gets the
// roles that are wanted, and keeps what the other run gave.
func TestMadeByAnotherRunMeanwhile(t *testing.T) {
	for _, held := range []string{"", "reader", "analyst"} {
		t.Run("holding "+held, func(t *testing.T) {
			f := provisiontest.NewFake(provisiontest.FakeOptions{})
			diffs := compare(t, f, plan.CompareOptions{}, plan.Wanted{Tenant: "one", Login: newcomer, Roles: []string{"Reader"}})
			u := provision.User{Login: newcomer}
			if held != "" {
				u.Roles = []provision.HeldRole{{ID: held, Direct: true}}
			}
			f.Put(u)
			results, err := plan.Enact(t.Context(), []plan.Target{target(f)}, diffs, nil, unbounded())
			require.NoError(t, err)
			require.NoError(t, results[0].Err)
			want := plan.Granted
			if held == "reader" {
				want = plan.Unchanged
			}
			assert.Equal(t, want, results[0].Outcome)
			stored, _ := f.Stored(newcomer)
			assert.Contains(t, stored.DirectRoles(), "reader")
		})
	}
}

// The next change is sent while the end of the one before is still being written.
func TestNextChangeDoesNotWaitForTheRecord(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	o, slow := unbounded(), &slowJournal{second: make(chan struct{})}
	o.Parallel, o.Journal = 1, slow
	results, err := plan.Apply(t.Context(), []plan.Target{target(f)}, []plan.Change{
		{Tenant: "one", Action: plan.DeleteUser, Login: "ada@example.com"},
		{Tenant: "one", Action: plan.DeleteUser, Login: "lin@example.com"},
	}, o)
	require.NoError(t, err)
	for _, r := range results {
		assert.Equal(t, plan.Deleted, r.Outcome)
		require.NoError(t, r.Err)
	}
}

// slowJournal takes until the second change has begun to write how the first ended.
type slowJournal struct {
	begun  atomic.Int64
	second chan struct{}
}

func (j *slowJournal) Begin(plan.Change, []string, []string) (func(plan.Result) func() error, error) {
	if j.begun.Add(1) == 2 {
		close(j.second)
	}
	return func(plan.Result) func() error {
		return func() error {
			select {
			case <-j.second:
				return nil
			case <-time.After(10 * time.Second):
				return errFull
			}
		}
	}, nil
}
