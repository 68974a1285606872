package cli

import (
	"context"
	"errors"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// Exit statuses. They are part of what edrctl promises.
const (
	exitOK          = 0
	exitInternal    = 1
	exitUsage       = 2
	exitAuth        = 3
	exitNotFound    = 4
	exitConflict    = 5
	exitPartial     = 6
	exitUnavailable = 7
	exitChanges     = 8
	exitRefused     = 9
	exitUnsupported = 10
	exitUnknown     = 11
	exitInvalid     = 12
	exitInterrupted = 130
)

// exitStatus is the status of a command that ended with an error.
func exitStatus(err error) int {
	var status *statusError
	if err == nil {
		return exitOK
	}
	if errors.As(err, &status) {
		return status.status
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	return kindStatus(provision.KindOf(err))
}

func kindStatus(kind provision.Kind) int {
	switch kind {
	case provision.ErrUsage:
		return exitUsage
	case provision.ErrUnauthenticated, provision.ErrForbidden, provision.ErrUntrusted:
		return exitAuth
	case provision.ErrNotFound:
		return exitNotFound
	case provision.ErrExists, provision.ErrConflict:
		return exitConflict
	case provision.ErrPartial:
		return exitPartial
	case provision.ErrRateLimited, provision.ErrUnavailable:
		return exitUnavailable
	case provision.ErrRefused:
		return exitRefused
	case provision.ErrUnsupported:
		return exitUnsupported
	case provision.ErrUncertain:
		return exitUnknown
	case provision.ErrInvalid:
		return exitInvalid
	case provision.ErrInterrupted:
		return exitInterrupted
	default:
		return exitInternal
	}
}

// statusError ends a command that has already said everything it has to say.
type statusError struct{ status int }

func (e *statusError) Error() string { return "not everything ended well" }

// silently ends a command with a status and without another word.
func silently(status int) error {
	if status == exitOK {
		return nil
	}
	return &statusError{status}
}

// combined is the status of several targets: that of all if they ended alike,
// otherwise partial. An interrupt goes before everything.
func combined(statuses []int) int {
	if len(statuses) == 0 {
		return exitOK
	}
	first := statuses[0]
	for _, s := range statuses {
		if s == exitInterrupted {
			return exitInterrupted
		}
		if s != first {
			first = exitPartial
		}
	}
	return first
}

// resultStatus is the status that one result would give a command.
func resultStatus(r plan.Result) int {
	switch {
	case r.Err != nil && r.Outcome == plan.Created:
		return exitPartial
	case r.Err != nil:
		return kindStatus(provision.KindOf(r.Err))
	case len(r.Residual) > 0:
		return exitPartial
	case r.Outcome == plan.Stale:
		return exitConflict
	case r.Outcome == plan.Skipped:
		return exitInterrupted
	}
	return exitOK
}

func resultsStatus(results []plan.Result) int {
	statuses := make([]int, len(results))
	for i, r := range results {
		statuses[i] = resultStatus(r)
	}
	return combined(statuses)
}
