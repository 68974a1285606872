package cybereason

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
)

// route is a place under /rest, and what it wants before it is asked.
type route struct {
	role  string // the caller has to hold it, unless empty
	body  bool   // there has to be a body, in JSON
	gone  bool   // a switch took it away
	serve func(*request, user) answer
}

// rest makes the checks that all places under /rest share, in the order of
// the console: session, role, path, body.
func (f *fake) rest(r *request) answer {
	caller, ok := f.admit(r)
	at, known := f.find(r)
	if !ok {
		a := f.sessionGone()
		if !known {
			a.header.Set(unknownHeader, "1") // for the log; a stranger learns nothing of it
		}
		return a
	}
	if known && at.role != "" && !slices.Contains(caller.Roles, at.role) {
		return f.failure(r.Request, http.StatusForbidden, 0)
	}
	if !known || at.gone {
		a := f.failure(r.Request, http.StatusNotFound, 0)
		if !known {
			f.st.Counters.UnknownRoutes++
			a.header.Set(unknownHeader, "1")
		}
		return a
	}
	if at.body {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" {
			return complaint(http.StatusBadRequest, "Content-Type has to be application/json", "Content-Type")
		}
	}
	return at.serve(r, caller)
}

// find looks up a place. What follows users/ is a login unless the method
// gives the word another meaning.
func (f *fake) find(r *request) (route, bool) {
	method, path := r.Method, r.path[1:]
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if len(path) == 2 && path[0] == "users" && path[1] != "" {
		switch {
		case method == http.MethodGet && path[1] == "current":
			return route{serve: f.getCurrent, gone: f.is("current", "missing")}, true
		case method == http.MethodPut && path[1] == "reset":
			return route{serve: f.changeOwnPassword, body: true}, true
		case method == http.MethodGet:
			return route{serve: f.getUser, role: userAdmin, gone: f.is("single-get", "missing")}, true
		case method == http.MethodPost:
			return route{serve: f.createUser, role: userAdmin, body: true}, true
		case method == http.MethodPut:
			return route{serve: f.updateUser, role: userAdmin, body: true}, true
		case method == http.MethodDelete:
			return route{serve: f.deleteUser, role: userAdmin}, true
		}
		return route{}, false
	}
	switch method + " " + r.URL.Path {
	case "GET /rest/users":
		return route{serve: f.listUsers, role: userAdmin}, true
	case "GET /rest/groups":
		return route{serve: f.listGroups, role: systemAdmin}, true
	case "GET /rest/monitor/global/server/version/all":
		return route{serve: f.version, gone: f.is("server-version", "missing")}, true
	case "GET /rest/ping":
		return route{serve: f.ping}, true
	}
	return route{}, false
}

func (f *fake) listGroups(*request, user) answer { return asJSON(emptyNotNil(f.st.Groups)) }

func (f *fake) version(*request, user) answer {
	type data struct {
		Version string `json:"version"`
	}
	return asJSON(map[string]data{"data": {f.value("server-version")}})
}

func (f *fake) ping(*request, user) answer {
	text := fmt.Sprintf("application.version=%s\nuptime=%d\n", f.value("server-version"), 86400)
	return newAnswer(http.StatusOK, textType, []byte(text))
}

// result answers a write with a result code, in the form a switch asks for.
func (f *fake) result(r *request, code string) answer {
	done := code == success
	a := asJSON(code)
	switch form := f.value("write-reply"); {
	case form == "bare":
		a = newAnswer(http.StatusOK, textType, []byte(code))
	case form == "empty":
		a = newAnswer(http.StatusOK, "", nil)
	case form == "204" && done:
		a = newAnswer(http.StatusNoContent, "", nil)
	case form == "400" && !done:
		a.status = http.StatusBadRequest
	case form == "500" && done:
		a = f.failure(r.Request, http.StatusInternalServerError, 0)
	}
	return a
}
