package cortex

import (
	"context"
	"errors"
	"fmt"

	"edrctl/internal/provision"
)

// write makes a change and reads the user back, which is the only proof: the
// vendor answers with a sentence or a number. An error that is ErrUncertain
// means that the change may be there.
func (a *adapter) write(ctx context.Context, g generation, op string, p person, e edit) (after person, said claim, err error) {
	a.recent.drop()
	said, err = g.write(ctx, p, e)
	a.recent.drop()
	if err != nil {
		return p, said, err
	}
	people, err := g.people(ctx)
	if err == nil {
		after, err = find(people, p.email)
	}
	if err != nil {
		return p, said, unread(op, err)
	}
	return after, said, nil
}

// unread is the error of a change that was taken and cannot be verified.
func unread(op string, cause error) error {
	return &provision.Error{
		Vendor: name, Op: op, Kind: provision.ErrUncertain, Message: "the vendor took the change, but it could not be read back",
		Err: cause, Hint: "look at the user before asking again",
	}
}

// notShown is the error of a change that does not show. A vendor who says that
// it was made may be slow to show it; one who says nothing has refused it.
func notShown(op string, p person, said claim) error {
	e := &provision.Error{
		Vendor: name, Op: op, Kind: provision.ErrInvalid,
		Message: fmt.Sprintf("the vendor answered without an error, but left %s as it was", p.email),
		Hint:    "the vendor refuses some changes without saying so; try it in the console",
	}
	if said == claimsDone {
		e.Kind = provision.ErrUncertain
		e.Message = fmt.Sprintf("the vendor says that %s was changed, but the list of users does not show it", p.email)
		e.Hint = "look at the user before asking again"
	}
	return e
}

// withOp names the operation in an error that does not.
func withOp(err error, op string) error {
	var e *provision.Error
	if errors.As(err, &e) && e.Op == "" {
		e.Op = op
	}
	return err
}
