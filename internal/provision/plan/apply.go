package plan

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"edrctl/internal/provision"
)

// Apply carries out changes and returns a result for each, in their order. The
// tenants are worked on side by side, and one that fails stops none of the
// others. It returns an error, and has then changed nothing, when the changes
// make no sense (ErrUsage), a guard stops them, or they are not confirmed
// (ErrRefused).
func Apply(ctx context.Context, targets []Target, changes []Change, o Options) ([]Result, error) {
	if o.Looks == nil {
		o.Looks = []time.Duration{0, 3 * time.Second, 7 * time.Second}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &run{o: o, results: make([]Result, len(changes)), tenants: map[string]*tenant{}}
	for _, t := range targets {
		r.tenants[t.Tenant] = &tenant{Target: t}
	}
	if err := r.check(changes); err != nil {
		return nil, err
	}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if o.Confirm != nil && !o.DryRun {
		if q := r.question(); len(q.Deletes)+len(q.Revokes) > 0 {
			if err := o.Confirm(ctx, q); err != nil {
				return nil, err
			}
		}
	}
	r.execute(ctx)
	return r.results, nil
}

// run is one call of Apply.
type run struct {
	o       Options
	results []Result
	tenants map[string]*tenant

	mu sync.Mutex // guards Options.Done
}

// tenant is a target and the changes to make there.
type tenant struct {
	Target
	jobs []*job

	mu       sync.Mutex
	stopped  error // why nothing more is started
	failures int   // failures to reach the vendor, in a row
}

// job is a change on its way.
type job struct {
	Change
	index int
	t     *tenant
	// grant and revoke are the role ids the names stand for.
	grant, revoke []string
	// settled is true once the result is known.
	settled bool
	// end records how the change ended; nil before it was begun.
	end func(Result) (written func() error)
}

// execute works on all tenants at once, within each on as many changes as the
// vendor bears.
func (r *run) execute(ctx context.Context) {
	var all errgroup.Group
	for _, t := range r.tenants {
		all.Go(func() error {
			ctx := ctx
			many := t.Vendor.ReadsBack && !r.o.DryRun && t.toDo() >= manyChanges
			if many {
				ctx = provision.LookLater(ctx)
				defer r.lookOnce(ctx, t)
			}
			r.batch(ctx, t)
			var workers errgroup.Group
			workers.SetLimit(r.inFlight(t))
			var ends sync.WaitGroup // no request waits for how another one ended to be written
			for _, j := range t.jobs {
				if j.settled {
					continue
				}
				workers.Go(func() error {
					written := r.one(ctx, j)
					ends.Go(func() { r.finish(j, written()) })
					return nil
				})
			}
			_ = workers.Wait()
			ends.Wait()
			return nil
		})
	}
	_ = all.Wait() // no worker returns an error
}

// manyChanges is from how many changes on one reading for all of them takes the
// place of a reading after each.
const manyChanges = 10

func (t *tenant) toDo() int {
	n := 0
	for _, j := range t.jobs {
		if !j.settled {
			n++
		}
	}
	return n
}

func (r *run) inFlight(t *tenant) int {
	limit := max(1, t.Vendor.InFlight)
	if r.o.Parallel > 0 {
		limit = min(limit, r.o.Parallel)
	}
	return limit
}

// one carries out one change, unless there is a reason not to start it. What it
// returns waits for the record.
func (r *run) one(ctx context.Context, j *job) (written func() Result) {
	if res, ok := r.begin(ctx, j); !ok {
		return func() Result { return res }
	}
	if r.o.DryRun {
		res := r.preview(ctx, j)
		return func() Result { return res }
	}
	var receipt atomic.Value
	res := r.survive(provision.WithReceipts(ctx, func(id string) { receipt.Store(id) }), j)
	res.RequestID, _ = receipt.Load().(string)
	return r.conclude(j, res)
}

// survive turns a panic of an adapter into a result, so that the others go on and
// everything is recorded. How far the change had come, nobody knows.
func (r *run) survive(ctx context.Context, j *job) (res Result) {
	defer func() {
		if p := recover(); p != nil {
			res = Result{Outcome: Unknown, Err: &provision.Error{
				Vendor: j.t.Vendor.Name, Op: string(j.Action), Kind: provision.ErrInternal, Message: fmt.Sprintf("panic: %v", p),
				Hint: "look at the user in the console; this is a fault in edrctl", Err: errors.New(string(debug.Stack())),
			}}
		}
	}()
	return r.change(ctx, j)
}

// begin records that a change is about to be sent. It is false, with a result,
// where the change must not be started.
func (r *run) begin(ctx context.Context, j *job) (Result, bool) {
	if err := r.mayStart(ctx, j.t); err != nil {
		return Result{Outcome: Skipped, Err: err, Message: "not started"}, false
	}
	j.end = func(Result) func() error { return func() error { return nil } }
	if r.o.Journal == nil || r.o.DryRun {
		return Result{}, true
	}
	end, err := r.o.Journal.Begin(j.Change, j.grant, j.revoke)
	if err != nil {
		j.t.stop(err)
		return failed(err), false
	}
	j.end = end
	return Result{}, true
}

// conclude records how a change ended. What it returns waits until that is
// written.
func (r *run) conclude(j *job, res Result) (written func() Result) {
	r.label(&res, j)
	j.t.note(res.Err)
	wait := j.end(res)
	return func() Result {
		if err := wait(); err != nil {
			res.Err = errors.Join(res.Err, err)
			j.t.stop(err)
		}
		return res
	}
}

func (r *run) mayStart(ctx context.Context, t *tenant) error {
	select {
	case <-r.o.Stop:
		return &provision.Error{Kind: provision.ErrInterrupted, Message: "stopped by the user"}
	case <-ctx.Done():
		return &provision.Error{Kind: provision.ErrInterrupted, Message: "stopped by the user"}
	default:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stopped
}

// finish stores a result and hands it on.
func (r *run) finish(j *job, res Result) {
	r.label(&res, j)
	j.settled = true
	r.results[j.index] = res
	if r.o.Done != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.o.Done(res)
	}
}

func (r *run) label(res *Result, j *job) {
	res.Tenant, res.Vendor, res.Action = j.Tenant, j.t.Vendor.Name, j.Action
	if res.Login == "" {
		res.Login = j.Login
	}
}

// troubleLimit is how many changes in a row may fail to reach the vendor before
// the rest of that tenant is left alone.
const troubleLimit = 5

// note learns from a failure: refused credentials and long throttling will
// meet every further change of the tenant too.
func (t *tenant) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch kind := provision.KindOf(err); {
	case err == nil:
		t.failures = 0
	case kind == provision.ErrUnauthenticated, kind == provision.ErrUntrusted, kind == provision.ErrRateLimited:
		t.stopped = err
	case kind == provision.ErrUnavailable:
		if t.failures++; t.failures >= troubleLimit {
			t.stopped = err
		}
	default:
		t.failures = 0
	}
}

func (t *tenant) stop(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = err
}

// failed is the result of a change that met an error.
func failed(err error) Result {
	res := Result{Outcome: Failed, Err: err}
	switch provision.KindOf(err) {
	case provision.ErrUncertain:
		res.Outcome = Unknown
	case provision.ErrUnsupported:
		res.Outcome = Unsupported
	case provision.ErrInterrupted:
		res.Outcome = Skipped
	}
	return res
}
