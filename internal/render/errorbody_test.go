package render

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
)

func TestErrorOf(t *testing.T) {
	throttled := &provision.Error{
		Vendor: "cortex", Op: "list users", Kind: provision.ErrRateLimited, Status: 429, Code: "E7",
		RequestID: "r-1", RetryAfter: 1500 * time.Millisecond, Hint: "wait",
	}
	two := int64(2)
	tests := []struct {
		name string
		err  error
		want *ErrorBody
	}{
		{"nil", nil, nil},
		{"all of it", throttled, &ErrorBody{
			Code: "rate-limited", Message: "cortex: list users: rate limited (HTTP 429, request r-1)", VendorStatus: 429,
			VendorCode: "E7", RequestID: "r-1", Retryable: true, RetryAfterSeconds: &two, Hint: "wait",
		}},
		{"wrapped", fmt.Errorf("tenant xdr: %w", throttled), &ErrorBody{
			Code: "rate-limited", Message: "tenant xdr: cortex: list users: rate limited (HTTP 429, request r-1)",
			VendorStatus: 429, VendorCode: "E7", RequestID: "r-1", Retryable: true, RetryAfterSeconds: &two, Hint: "wait",
		}},
		{"what the outer leaves open", &provision.Error{Kind: provision.ErrPartial, Op: "create user", Hint: "grant", Err: throttled}, &ErrorBody{
			Code: "partial", Message: "create user: done in part: cortex: list users: rate limited (HTTP 429, request r-1)",
			VendorStatus: 429, VendorCode: "E7", RequestID: "r-1", RetryAfterSeconds: &two, Hint: "grant",
		}},
		{"kind alone", fmt.Errorf("x: %w", provision.ErrExists), &ErrorBody{Code: "exists", Message: "x: already exists"}},
		{"something else", errors.New("boom"), &ErrorBody{Code: "internal", Message: "boom"}},
		{"interrupted", fmt.Errorf("list: %w", context.Canceled), &ErrorBody{Code: "interrupted", Message: "list: context canceled"}},
		{
			"placed although cancelled",
			&provision.Error{Kind: provision.ErrInternal, Err: context.Canceled},
			&ErrorBody{Code: "internal", Message: "internal error: context canceled"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, ErrorOf(tt.err)) })
	}
}

func TestItemErrorString(t *testing.T) {
	failed := ItemError{Tenant: "cbc", Vendor: "carbonblack", Error: &ErrorBody{Message: "not found"}}
	assert.Equal(t, "cbc: not found", failed.String())
	failed.Login = "ada@example.com"
	assert.Equal(t, "cbc: ada@example.com: not found", failed.String())
}
