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
// else in it, in this order and without white space; the record has it too, so
// that whoever alters the file has to alter the record as well.
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

// evidenceItem is one person in one tenant. Before and After are null for
// somebody who was not listed; whether it could be read at all, the times say.
type evidenceItem struct {
	Tenant   string            `json:"tenant"`
	Vendor   string            `json:"vendor"`
	Address  string            `json:"address"`
	Login    string            `json:"login"`
	BeforeAt *time.Time        `json:"beforeAt"`
	Before   *provision.User   `json:"before"`
	AfterAt  *time.Time        `json:"afterAt"`
	After    *provision.User   `json:"after"`
	Result   render.ResultItem `json:"result"`
	Request  string            `json:"requestId"`
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
	record, err := a.auditPath()
	if err != nil {
		return nil, err
	}
	e := &evidenceFile{began: a.Now().UTC()}
	if err := audit.Read(record, func(audit.Entry) error { e.lines++; return nil }); err != nil {
		return nil, damaged(record, err)
	}
	e.f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a file the user named
	if err != nil {
		return nil, provision.Usagef("--evidence: %v", err)
	}
	return e, nil
}

// discard takes the file away again, of a command that has changed nothing.
func (e *evidenceFile) discard() error {
	if e == nil {
		return nil
	}
	return errors.Join(e.f.Close(), os.Remove(e.f.Name()))
}

func (e *evidenceFile) write(a *app, all []*departure) error {
	if e == nil {
		return nil
	}
	report, err := e.report(a, all)
	if err != nil {
		return errors.Join(err, e.f.Close())
	}
	path, err := a.auditPath()
	if err == nil {
		err = audit.New(path, a.stamp(), a.Now).Append(audit.Entry{Action: "offboard", Outcome: "evidence", Evidence: report.SHA256})
	}
	text, encoding := report.text("  ")
	_, writing := e.f.Write(text)
	return errors.Join(err, encoding, writing, e.f.Sync(), e.f.Close())
}

func (e *evidenceFile) report(a *app, all []*departure) (evidence, error) {
	stamp := a.stamp()
	report := evidence{
		APIVersion: render.APIVersion, Kind: kindEvidence, Operator: stamp.OSUser, Host: stamp.Host, Version: stamp.Version,
		Began: e.began, Ended: a.Now().UTC(), Items: []evidenceItem{}, Record: []audit.Entry{},
	}
	for _, d := range all {
		item, err := a.evidenceOf(d)
		if err != nil {
			return report, err
		}
		report.Items = append(report.Items, item)
	}
	path, err := a.auditPath()
	if err != nil {
		return report, err
	}
	n := 0
	err = audit.Read(path, func(entry audit.Entry) error {
		if n++; n > e.lines && concerns(all, entry) {
			report.Record = append(report.Record, entry)
		}
		return nil
	})
	if err != nil {
		return report, damaged(path, err)
	}
	report.SHA256, err = report.hash()
	return report, err
}

