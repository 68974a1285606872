package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

// maxPlan bounds a plan file, in bytes.
const maxPlan = 256 << 20

// planFile is a plan as it is written. Its hash is that of everything else in
// it, in this order and without white space, as the help on rosters says.
type planFile struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	SHA256     string            `json:"sha256,omitempty"`
	Items      []render.PlanItem `json:"items"`
	// Errors are the targets that could not be planned.
	Errors  []render.ItemError `json:"errors,omitempty"`
	Summary map[string]int     `json:"summary"`
}

func newPlanFile(diffs []plan.Difference) (planFile, error) {
	p := planFile{APIVersion: render.APIVersion, Kind: render.KindPlan, Items: []render.PlanItem{}, Summary: map[string]int{}}
	for _, d := range diffs {
		if d.Outcome == plan.Failed {
			p.Errors = append(p.Errors, render.ItemError{
				Tenant: d.Tenant, Vendor: d.Vendor, Login: d.Login, Error: render.ErrorOf(d.Err),
			})
			continue
		}
		p.Items = append(p.Items, planItem(d))
		p.Summary[string(d.Outcome)]++
	}
	var err error
	p.SHA256, err = p.hash()
	return p, err
}

func (p planFile) hash() (string, error) {
	p.SHA256 = ""
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return "", err
	}
	sum := sha256.Sum256(bytes.TrimRight(b.Bytes(), "\n"))
	return hex.EncodeToString(sum[:]), nil
}

func (p planFile) document() render.Document {
	var rows []render.PlanItem
	for _, item := range p.Items {
		if item.Action != plan.DiffNone || item.Outcome != string(plan.Unchanged) {
			rows = append(rows, item)
		}
	}
	return render.Document{
		Kind: render.KindPlan, SHA256: p.SHA256, Items: p.Items, Errors: p.Errors, Summary: p.Summary, Rows: rows,
	}
}

func planItem(d plan.Difference) render.PlanItem {
	list := func(s []string) []string { return append([]string{}, s...) }
	message := d.Message
	if d.Err != nil && message == "" {
		message = d.Err.Error()
	}
	return render.PlanItem{
		Tenant: d.Tenant, Vendor: d.Vendor, Login: d.Login, Action: d.Action,
		RolesAdded: list(d.RolesAdded), RolesRemoved: list(d.RolesRemoved), Details: d.Details,
		Seen: d.Seen, Outcome: string(d.Outcome), Message: message,
	}
}

// readPlan reads a plan file and checks its hash.
func readPlan(path string) (planFile, error) {
	var p planFile
	f, err := os.Open(path) //nolint:gosec // a file the user named
	if err != nil {
		return p, provision.Usagef("plan: %v", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxPlan+1))
	switch {
	case err != nil:
		return p, provision.Usagef("plan: %v", err)
	case len(data) > maxPlan:
		return p, provision.Usagef("%s is larger than %d MiB", path, maxPlan>>20)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return p, provision.Usagef("%s is no plan: %v", path, err)
	}
	if p.APIVersion != render.APIVersion || p.Kind != render.KindPlan {
		return p, provision.Usagef("%s is no plan of %s", path, render.APIVersion)
	}
	hash, err := p.hash()
	if err != nil {
		return p, err
	}
	if hash != p.SHA256 {
		return p, &provision.Error{
			Kind: provision.ErrUsage, Message: path + " was altered since it was written", Hint: "plan again",
		}
	}
	return p, nil
}

// differences are the items of a plan as they are carried out, and what could
// not be planned, as failures.
func (p planFile) differences() ([]plan.Difference, error) {
	var diffs []plan.Difference
	for i, item := range p.Items {
		if err := provision.CheckLogin(item.Login); err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		d := plan.Difference{
			Tenant: item.Tenant, Vendor: item.Vendor, Login: item.Login, Action: item.Action,
			RolesAdded: item.RolesAdded, RolesRemoved: item.RolesRemoved, Details: item.Details,
			Seen: item.Seen, Outcome: plan.Outcome(item.Outcome), Message: item.Message,
		}
		if d.Outcome == plan.Unsupported {
			d.Err = &provision.Error{Vendor: d.Vendor, Op: d.Action, Kind: provision.ErrUnsupported, Message: d.Message}
		}
		diffs = append(diffs, d)
	}
	for i, e := range p.Errors {
		if e.Error == nil {
			return nil, fmt.Errorf("error %d says nothing", i+1)
		}
		diffs = append(diffs, plan.Difference{
			Tenant: e.Tenant, Vendor: e.Vendor, Login: e.Login, Action: plan.DiffNone, Outcome: plan.Failed,
			Err: &provision.Error{Op: "plan", Kind: e.Error.Code, Message: e.Error.Message, Hint: e.Error.Hint},
		})
	}
	return diffs, nil
}
