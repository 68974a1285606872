package crowdstrike

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const maxIDs = 5000

// fields is the JSON object a request carries. A null is as good as absent.
type fields map[string]json.RawMessage

// fields reads the body, whose keys count in exactly this spelling. Others are
// ignored, but noted.
func (c *call) fields(known ...string) (fields, error) {
	return object(c, c.body, known...)
}

func object(c *call, data []byte, known ...string) (fields, error) {
	var in fields
	if err := json.Unmarshal(data, &in); err != nil || in == nil {
		return nil, refuse(http.StatusBadRequest, "the body is not a JSON object")
	}
	var unknown []string
	for key, value := range in {
		if !slices.Contains(known, key) {
			unknown = append(unknown, key)
		}
		if string(value) == "null" {
			delete(in, key)
		}
	}
	slices.Sort(unknown)
	for _, key := range unknown {
		c.note("field " + key + " is ignored")
	}
	return in, nil
}

func (in fields) has(key string) bool { return in[key] != nil }

// text is a string field; empty when absent.
func (in fields) text(key string) (string, error) {
	var s string
	if raw, ok := in[key]; ok && json.Unmarshal(raw, &s) != nil {
		return "", refuse(http.StatusBadRequest, "%s must be a string", key)
	}
	return s, nil
}

// list is a field that is an array of strings; it must not be empty.
func (in fields) list(key string) ([]string, error) {
	var list []string
	if raw, ok := in[key]; ok && json.Unmarshal(raw, &list) != nil {
		return nil, refuse(http.StatusBadRequest, "%s must be an array of strings", key)
	}
	return list, checkIDs(key, list)
}

func checkIDs(key string, ids []string) error {
	switch {
	case len(ids) == 0:
		return refuse(http.StatusBadRequest, "%s is required", key)
	case len(ids) > maxIDs:
		return refuse(http.StatusBadRequest, "%s has more than %d entries", key, maxIDs)
	}
	return nil
}

// ids is a query parameter that may be repeated, and must be there.
func (c *call) ids(key string) ([]string, error) {
	ids := c.query[key]
	return ids, checkIDs(key, ids)
}

func (c *call) flag(key string) (bool, error) {
	value := c.query.Get(key)
	if value == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(value)
	if err != nil || value != "true" && value != "false" {
		return false, refuse(http.StatusBadRequest, "%s must be true or false", key)
	}
	return b, nil
}

func (c *call) number(key string, initial, least, most int) (int, error) {
	value := c.query.Get(key)
	if value == "" {
		return initial, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return 0, refuse(http.StatusBadRequest, "%s='%s' is out of range", key, value)
	}
	return n, nil
}

// customer checks a CID that the token must reach; empty stands for the
// token's own.
func (c *call) customer(cid string) (string, error) {
	switch {
	case cid == "":
		return c.cid, nil
	case !isCID(cid):
		return "", refuse(http.StatusBadRequest, "invalid cid='%s' specified", cid)
	case !slices.Contains(c.reach, cid):
		return "", refuse(http.StatusForbidden, "access denied, authorization failed")
	}
	return cid, nil
}

// sorting is the parameter sort: a property, or property|asc, property|desc.
func (c *call) sorting(properties ...string) (property string, desc bool, err error) {
	value := c.query.Get("sort")
	property, way, _ := strings.Cut(value, "|")
	if value != "" && (!slices.Contains(properties, property) || way != "" && way != "asc" && way != "desc") {
		return "", false, refuse(http.StatusBadRequest, "invalid sort='%s' specified", value)
	}
	return property, way == "desc", nil
}
