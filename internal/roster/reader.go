package roster

import (
	"fmt"
	"strings"

	"edrctl/internal/provision"
)

// reader collects the users and the faults of one file.
type reader struct {
	name string
	// tree is the size up to which YAML is parsed in one piece, and piece that
	// of the pieces otherwise.
	tree, piece int
	// tenants, if not nil, are those there are.
	tenants []string

	faults Faults
	roster Roster
	// rows is true where a login may stand several times.
	rows bool
	// named are the tenants that users give roles of their own.
	named []namedTenant
	// words are texts that users share.
	words map[string]string
	// ended is true when reading stops: what follows cannot be told apart, or
	// there is too much of it.
	ended bool
}

// namedTenant is a tenant in the tenant-roles of a user.
type namedTenant struct {
	user   int
	tenant string
	pos    pos
}

// value is a value of the file and where it stands.
type value struct {
	text string
	pos  pos
}

func (r *reader) fault(p pos, format string, args ...any) {
	if r.faults.full() {
		return
	}
	r.faults = append(r.faults, Fault{Name: r.name, Line: p.line, Column: p.column, Message: fmt.Sprintf(format, args...)})
	if r.faults.full() {
		r.faults[maxFaults-1] = Fault{
			Name: r.name, Line: p.line, Column: p.column, Message: "too many faults; the rest of the file was not read",
		}
		r.ended = true
	}
}

// end stops the reading with a fault.
func (r *reader) end(p pos, format string, args ...any) {
	r.fault(p, format, args...)
	r.ended = true
}

// add takes a user into the roster.
func (r *reader) add(u User) {
	if len(r.roster.Users) == maxUsers {
		r.end(pos{u.Line, u.Column}, "a roster has at most %d users", maxUsers)
		return
	}
	r.roster.Users = append(r.roster.Users, u)
}

// finish checks what can only be seen from the whole file.
func (r *reader) finish() {
	for _, n := range r.named {
		u := &r.roster.Users[n.user]
		if tenants := r.roster.TenantsOf(u); !contains(tenants, n.tenant) {
			r.fault(n.pos, "%s gives roles in tenant %s, but is not in it; its tenants are %s",
				keyTenantRoles, quote(n.tenant), listed(tenants))
		}
	}
	r.duplicates()
}

// duplicates refuses logins that stand several times. Rows of one login are
// told apart by their tenants, so that no two may share one.
func (r *reader) duplicates() {
	users := r.roster.Users
	first := make(map[string]int, len(users))
	claims := map[string]map[string]int{}
	for i := range users {
		u := &users[i]
		if u.Login == "" {
			continue
		}
		key := provision.FoldLogin(u.Login)
		j, again := first[key]
		switch {
		case !again:
			first[key] = i
			continue
		case !r.rows:
			r.fault(pos{u.Line, u.Column}, "login %s stands here again, after %s", quote(u.Login), place(&users[j], u))
			continue
		}
		claimed := claims[key]
		if claimed == nil {
			claimed = map[string]int{}
			claim(claimed, &users[j], j)
			claims[key] = claimed
		}
		if other, clash := claim(claimed, u, i); clash {
			r.fault(pos{u.Line, u.Column}, "login %s stands here again for the same tenant, after %s; rows of one login name different tenants",
				quote(u.Login), place(&users[other], u))
		}
	}
}

// claim notes the tenants of a row, and reports an earlier row that has one of
// them. A row without tenants clashes with every other.
func claim(claimed map[string]int, u *User, i int) (other int, clash bool) {
	other, clash = claimed[""]
	if len(u.Tenants) == 0 {
		for _, j := range claimed {
			if !clash || j < other {
				other, clash = j, true
			}
		}
		if !clash {
			claimed[""] = i
		}
	}
	for _, tenant := range u.Tenants {
		j, taken := claimed[tenant]
		switch {
		case !taken:
			claimed[tenant] = i
		case !clash || j < other:
			other, clash = j, true
		}
	}
	return other, clash
}

// place says where an earlier user stands, as seen from a later one.
func place(earlier, later *User) string {
	if earlier.Line == later.Line {
		return fmt.Sprintf("column %d of this line", earlier.Column)
	}
	return fmt.Sprintf("line %d", earlier.Line)
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

// listed is a list in words.
func listed(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
