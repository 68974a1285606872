package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"edrctl/internal/audit"
	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// evidence says what somebody had before an offboarding, what was left after
// it, and which lines of the record tell of it. SHA256 is that of everything
// else in it, in this order and without white space.
type evidence struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	SHA256     string         `json:"sha256,omitempty"`
	Operator   string         `json:"operator"`
	Host       string         `json:"host"`
	Version    string         `json:"version"`
	Began      time.Time      `json:"began"`
	Ended      time.Time      `json:"ended"`
	Items      []evidenceItem `json:"items"`
	// Record are the lines of the record, with their hashes.
	Record []audit.Entry `json:"record"`
}

const kindEvidence = "OffboardEvidence"

type evidenceItem struct {
	Tenant  string            `json:"tenant"`
	Vendor  string            `json:"vendor"`
	Address string            `json:"address"`
	Login   string            `json:"login"`
	Before  *provision.User   `json:"before"`
	After   *provision.User   `json:"after"`
	Result  render.ResultItem `json:"result"`
	Request string            `json:"requestId"`
}

// evidenceFile is what --evidence names; nil for none.
type evidenceFile struct {
	f     *os.File
	began time.Time
	// lines is how long the record was before.
	lines int
}

// newEvidence makes the file before anything is changed, so that one that cannot
// be written is found out in time.
func (a *app) newEvidence(path string) (*evidenceFile, error) {
	if path == "" || a.flags.dryRun {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a file the user named
	if err != nil {
		return nil, provision.Usagef("--evidence: %v", err)
	}
	record, err := a.auditPath()
	if err != nil {
		return nil, err
	}
	e := &evidenceFile{f: f, began: a.Now().UTC()}
	if err := audit.Read(record, func(audit.Entry) error { e.lines++; return nil }); err != nil {
		return nil, damaged(record, err)
	}
	return e, nil
}

func (e *evidenceFile) write(a *app, all []*departure) error {
	if e == nil {
		return nil
	}
	stamp := a.stamp()
	report := evidence{
		APIVersion: render.APIVersion, Kind: kindEvidence, Operator: stamp.OSUser, Host: stamp.Host, Version: stamp.Version,
		Began: e.began, Ended: a.Now().UTC(), Items: []evidenceItem{}, Record: []audit.Entry{},
	}
	for _, d := range all {
		item := evidenceItem{
			Tenant: d.t.Tenant, Vendor: d.t.Vendor.Name, Login: d.login, Before: d.before, After: d.after,
			Result: resultItem(d.result), Request: d.result.RequestID,
		}
		if t, err := a.file.Tenant(d.t.Tenant); err == nil {
			item.Address = t.Address()
		}
		report.Items = append(report.Items, item)
	}
	path, err := a.auditPath()
	if err != nil {
		return err
	}
	n := 0
	err = audit.Read(path, func(entry audit.Entry) error {
		if n++; n > e.lines && concerns(all, entry) {
			report.Record = append(report.Record, entry)
		}
		return nil
	})
	if err != nil {
		return damaged(path, err)
	}
	if report.SHA256, err = report.hash(); err != nil {
		return err
	}
	enc := json.NewEncoder(e.f)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return errors.Join(enc.Encode(report), e.f.Sync(), e.f.Close())
}

// concerns keeps what another edrctl did meanwhile out of the evidence.
func concerns(all []*departure, entry audit.Entry) bool {
	for _, d := range all {
		if d.t.Tenant == entry.Tenant && provision.SameLogin(d.login, entry.Login) {
			return true
		}
	}
	return false
}

func (e evidence) hash() (string, error) {
	e.SHA256 = ""
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return "", err
	}
	sum := sha256.Sum256(bytes.TrimRight(b.Bytes(), "\n"))
	return hex.EncodeToString(sum[:]), nil
}

// maxEvidence bounds an evidence file, in bytes.
const maxEvidence = 64 << 20

// verifyEvidence checks an evidence file by itself: its hash and those of the
// lines of the record that it holds. Where the record is at hand, each line must
// stand there too.
func (a *app) verifyEvidence(path string) (n int, err error) {
	f, err := os.Open(path) //nolint:gosec // a file the user named
	if err != nil {
		return 0, provision.Usagef("--evidence: %v", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxEvidence))
	if err != nil {
		return 0, provision.Usagef("--evidence: %v", err)
	}
	var e evidence
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil || e.Kind != kindEvidence {
		return 0, provision.Usagef("%s is no evidence of an offboarding", path)
	}
	altered := func(what string) error {
		return &provision.Error{Kind: provision.ErrInternal, Message: path + ": " + what, Hint: "keep the file as it is, and ask who had it"}
	}
	hash, err := e.hash()
	if err != nil {
		return 0, err
	}
	if hash != e.SHA256 {
		return 0, altered("it was altered since it was written")
	}
	for i := range e.Record {
		if err := e.Record[i].Check(); err != nil {
			return 0, altered(fmt.Sprintf("line %d of its record: %v", i+1, err))
		}
	}
	return len(e.Record), a.recordHolds(e.Record, altered)
}

// recordHolds looks for lines in the record of this machine. A record that is
// not there, or was begun later, says nothing.
func (a *app) recordHolds(lines []audit.Entry, altered func(string) error) error {
	path, err := a.auditPath()
	if err != nil {
		return err
	}
	known := map[string]bool{}
	var first time.Time
	err = audit.Read(path, func(e audit.Entry) error {
		if first.IsZero() {
			first = e.Time
		}
		known[e.Hash] = true
		return nil
	})
	if err != nil {
		return damaged(path, err)
	}
	for _, l := range lines {
		if len(known) > 0 && !l.Time.Before(first) && !known[l.Hash] {
			return altered("the record of this machine does not have a line it tells of")
		}
	}
	return nil
}
