package cortex

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// need is what a key must have for a route.
type need int

const (
	needKey   need = iota // a valid key and nothing else
	needRead              // a licence, and permission to look
	needWrite             // a licence, and permission to change
	needOwner             // a licence, and the role Instance Administrator
)

// slash says whether a path may end in one.
type slash int

const (
	slashNever slash = iota
	slashEither
	slashSwitch // as the switch says
)

type route struct {
	method string
	path   string // {} stands for one segment
	slash  slash
	need   need
	body   bool // takes JSON
	handle func(*fake, request) answer
}

// request is one that has passed every check but those of its values.
type request struct {
	*http.Request
	vars   []string // the segments {} stood for
	key    key
	fields map[string]json.RawMessage // the top level of the body
}

func routes() []route {
	const v1, iam = "/public_api/v1", "/platform/iam/v1"
	return []route{
		{"POST", v1 + "/rbac/get_users", slashSwitch, needRead, true, (*fake).getUsers},
		{"POST", v1 + "/rbac/set_user_role", slashSwitch, needWrite, true, (*fake).setUserRole},
		{"POST", v1 + "/rbac/get_roles", slashSwitch, needRead, true, (*fake).getRoles},
		{"POST", v1 + "/rbac/get_user_group", slashSwitch, needRead, true, (*fake).getUserGroup},
		{"POST", v1 + "/authentication-settings/get/settings", slashSwitch, needOwner, true, (*fake).getSettings},
		{"GET", v1 + "/healthcheck", slashEither, needKey, false, (*fake).healthcheck},
		{"GET", v1 + "/health_check", slashEither, needKey, false, (*fake).healthCheck},
		{"GET", "/api_keys/validate", slashEither, needKey, false, (*fake).validate},
		{"POST", "/api_keys/validate", slashEither, needKey, false, (*fake).validate},
		{"GET", iam + "/user", slashNever, needRead, false, (*fake).listUsers},
		{"GET", iam + "/user/{}", slashNever, needRead, false, (*fake).getUser},
		{"PATCH", iam + "/user/{}", slashNever, needWrite, true, (*fake).editUser},
		{"GET", iam + "/role", slashNever, needRead, false, (*fake).listRoles},
		{"POST", iam + "/role", slashNever, needWrite, true, (*fake).createRole},
		{"DELETE", iam + "/role/{}", slashNever, needWrite, false, (*fake).deleteRole},
		{"GET", iam + "/user-group", slashNever, needRead, false, (*fake).listGroups},
		{"POST", iam + "/user-group", slashNever, needWrite, true, (*fake).createGroup},
		{"PATCH", iam + "/user-group/{}", slashNever, needWrite, true, (*fake).editGroup},
		{"DELETE", iam + "/user-group/{}", slashNever, needWrite, false, (*fake).deleteGroup},
		{"GET", iam + "/scope/{}/{}", slashNever, needRead, false, (*fake).getScope},
		{"PUT", iam + "/scope/{}/{}", slashNever, needWrite, true, (*fake).editScope},
	}
}

// find looks a request up. It compares escaped segments, so that %2F within
// one stays there. With strict, slashes at the end follow the switch.
func (f *fake) find(r *http.Request, strict bool) (route, []string, bool) {
	path := r.URL.EscapedPath()
	bare, slashed := strings.CutSuffix(path, "/")
	got := strings.Split(bare, "/")
	for _, rt := range f.routes {
		if rt.method != r.Method {
			continue
		}
		vars, ok := match(strings.Split(rt.path, "/"), got)
		if !ok {
			continue
		}
		return rt, vars, !strict && (rt.slash != slashNever || !slashed) || strict && f.slashFits(rt.slash, slashed)
	}
	return route{}, nil, false
}

func match(pattern, got []string) (vars []string, ok bool) {
	if len(pattern) != len(got) {
		return nil, false
	}
	for i, want := range pattern {
		if want != "{}" {
			if want != got[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(got[i])
		if err != nil || value == "" {
			return nil, false
		}
		vars = append(vars, value)
	}
	return vars, true
}

func (f *fake) slashFits(rule slash, slashed bool) bool {
	switch rule {
	case slashNever:
		return !slashed
	case slashSwitch:
		return f.is(swSlash, "both") || f.is(swSlash, "with") == slashed
	default:
		return true
	}
}

// Change reports whether a request may change something. A route the fake does
// not know is taken for a change unless its method says otherwise.
func (f *fake) Change(r *http.Request) bool {
	rt, _, ok := f.find(r, false)
	if !ok {
		return !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method)
	}
	return rt.need == needWrite
}
