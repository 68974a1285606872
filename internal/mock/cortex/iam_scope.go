package cortex

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// scope is what somebody may see. It is written by name or number and read
// back with both.
type scope struct {
	Assets    scopeAssets    `json:"assets"`
	Datasets  scopeDatasets  `json:"datasets_rows"`
	Endpoints scopeEndpoints `json:"endpoints"`
	Cases     scopeTags      `json:"cases_issues"`
}

type scopeAssets struct {
	Mode   string       `json:"mode"`
	Groups []assetGroup `json:"asset_groups"`
}

type assetGroup struct {
	ID   int    `json:"asset_group_id"`
	Name string `json:"asset_group_name"`
}

type scopeDatasets struct {
	Mode    string   `json:"default_filter_mode"`
	Filters []filter `json:"filters"`
}

type filter struct {
	Dataset string `json:"dataset"`
	Filter  string `json:"filter"`
}

type scopeEndpoints struct {
	Groups scopeTags `json:"endpoint_groups"`
	Tags   scopeTags `json:"endpoint_tags"`
}

type scopeTags struct {
	Mode string `json:"mode"`
	Tags []tag  `json:"tags"`
}

type tag struct {
	ID   string `json:"tag_id"`
	Name string `json:"tag_name"`
}

// scopePatch is how a scope is written; parts not sent stay.
type scopePatch struct {
	Assets *struct {
		Mode string `json:"mode"`
		IDs  []int  `json:"asset_group_ids"`
	} `json:"assets"`
	Datasets *struct {
		Mode    string   `json:"default_filter_mode"`
		Filters []filter `json:"filters"`
	} `json:"datasets_rows"`
	Endpoints *struct {
		Groups *namesPatch `json:"endpoint_groups"`
		Tags   *namesPatch `json:"endpoint_tags"`
	} `json:"endpoints"`
	Cases *struct {
		namesPatch
		Empty bool `json:"include_cases_issues_empty_entities"`
	} `json:"cases_issues"`
}

type namesPatch struct {
	Mode  string   `json:"mode"`
	Names []string `json:"names"`
}

// scopeOf is what was written for somebody, or no restriction at all.
func (f *fake) scopeOf(kind, id string) scope {
	if s, ok := f.st.Scopes[kind+"/"+id]; ok {
		return s
	}
	none := scopeTags{Mode: "no_scope", Tags: []tag{}}
	return scope{
		Assets:    scopeAssets{Mode: none.Mode, Groups: []assetGroup{}},
		Datasets:  scopeDatasets{Mode: none.Mode, Filters: []filter{}},
		Endpoints: scopeEndpoints{Groups: none, Tags: none},
		Cases:     none,
	}
}

// scopeTarget says what is wrong with the path, or nothing, and which role the
// thing it names has.
func (f *fake) scopeTarget(kind, id string) (roleID, why string) {
	switch kind {
	case "user":
		if u := f.st.user(id); u != nil {
			return u.RoleID, ""
		}
	case "user-group":
		if g := f.st.group(id); g != nil {
			return g.RoleID, ""
		}
	case "api-key":
		i := slices.IndexFunc(f.st.Keys, func(k key) bool { return strconv.Itoa(k.ID) == id })
		if i >= 0 && len(f.st.Keys[i].Roles) > 0 {
			return f.st.Keys[i].Roles[0], ""
		}
	default:
		return "", "entity_type " + kind + " does not exist"
	}
	return "", kind + " " + id + " does not exist"
}

func (f *fake) getScope(q request) answer {
	if _, why := f.scopeTarget(q.vars[0], q.vars[1]); why != "" {
		return f.invalid(q, "%s", why)
	}
	return jsonAnswer(http.StatusOK, object{"data": f.scopeOf(q.vars[0], q.vars[1])})
}

func (f *fake) editScope(q request) answer {
	kind, id := q.vars[0], q.vars[1]
	roleID, why := f.scopeTarget(kind, id)
	if why != "" {
		return f.invalid(q, "%s", why)
	}
	var p scopePatch
	if err := q.into(&p); err != nil {
		return f.invalid(q, "%s", err)
	}
	s, ok := apply(f.scopeOf(kind, id), p)
	switch {
	case !ok:
		return f.invalid(q, "mode is not one of no_scope, see_all, scope")
	case roleID == roleInstanceAdmin && !f.isOwner(q.key):
		return f.forbidden(q, extraOwner)
	case administrative(roleID):
		return f.invalid(q, "a role defined as administrator can not be scoped")
	}
	f.st.Scopes[kind+"/"+id] = s
	return done(http.StatusOK, "scope updated successfully")
}

// apply puts a patch on a scope; not ok if a mode does not exist.
func apply(s scope, p scopePatch) (scope, bool) {
	ok := true
	mode := func(m string, more ...string) string {
		ok = ok && slices.Contains(append(more, "no_scope", "see_all", "scope"), m)
		return m
	}
	tags := func(n *namesPatch, more ...string) scopeTags {
		out := scopeTags{Mode: mode(n.Mode, more...), Tags: []tag{}}
		for i, name := range n.Names {
			out.Tags = append(out.Tags, tag{ID: strconv.Itoa(i + 1), Name: name})
		}
		return out
	}
	if p.Assets != nil {
		s.Assets = scopeAssets{Mode: mode(p.Assets.Mode), Groups: []assetGroup{}}
		for _, id := range p.Assets.IDs {
			s.Assets.Groups = append(s.Assets.Groups, assetGroup{ID: id, Name: fmt.Sprintf("Asset Group %d", id)})
		}
	}
	if p.Datasets != nil {
		s.Datasets = scopeDatasets{Mode: mode(p.Datasets.Mode), Filters: append([]filter{}, p.Datasets.Filters...)}
	}
	if p.Endpoints != nil && p.Endpoints.Groups != nil {
		s.Endpoints.Groups = tags(p.Endpoints.Groups, "any")
	}
	if p.Endpoints != nil && p.Endpoints.Tags != nil {
		s.Endpoints.Tags = tags(p.Endpoints.Tags, "any")
	}
	if p.Cases != nil {
		s.Cases = tags(&p.Cases.namesPatch)
	}
	return s, ok
}
