package cortex

import (
	"context"
	"net/http"
	"slices"

	"edrctl/internal/provision"
)

// maxEmails is how many users one request gives a role. No limit is documented.
const maxEmails = 50

// ChangeRolesOf implements provision.RoleBatcher. Both generations can set the
// role of many users at once, by its display name. (Cortex XDR REST API, Set a
// User Role.) The answer counts them and names none, so everybody is read
// afterwards. What cannot be said by a display name goes one by one.
func (a *adapter) ChangeRolesOf(ctx context.Context, changes []provision.UserRoleChange) []provision.RoleOutcome {
	out := make([]provision.RoleOutcome, len(changes))
	steps := map[string][]planned{} // by display name of the role to be held
	prepare := func(which []int) (alone []int) {
		for _, i := range which {
			s, display, err := a.prepareOf(ctx, changes[i])
			switch {
			case err != nil:
				out[i].Err = err
			case s.edit == (edit{}):
				out[i].Result.User = s.user
			case display == nil:
				alone = append(alone, i)
			default:
				steps[*display] = append(steps[*display], planned{i, s})
			}
		}
		return alone
	}
	every := make([]int, len(changes))
	for i := range every {
		every[i] = i
	}
	alone := prepare(every)
	if len(alone) > 1 && a.readNames(ctx) {
		alone = prepare(alone)
	}
	for display, all := range steps {
		for chunk := range slices.Chunk(all, maxEmails) {
			a.setMany(ctx, display, chunk, out)
		}
	}
	for _, i := range alone {
		out[i].Result, out[i].Err = a.ChangeRoles(ctx, changes[i].Login, changes[i].Change)
	}
	return out
}

// readNames reads the platform's roles, whose names an id:VALUE does not bring.
// It is false where that is of no use.
func (a *adapter) readNames(ctx context.Context) bool {
	if a.api.chosen.current() == xdr3 {
		return false // names are all there is
	}
	known := len(a.known.get())
	_, err := iam{a, "change roles"}.readRoles(ctx)
	return err == nil && len(a.known.get()) > known
}

// planned is the step of one of several changes.
type planned struct {
	index int
	step
}

// prepareOf prepares one of many changes with the list that was read for the
// first. The name is nil where the change is more than a role, or where the name
// may mean several roles.
func (a *adapter) prepareOf(ctx context.Context, c provision.UserRoleChange) (s step, display *string, err error) {
	const op = "change roles"
	if err := checkChange(c.Change); err != nil {
		return s, nil, err
	}
	err = a.with(op, func(g generation) error {
		if _, err := a.glance(ctx, g); err != nil {
			return err
		}
		if s, err = a.prepare(ctx, g, op, c.Login, c.Change); err != nil || s.edit.Role == nil {
			return err
		}
		name, known := s.naming.display(s.role)
		if s.role == "" {
			name, known = "", true
		}
		alone := s.edit == (edit{Role: s.edit.Role})
		if alone && known && (name == "" || len(s.naming.ids(name)) == 1) {
			display = &name
		}
		return nil
	})
	return s, display, err
}

// setMany gives one role to many users and reads them back.
func (a *adapter) setMany(ctx context.Context, display string, all []planned, out []provision.RoleOutcome) {
	const op = "change roles"
	var emails []string
	for _, p := range all {
		emails = append(emails, p.before.email)
	}
	a.recent.drop()
	_, err := a.api.do(ctx, call{
		op: op, method: http.MethodPost, path: rbacSetRole, change: true,
		data: struct {
			Emails []string `json:"user_emails"`
			Role   string   `json:"role_name"`
		}{emails, display},
	})
	a.recent.drop()
	var people []person
	if err == nil {
		err = a.with(op, func(g generation) error {
			if people, err = g.people(ctx); err != nil {
				return unread(op, err)
			}
			return nil
		})
	}
	for _, p := range all {
		sent := provision.RoleResult{User: p.user, Granted: p.granted, Revoked: p.revoked}
		switch after, missing := find(people, p.before.email); {
		case provision.KindOf(err) == provision.ErrUncertain:
			out[p.index] = provision.RoleOutcome{Result: sent, Err: err}
		case err != nil:
			out[p.index] = provision.RoleOutcome{Result: provision.RoleResult{User: p.user}, Err: err}
		case missing != nil:
			out[p.index] = provision.RoleOutcome{Result: sent, Err: unread(op, missing)}
		case !p.shows(after):
			out[p.index] = provision.RoleOutcome{Result: provision.RoleResult{User: p.user}, Err: notShown(op, after, claimsNothing)}
		default:
			var roles []provision.HeldRole
			if p.role != "" {
				roles = []provision.HeldRole{{ID: p.role, Name: after.role, Direct: true}}
			}
			sent.User = after.user(roles)
			out[p.index] = provision.RoleOutcome{Result: sent}
		}
	}
}