// evidenceOf tells of one departure. What vendors say may repeat a secret, which
// is taken out as it is of all output.
func (a *app) evidenceOf(d *departure) (evidenceItem, error) {
	moment := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	item := evidenceItem{
		Tenant: d.t.Tenant, Vendor: d.t.Vendor.Name, Login: d.login, Before: d.before, After: d.after,
		BeforeAt: moment(d.beforeAt), AfterAt: moment(d.afterAt), Result: resultItem(d.result), Request: d.result.RequestID,
	}
	if t, err := a.file.Tenant(d.t.Tenant); err == nil {
		item.Address = t.Address()
	}
	item.Result.RolesAdded = append([]string{}, item.Result.RolesAdded...)
	item.Result.RolesRemoved = append([]string{}, item.Result.RolesRemoved...)
	item.Result.ResidualAccess = append([]provision.Residual{}, item.Result.ResidualAccess...)
	data, err := json.Marshal(item)
	if err != nil {
		return item, err
	}
	var clean evidenceItem
	err = json.Unmarshal([]byte(a.redactor.String(string(data))), &clean)
	return clean, err
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

// text is the evidence as it is written: fields in the order of the struct.
func (e evidence) text(indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", indent)
	enc.SetEscapeHTML(false)
	err := enc.Encode(e)
	return render.EscapeJSON(b.Bytes()), err
}

func (e evidence) hash() (string, error) {
	e.SHA256 = ""
	text, err := e.text("")
	sum := sha256.Sum256(bytes.TrimRight(text, "\n"))
	return hex.EncodeToString(sum[:]), err
}

// maxEvidence bounds an evidence file, in bytes.
const maxEvidence = 64 << 20

// verifyEvidence checks an evidence file by itself: its hash and those of the
// lines of the record that it holds. Where the record it was made with is at
// hand, that must know of it and have each line.
func (a *app) verifyEvidence(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // a file the user named
	if err != nil {
		return "", provision.Usagef("--evidence: %v", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxEvidence))
	if err != nil {
		return "", provision.Usagef("--evidence: %v", err)
	}
	var e evidence
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&e); err != nil || e.Kind != kindEvidence {
		return "", provision.Usagef("%s is no evidence of an offboarding", path)
	}
	altered := func(what string) error {
		return &provision.Error{Kind: provision.ErrInternal, Message: path + ": " + what, Hint: "keep the file as it is, and ask who had it"}
	}
	if whole, err := e.whole(data); err != nil || !whole {
		return "", errors.Join(altered("it was altered since it was written"), err)
	}
	for i := range e.Record {
		if err := e.Record[i].Check(); err != nil {
			return "", altered(fmt.Sprintf("line %d of its record: %v", i+1, err))
		}
	}
	known, err := a.recordHolds(e, altered)
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("%s: as it was written, with %d lines of the record", path, len(e.Record))
	if known {
		return said + ", which knows of it", nil
	}
	return said + fmt.Sprintf(". The record of %s on %s is not here, and was not asked", e.Operator, e.Host), nil
}

// whole reports whether data, but for white space, is what was written: a field
// that is there twice, spelled otherwise or unknown would pass a hash of what was
// read.
func (e evidence) whole(data []byte) (bool, error) {
	hash, err := e.hash()
	if err != nil {
		return false, err
	}
	want, err := e.text("")
	if err != nil {
		return false, err
	}
	var is bytes.Buffer
	if json.Compact(&is, data) != nil {
		return false, nil //nolint:nilerr // something follows it
	}
	return hash == e.SHA256 && bytes.Equal(is.Bytes(), bytes.TrimRight(want, "\n")), nil
}

// recordHolds looks for evidence in the record of this machine. A record of other
// people, one that is not there, and one that was begun later know nothing of it.
func (a *app) recordHolds(e evidence, altered func(string) error) (known bool, err error) {
	path, err := a.auditPath()
	if err != nil {
		return false, nil //nolint:nilerr // no place for a record, so there is none
	}
	lines, seals := map[string]bool{}, map[string]bool{}
	own := false
	err = audit.Read(path, func(l audit.Entry) error {
		lines[l.Hash], seals[l.Evidence] = true, true
		own = own || l.OSUser == e.Operator && l.Host == e.Host && !l.Time.After(e.Ended)
		return nil
	})
	if err != nil {
		return false, damaged(path, err)
	}
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		return false, altered("the record of this machine is empty")
	}
	for _, l := range e.Record {
		own = own || lines[l.Hash]
	}
	if !own {
		return false, nil
	}
	for _, l := range e.Record {
		if !lines[l.Hash] {
			return false, altered("the record of this machine does not have a line it tells of")
		}
	}
	if !seals[e.SHA256] {
		return false, altered("the record of this machine does not know of it")
	}
	return true, nil
}
