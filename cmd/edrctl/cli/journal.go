package cli

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"os/user"
	"path/filepath"
	"runtime"

	"edrctl/internal/audit"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// auditPath is where the record of changes is kept: under the folder for state,
// which outlives caches.
func (e Env) auditPath() (string, error) {
	dir := e.Getenv("XDG_STATE_HOME")
	switch {
	case filepath.IsAbs(dir):
	case runtime.GOOS == "windows" || runtime.GOOS == "darwin":
		dir = e.ConfigDir
	case e.HomeDir != "":
		dir = filepath.Join(e.HomeDir, ".local", "state")
	default:
		dir = ""
	}
	if dir == "" {
		return "", &provision.Error{
			Kind: provision.ErrUsage, Message: "there is no place for the record of changes",
			Hint: "set HOME or XDG_STATE_HOME to a folder of yours",
		}
	}
	return filepath.Join(dir, "edrctl", "audit.jsonl"), nil
}

// journal records the changes of a command.
type journal struct {
	log       *audit.Log
	addresses map[string]string // by tenant
	vendors   map[string]string
}

func (a *app) newJournal(targets []plan.Target) (*journal, error) {
	path, err := a.auditPath()
	if err != nil {
		return nil, err
	}
	j := &journal{log: audit.New(path, a.stamp(), a.Now), addresses: map[string]string{}, vendors: map[string]string{}}
	for _, t := range targets {
		tenant, err := a.file.Tenant(t.Tenant)
		if err != nil {
			return nil, err
		}
		j.addresses[t.Tenant], j.vendors[t.Tenant] = tenant.Address(), t.Vendor.Name
	}
	return j, nil
}

// stamp says who runs edrctl, and where.
func (a *app) stamp() audit.Entry {
	e := audit.Entry{Version: version()}
	if u, err := user.Current(); err == nil {
		e.OSUser = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		e.Host = host
	}
	return e
}

// Begin implements plan.Journal.
func (j *journal) Begin(c plan.Change, grant, revoke []string) (func(plan.Result) func() error, error) {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails
	e := audit.Entry{
		Change: hex.EncodeToString(id), Tenant: c.Tenant, Vendor: j.vendors[c.Tenant], Address: j.addresses[c.Tenant],
		Login: c.Login, Action: string(c.Action), Outcome: audit.Intent, RolesAdded: grant, RolesRemoved: revoke,
	}
	if err := j.log.Append(e); err != nil {
		return nil, err
	}
	return func(r plan.Result) func() error {
		e.Outcome, e.RequestID = string(r.Outcome), r.RequestID
		e.RolesAdded, e.RolesRemoved = r.RolesAdded, r.RolesRemoved
		if r.Err != nil {
			e.Error = string(provision.KindOf(r.Err))
		}
		return j.log.Queue(e)
	}, nil
}
