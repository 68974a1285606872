package provision

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what sort of failure an Error is. Its value is the code that users
// see in JSON; callers ask errors.Is(err, provision.ErrNotFound).
type Kind string

// The kinds of failure.
const (
	// ErrInternal is a fault in edrctl, or a vendor's answer it cannot place.
	ErrInternal Kind = "internal"
	// ErrUsage is a wrong command line, configuration or file.
	ErrUsage Kind = "usage"
	// ErrUnauthenticated means that the credentials were refused.
	ErrUnauthenticated Kind = "auth"
	// ErrForbidden means that a permission or licence is missing.
	ErrForbidden Kind = "forbidden"
	// ErrUntrusted means that the server's certificate is not trusted.
	ErrUntrusted Kind = "untrusted"
	// ErrNotFound means that there is no such user or role.
	ErrNotFound Kind = "not-found"
	// ErrExists means that the login is taken.
	ErrExists Kind = "exists"
	// ErrConflict means that somebody else changed the same thing, that two
	// users fit, or that a second role is not possible beside the first.
	ErrConflict Kind = "conflict"
	// ErrPartial means that some of it was done, or that access remains.
	ErrPartial Kind = "partial"
	// ErrRateLimited means that the vendor throttles for longer than we wait.
	ErrRateLimited Kind = "rate-limited"
	// ErrUnavailable means that the vendor could not be reached or answered
	// that it is out of order; nothing was changed.
	ErrUnavailable Kind = "unavailable"
	// ErrRefused means that a guard of edrctl stopped it.
	ErrRefused Kind = "refused"
	// ErrUnsupported means that this vendor cannot do it.
	ErrUnsupported Kind = "unsupported"
	// ErrUncertain means that a change may have happened: its answer was lost.
	ErrUncertain Kind = "unknown"
	// ErrInvalid means that the vendor, or a rule of the vendor, rejects the
	// value or the action.
	ErrInvalid Kind = "invalid"
	// ErrInterrupted means that the user stopped it.
	ErrInterrupted Kind = "interrupted"
)

// Error is the kind in words.
func (k Kind) Error() string {
	switch k {
	case ErrUsage:
		return "wrong usage"
	case ErrUnauthenticated:
		return "credentials refused"
	case ErrForbidden:
		return "permission missing"
	case ErrUntrusted:
		return "server not trusted"
	case ErrNotFound:
		return "not found"
	case ErrExists:
		return "already exists"
	case ErrPartial:
		return "done in part"
	case ErrRateLimited:
		return "rate limited"
	case ErrUncertain:
		return "outcome unknown"
	case ErrInternal:
		return "internal error"
	default:
		return string(k)
	}
}

// Error is a failure of an operation at a vendor, or of edrctl before it.
type Error struct {
	Vendor string
	// Op is what was tried, such as "create user".
	Op   string
	Kind Kind
	// Status is the HTTP status, 0 without one.
	Status int
	// Code is the vendor's own error code, if it has any.
	Code string
	// Message is the vendor's text or ours; it never holds a secret.
	Message string
	// RequestID is what the vendor's support asks for.
	RequestID string
	// RetryAfter is how long the vendor wants us to wait; 0 if it did not say.
	RetryAfter time.Duration
	// Hint says what to do.
	Hint string
	// Err is the cause.
	Err error
}

// Error reads from the outside in: "cybereason: create user: already exists:
// username taken (HTTP 409)".
func (e *Error) Error() string {
	var parts []string
	for _, s := range []string{e.Vendor, e.Op} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if e.Message == "" || e.Kind != ErrUsage && e.Kind != ErrRefused {
		parts = append(parts, e.Kind.Error())
	}
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	text := strings.Join(parts, ": ")
	switch {
	case e.Status != 0 && e.RequestID != "":
		text += fmt.Sprintf(" (HTTP %d, request %s)", e.Status, e.RequestID)
	case e.Status != 0:
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	return text
}

// Is reports whether the target is the error's kind.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the outermost Error in a chain, ErrInternal without one.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var k Kind
	if errors.As(err, &k) {
		return k
	}
	return ErrInternal
}

// Retryable reports whether asking again later may help and is safe.
func Retryable(err error) bool {
	kind := KindOf(err)
	return kind == ErrRateLimited || kind == ErrUnavailable
}

// Usagef is an ErrUsage with a message.
func Usagef(format string, args ...any) error {
	return &Error{Kind: ErrUsage, Message: fmt.Sprintf(format, args...)}
}
