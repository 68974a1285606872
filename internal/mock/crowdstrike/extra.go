package crowdstrike

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// queryChildren is operation queryChildren of Flight Control: the CIDs below
// the token's own.
func (f *fake) queryChildren(c *call) (reply, error) {
	var children []string
	for _, cid := range c.reach {
		if cid != c.cid {
			children = append(children, cid)
		}
	}
	children, p, err := paged(f, c, children)
	if err != nil {
		return reply{}, err
	}
	return page(append([]string{}, children...), p), nil
}

// ownCID is operation GetSensorInstallersCCIDByQuery: the token's CID as
// sensors want it, in upper case and with a checksum, which is always the same.
func (f *fake) ownCID(c *call) (reply, error) {
	return records([]string{strings.ToUpper(c.cid) + "-0F"}), nil
}

type bucket struct {
	Label string `json:"label"`
	Count int    `json:"count"`
}

type aggregate struct {
	Name    string   `json:"name"`
	Buckets []bucket `json:"buckets"`
}

// aggregateUsers is operation aggregateUsersV1, for terms only.
func (f *fake) aggregateUsers(c *call) (reply, error) {
	var specs []json.RawMessage
	if json.Unmarshal(c.body, &specs) != nil || len(specs) == 0 {
		return reply{}, refuse(http.StatusBadRequest, "the body is not an array of aggregates")
	}
	out := make([]aggregate, 0, len(specs))
	for _, raw := range specs {
		in, err := object(c, raw, "field", "name", "type", "filter", "size")
		if err != nil {
			return reply{}, err
		}
		one, err := f.terms(c, in)
		if err != nil {
			return reply{}, err
		}
		out = append(out, one)
	}
	return records(out), nil
}

func (f *fake) terms(c *call, in fields) (aggregate, error) {
	var a aggregate
	field, errField := in.text("field")
	name, errName := in.text("name")
	kind, errKind := in.text("type")
	if errField != nil || errName != nil || errKind != nil || kind != "terms" ||
		!slices.Contains([]string{"cid", "status", "factors", "assigned_cids"}, field) {
		return a, refuse(http.StatusBadRequest, "invalid aggregate specified")
	}
	a.Name, a.Buckets = name, []bucket{}
	for _, u := range f.st.Users {
		if !f.sees(c, u) {
			continue
		}
		for _, value := range f.properties(u)(field) {
			i := slices.IndexFunc(a.Buckets, func(b bucket) bool { return b.Label == value })
			if i < 0 {
				i = len(a.Buckets)
				a.Buckets = append(a.Buckets, bucket{Label: value})
			}
			a.Buckets[i].Count++
		}
	}
	return a, nil
}
