package cortex

import (
	"context"
	"maps"
	"strconv"

	"edrctl/internal/provision"
)

// UpdateUser implements provision.Provisioner.
func (a *adapter) UpdateUser(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
	const op = "update user"
	options := maps.Clone(p.Options)
	if err := a.V.CheckOptions(options, "update"); err != nil {
		return provision.User{}, false, err
	}
	e := edit{FirstName: p.FirstName, LastName: p.LastName, Phone: p.Phone}
	if text, ok := options[optionHidden]; ok {
		e.Hidden = new(text == strconv.FormatBool(true))
	}
	var u provision.User
	changed := false
	err := a.with(op, func(g generation) error {
		if err := g.canEdit(); err != nil {
			return withOp(err, op)
		}
		before, err := a.locate(ctx, g, login)
		if err != nil {
			return err
		}
		after := before
		if changed = !e.satisfied(before); changed {
			if after, _, err = a.write(ctx, g, op, before, e); err != nil {
				return err
			}
			if !e.satisfied(after) && e.same(before, after) {
				return notShown(op, after, claimsDone)
			}
		}
		users, err := complete(ctx, g, after)
		switch {
		case err == nil:
			u = users[0]
		case changed:
			return unread(op, err)
		}
		return err
	})
	if err != nil {
		return provision.User{}, false, err
	}
	return u, changed, nil
}

// satisfied reports whether somebody is as an edit of details wants it.
func (e edit) satisfied(p person) bool {
	is := func(want *string, value string) bool { return want == nil || *want == value }
	return is(e.FirstName, p.first) && is(e.LastName, p.last) && is(e.Phone, p.phone) &&
		(e.Hidden == nil || p.hidden != nil && *p.hidden == *e.Hidden)
}

// same reports whether an edit of details left no trace. What the vendor stores
// in a form of its own, such as a phone number, is a trace.
func (edit) same(before, after person) bool {
	hidden := func(p person) bool { return p.hidden != nil && *p.hidden }
	return before.first == after.first && before.last == after.last && before.phone == after.phone && hidden(before) == hidden(after)
}
