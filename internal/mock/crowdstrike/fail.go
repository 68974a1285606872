package crowdstrike

import (
	"fmt"
	"net/http"
	"time"
)

// Fail answers with a status as the vendor would. Of a token it speaks in the
// words of the authority that issues them; what comes from a proxy is no JSON.
func (f *fake) Fail(w http.ResponseWriter, r *http.Request, status int, retryAfter time.Duration) {
	f.failure(r, status, retryAfter).write(w)
}

func (f *fake) failure(r *http.Request, status int, retryAfter time.Duration) wire {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers++
	c := &call{r: r, now: f.now(), trace: traceID(f.answers), limit: gatewayLimit}
	rt, _ := f.route(c)
	c.legacy = rt.family == legacyFamily
	c.remaining = gatewayLimit - f.calls.used(c.now)
	if rt.family == authFamily {
		c.limit, c.remaining = tokenLimit, tokenLimit-f.tokenCalls.used(c.now)
	}
	switch status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return proxyPage(status)
	case http.StatusTooManyRequests:
		var until time.Time
		if retryAfter > 0 {
			until = c.now.Add(retryAfter)
		}
		err := f.tooMany(c, until, c.limit)
		rep := refused(c, err)
		if retryAfter <= 0 {
			rep.header = nil
		}
		return f.render(c, rep)
	}
	rep := refused(c, failureOf(c, rt, status))
	return f.render(c, rep)
}

// failureOf has the usual words for a status.
func failureOf(c *call, rt route, status int) error {
	if rt.family == authFamily {
		return &refusal{status: status, message: signinMessage(c, status), poweredBy: oauth}
	}
	switch status {
	case http.StatusUnauthorized:
		e := atGateway(status, "access denied, invalid bearer token")
		e.limit, c.remaining = anonymousLimit, anonymousLimit-1
		return e
	case http.StatusForbidden:
		return atGateway(status, "access denied, authorization failed")
	case http.StatusNotFound:
		return refuse(status, "user not found")
	case http.StatusConflict:
		return refuse(status, "user already exists")
	case http.StatusInternalServerError:
		return internal(c)
	}
	return refuse(status, "%s", http.StatusText(status))
}

func signinMessage(c *call, status int) string {
	switch status {
	case http.StatusBadRequest:
		return "Failed to generate access token for clientID=" + clientID
	case http.StatusUnauthorized, http.StatusForbidden:
		return badClient
	case http.StatusInternalServerError:
		return "Internal Server Error: Please provide trace-id='" + c.trace + "' to support"
	}
	return http.StatusText(status)
}

func proxyPage(status int) wire {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	return wire{
		status: status,
		header: http.Header{"Content-Type": {"text/html"}},
		body:   fmt.Appendf(nil, "<html><head><title>%[1]s</title></head><body><h1>%[1]s</h1></body></html>\n", text),
	}
}
