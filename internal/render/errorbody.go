package render

import (
	"context"
	"errors"
	"time"

	"edrctl/internal/provision"
)

// ErrorBody is an error as users see it in structured output.
type ErrorBody struct {
	Code    provision.Kind `json:"code"`
	Message string         `json:"message"`
	// VendorStatus is the HTTP status, 0 without one.
	VendorStatus int    `json:"vendorStatus"`
	VendorCode   string `json:"vendorCode"`
	RequestID    string `json:"requestId"`
	Retryable    bool   `json:"retryable"`
	// RetryAfterSeconds is nil where the vendor did not say.
	RetryAfterSeconds *int64 `json:"retryAfterSeconds"`
	Hint              string `json:"hint"`
}

// ItemError is a target that could not be read.
type ItemError struct {
	Tenant string     `json:"tenant"`
	Vendor string     `json:"vendor"`
	Login  string     `json:"login"`
	Error  *ErrorBody `json:"error"`
}

// String is the failure on one line, for people: where, who, what.
func (e ItemError) String() string {
	return join(": ", e.Tenant, e.Login, errorField(e.Error, func(b *ErrorBody) string { return b.Message }))
}

// ErrorOf describes an error; nil for nil. The code is the kind of the
// outermost provision.Error; what that one leaves open, such as the status
// behind a partial result, comes from its causes.
func ErrorOf(err error) *ErrorBody {
	if err == nil {
		return nil
	}
	body := &ErrorBody{Code: codeOf(err), Message: err.Error()}
	body.Retryable = body.Code == provision.ErrRateLimited || body.Code == provision.ErrUnavailable
	var wait time.Duration
	for cause := err; cause != nil; {
		var e *provision.Error
		if !errors.As(cause, &e) {
			break
		}
		if body.VendorStatus == 0 {
			body.VendorStatus = e.Status
		}
		if body.VendorCode == "" {
			body.VendorCode = e.Code
		}
		if body.RequestID == "" {
			body.RequestID = e.RequestID
		}
		if body.Hint == "" {
			body.Hint = e.Hint
		}
		if wait == 0 {
			wait = e.RetryAfter
		}
		cause = e.Err
	}
	if wait > 0 {
		// Rounded up: who waits that long has waited long enough.
		seconds := int64((wait + time.Second - 1) / time.Second)
		body.RetryAfterSeconds = &seconds
	}
	return body
}

// codeOf is provision.KindOf, but for an ended context, which no adapter wraps.
func codeOf(err error) provision.Kind {
	kind := provision.KindOf(err)
	var e *provision.Error
	if kind == provision.ErrInternal && !errors.As(err, &e) && errors.Is(err, context.Canceled) {
		return provision.ErrInterrupted
	}
	return kind
}
