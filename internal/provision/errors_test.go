package provision_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  provision.Error
		want string
	}{
		{
			name: "whole",
			err: provision.Error{
				Vendor: "cybereason", Op: "create user", Kind: provision.ErrExists, Status: 409, Code: "userExists",
				Message: "username taken", RequestID: "r-1", RetryAfter: time.Second, Hint: "h", Err: io.EOF,
			},
			want: "cybereason: create user: already exists: username taken: EOF (HTTP 409, request r-1)",
		},
		{name: "without request id", err: provision.Error{Vendor: "v", Op: "o", Kind: provision.ErrForbidden, Status: 403}, want: "v: o: permission missing (HTTP 403)"},
		{name: "request id without status", err: provision.Error{Kind: provision.ErrUncertain, RequestID: "r"}, want: "outcome unknown"},
		{name: "kind alone", err: provision.Error{Kind: provision.ErrNotFound}, want: "not found"},
		{name: "usage", err: provision.Error{Kind: provision.ErrUsage, Message: "no such flag"}, want: "no such flag"},
		{name: "usage without words", err: provision.Error{Kind: provision.ErrUsage}, want: "wrong usage"},
		{name: "refused", err: provision.Error{Op: "delete user", Kind: provision.ErrRefused, Message: "ada is protected"}, want: "delete user: ada is protected"},
		{name: "with cause", err: provision.Error{Op: "o", Kind: provision.ErrPartial, Err: &provision.Error{Kind: provision.ErrForbidden}}, want: "o: done in part: permission missing"},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, tt.err.Error()) })
	}
}

func everyKind() []provision.Kind {
	return []provision.Kind{
		provision.ErrInternal, provision.ErrUsage, provision.ErrUnauthenticated, provision.ErrForbidden, provision.ErrUntrusted,
		provision.ErrNotFound, provision.ErrExists, provision.ErrConflict, provision.ErrPartial, provision.ErrRateLimited,
		provision.ErrUnavailable, provision.ErrRefused, provision.ErrUnsupported, provision.ErrUncertain, provision.ErrInvalid,
		provision.ErrInterrupted,
	}
}

func TestErrorIsItsKind(t *testing.T) {
	texts := map[string]bool{}
	for _, kind := range everyKind() {
		assert.NotEmpty(t, kind.Error())
		assert.False(t, texts[kind.Error()], "two kinds read %q", kind.Error())
		texts[kind.Error()] = true
		for _, other := range everyKind() {
			assert.Equal(t, kind == other, errors.Is(&provision.Error{Kind: kind}, other), "%s, %s", kind, other)
		}
		wrapped := fmt.Errorf("outside: %w", &provision.Error{Kind: kind, Err: io.ErrUnexpectedEOF})
		require.ErrorIs(t, wrapped, kind)
		require.ErrorIs(t, wrapped, io.ErrUnexpectedEOF)
		assert.Equal(t, kind, provision.KindOf(wrapped))
	}
}

func TestKindOf(t *testing.T) {
	forbidden := &provision.Error{Kind: provision.ErrForbidden}
	partial := &provision.Error{Kind: provision.ErrPartial, Err: forbidden}
	for _, tt := range []struct {
		name string
		err  error
		want provision.Kind
	}{
		{name: "nil", want: provision.ErrInternal},
		{name: "foreign", err: io.EOF, want: provision.ErrInternal},
		{name: "context", err: context.Canceled, want: provision.ErrInternal},
		{name: "outermost", err: fmt.Errorf("x: %w", partial), want: provision.ErrPartial},
		{name: "a bare kind", err: fmt.Errorf("x: %w", provision.ErrConflict), want: provision.ErrConflict},
		{name: "an error goes before a bare kind", err: errors.Join(provision.ErrConflict, forbidden), want: provision.ErrForbidden},
		{name: "first of several", err: errors.Join(io.EOF, partial, forbidden), want: provision.ErrPartial},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, provision.KindOf(tt.err)) })
	}
	assert.ErrorIs(t, partial, provision.ErrForbidden, "the cause is found too")
}

func TestRetryable(t *testing.T) {
	for _, kind := range everyKind() {
		want := kind == provision.ErrRateLimited || kind == provision.ErrUnavailable
		assert.Equal(t, want, provision.Retryable(&provision.Error{Kind: kind}), "%s", kind)
	}
	assert.False(t, provision.Retryable(nil))
	assert.False(t, provision.Retryable(&provision.Error{Kind: provision.ErrUncertain, Err: &provision.Error{Kind: provision.ErrUnavailable}}))
}

func TestUsagef(t *testing.T) {
	err := provision.Usagef("no %s, %d", "flag", 2)
	require.ErrorIs(t, err, provision.ErrUsage)
	assert.EqualError(t, err, "no flag, 2")
}
