package transport

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// tracedHeaders are the headers of an answer that a trace shows. None carries
// a credential.
func tracedHeaders() []string {
	return []string{
		"Content-Type", "Date", "Retry-After", "X-Cs-Region", "X-Cs-Traceid",
		"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Retryafter",
	}
}

// trace logs one attempt: method, path, status, time, attempt, a few headers,
// and the names, not the values, of the query and the body.
func (c *Client) trace(ctx context.Context, hr *http.Request, req *Request, resp *Response, err error, attempt int, took time.Duration) {
	log := c.o.Config.Log
	if !log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("tenant", c.o.Config.Tenant), slog.String("op", req.Op),
		slog.String("method", hr.Method), slog.String("path", hr.URL.EscapedPath()),
		slog.Int("attempt", attempt), slog.Duration("took", took.Round(100*time.Microsecond)),
	}
	if keys := sortedKeys(req.Query); keys != "" {
		attrs = append(attrs, slog.String("query", keys))
	}
	if keys := bodyKeys(req.Body, hr.Header.Get("Content-Type")); keys != "" {
		attrs = append(attrs, slog.String("body", keys))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	} else {
		attrs = append(attrs, slog.Int("status", resp.Status), slog.Int("bytes", len(resp.Body)))
		for _, name := range tracedHeaders() {
			if value := resp.Header.Get(name); value != "" {
				attrs = append(attrs, slog.String(strings.ToLower(name), value))
			}
		}
		if keys := bodyKeys(resp.Body, "application/json"); keys != "" {
			attrs = append(attrs, slog.String("answer", keys))
		}
	}
	log.LogAttrs(ctx, slog.LevelDebug, "http", attrs...)
}

// bodyKeys lists the names of a form or of a JSON object.
func bodyKeys(body []byte, kind string) string {
	if len(body) == 0 {
		return ""
	}
	if strings.HasPrefix(kind, "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return ""
		}
		return sortedKeys(form)
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return ""
	}
	return sortedKeys(object)
}

func sortedKeys[V any](m map[string]V) string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return strings.Join(keys, ",")
}
