package crowdstrike

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func numbers(from, to int) []string {
	var list []string
	for i := from; i < to; i++ {
		list = append(list, strconv.Itoa(i))
	}
	return list
}

func TestPages(t *testing.T) {
	type page struct {
		items []string
		total int
	}
	steady := func(all []string, size, total int) func(int, int) page {
		return func(_, offset int) page {
			offset = min(offset, len(all))
			return page{all[offset:min(offset+size, len(all))], total}
		}
	}
	tests := []struct {
		name  string
		read  func(call, offset int) page
		want  []string
		calls int // at most
		fails bool
	}{
		{name: "empty", read: steady(nil, 500, 0), calls: 1},
		{name: "one page", read: steady(numbers(0, 7), 500, 7), want: numbers(0, 7), calls: 1},
		{name: "three pages", read: steady(numbers(0, 1201), 500, 1201), want: numbers(0, 1201), calls: 3},
		{name: "small pages", read: steady(numbers(0, 5), 2, 5), want: numbers(0, 5), calls: 3},
		{name: "without a count", read: steady(numbers(0, 1201), 500, 0), want: numbers(0, 1201), calls: 3},
		{name: "ends early", read: steady(numbers(0, 5), 2, 9), want: numbers(0, 5), calls: 4, fails: true},
		{name: "empty though counted", read: steady(nil, 2, 9), calls: 1, fails: true},
		{name: "the same page for ever", read: func(int, int) page { return page{numbers(0, 2), 6} }, want: numbers(0, 2), calls: 3, fails: true},
		{name: "the same page, without a count", read: func(int, int) page { return page{numbers(0, 500), 0} }, want: numbers(0, 500), calls: 2, fails: true},
		{
			name: "a count that grows", calls: 120, fails: true, want: numbers(0, 2),
			read: func(call, _ int) page { return page{numbers(0, 2), 4 + 4*call} },
		},
		{
			name: "somebody added in front", want: numbers(0, 4), calls: 5,
			read: func(call, offset int) page {
				if call == 0 {
					return page{numbers(0, 1), 4}
				}
				return page{append([]string{"new"}, numbers(0, 4)...)[offset : offset+1], 5}
			},
		},
		{
			name: "somebody deleted", want: []string{"0", "1", "3"}, calls: 2,
			read: func(call, offset int) page {
				if call == 0 {
					return page{numbers(0, 2), 4}
				}
				return page{numbers(1, 4)[offset:], 3}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			p := pager[string]{op: "list", distinct: true, key: func(s string) string { return s }, read: func(offset int) ([]string, int, error) {
				got := tt.read(calls, offset)
				calls++
				return got.items, got.total, nil
			}}
			var got []string
			var failure error
			for items, err := range p.pages() {
				got, failure = append(got, items...), err
			}
			assert.Equal(t, tt.want, got)
			assert.LessOrEqual(t, calls, tt.calls)
			if tt.fails {
				assert.ErrorIs(t, failure, provision.ErrInternal)
			} else {
				assert.NoError(t, failure)
			}
		})
	}
}

// crowd is a console of n users.
func crowd(t *testing.T, n int) *console {
	t.Helper()
	id := func(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }
	return newConsole(t).
		on("GET "+pathUserIDs, func(a asked) reply {
			q := parse(t, a.query)
			offset, limit := atoi(t, q.Get("offset")), atoi(t, q.Get("limit"))
			assert.Equal(t, "uid|asc", q.Get("sort"))
			assert.LessOrEqual(t, limit, 500)
			var ids []any
			for i := offset; i < min(offset+limit, n); i++ {
				ids = append(ids, id(i))
			}
			r := ok(ids...)
			r.body.(map[string]any)["meta"] = meta(n)
			return r
		}).
		on("POST "+pathUserRecords, func(a asked) reply {
			ids := idsOf(t, a.body)
			assert.LessOrEqual(t, len(ids), 500)
			var people []any
			for i := range ids { // in another order than asked for
				uuid := ids[len(ids)-1-i]
				people = append(people, person(uuid, "u"+uuid[30:]+"@acme.example"))
			}
			return ok(people...)
		}).
		on("GET "+pathGrants, func(a asked) reply {
			uuid := parse(t, a.query).Get("user_uuid")
			return ok(granted("event_viewer", "Event Viewer", testCID, "uuid", uuid))
		})
}

func TestUsersCountsRequests(t *testing.T) {
	c := crowd(t, 1201)
	a := c.connect()
	require.NoError(t, func() error { _, err := a.Check(t.Context()); return err }())
	c.forget()
	n := 0
	for u, err := range a.Users(t.Context(), provision.Filter{NoRoles: true}) {
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("u%06d@acme.example", n), u.Login)
		assert.Nil(t, u.Roles)
		n++
	}
	assert.Equal(t, 1201, n)
	assert.Len(t, c.asked(), 6, "three pages and three reads")
}

func TestUsersWithRolesCountsRequests(t *testing.T) {
	c := crowd(t, 40)
	n := 0
	for u, err := range c.connect().Users(t.Context(), provision.Filter{}) {
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("u%06d@acme.example", n), u.Login)
		assert.Equal(t, []string{"event_viewer"}, u.DirectRoles())
		n++
	}
	assert.Equal(t, 40, n)
	assert.Len(t, c.asked(), 2+40)
}

func TestUsersLeavesOutWhoIsGone(t *testing.T) {
	c := crowd(t, 4)
	grants := c.routes["GET "+pathGrants]
	c.on("GET "+pathGrants, func(a asked) reply {
		if parse(t, a.query).Get("user_uuid") == "00000000-0000-4000-8000-000000000002" {
			return no(400, "invalid user uuid='00000000-0000-4000-8000-000000000002' specified")
		}
		return grants(a)
	})
	n := 0
	for u, err := range c.connect().Users(t.Context(), provision.Filter{}) {
		require.NoError(t, err)
		assert.NotEqual(t, "u000002@acme.example", u.Login)
		n++
	}
	assert.Equal(t, 3, n)

	c.always("GET "+pathGrants, no(403, "access denied, scope not permitted"))
	var failures []error
	for _, err := range c.connect().Users(t.Context(), provision.Filter{}) {
		failures = append(failures, err)
	}
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0], provision.ErrForbidden)
}
