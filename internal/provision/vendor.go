package provision

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Vendor describes an adapter. It needs no tenant and no credentials.
type Vendor struct {
	// Name is the word users write, such as "crowdstrike".
	Name string
	// Title is the product's name, such as "CrowdStrike Falcon".
	Title string
	// About says what is special about it, for `help vendors`: a few lines of
	// at most 78 characters.
	About string
	// Settings are the keys a tenant of this vendor takes beside the common
	// ones.
	Settings []Setting
	// Options are the vendor's extras for users and role changes.
	Options []Option
	// Capabilities say what works. A name that is missing is unsupported.
	Capabilities map[CapabilityName]Capability
	// InFlight is how many requests a tenant bears at once; at least 1.
	InFlight int
	// ListsPending is false where a person who was invited is in no list
	// until the invitation is taken up, so that reading cannot prove that a
	// create did not happen.
	ListsPending bool
	// LastLogins is true where the vendor tells when somebody signed in last,
	// so that a User without LastLogin never did.
	LastLogins bool
	// AdminRoles are the roles, by id or display name, that every tenant has
	// and whose holders administer the tenant or its users. What roles of a
	// tenant's own amount to, nothing tells.
	AdminRoles []string
	// Remains, if not nil, is the access of a user beside the roles, such as
	// groups that have none at present.
	Remains func(u User) []Residual
	// ByHand says where people remove what the API cannot, such as "in the
	// console, under Users".
	ByHand string
	// ReadsBack is true where the adapter reads after each change, so that
	// for many changes one reading by the caller is cheaper; see LookLater.
	ReadsBack bool
	// PasswordRule, if the vendor wants a first password, generates and words
	// it. Nil where passwords are not wanted.
	PasswordRule *PasswordRule
	// PlanRoles is the package's PlanRoles with the vendor's own rules, such
	// as roles that exclude one another. It makes no request.
	PlanRoles func(u User, c RoleChange) (RoleDiff, error)
	// CheckSpec, if not nil, applies vendor rules to a new user without a
	// request.
	CheckSpec func(spec UserSpec) error
	// URL, if not nil, is the address of the API as the settings of a tenant
	// give it without the setting url; empty where only asking finds it out.
	URL func(setting func(name string) string) string
	// CloudHosts are the domains of the vendor's own cloud, such as
	// "crowdstrike.com". Hosts in them always have a valid certificate, so
	// that a tenant there cannot switch verification off.
	CloudHosts []string
	// New makes the adapter for one tenant. It sends nothing.
	New func(ctx context.Context, cfg Config) (Provisioner, error)
}

// Administers reports whether a role is one of AdminRoles.
func (v *Vendor) Administers(r HeldRole) bool {
	return slices.ContainsFunc(v.AdminRoles, func(a string) bool { return strings.EqualFold(a, r.ID) || strings.EqualFold(a, r.Name) })
}

// Access is what a user can get in with, each once: direct roles, the groups that
// others come from, and what Remains knows of.
func (v *Vendor) Access(u User) []Residual {
	all := []Residual{}
	add := func(r Residual) {
		if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	for _, r := range u.Roles {
		if r.Via != "" {
			add(Residual{Kind: "group", Name: r.Via})
			continue
		}
		add(Residual{Kind: "role", Name: cmp.Or(r.Name, r.ID)})
	}
	if v.Remains != nil {
		for _, r := range v.Remains(u) {
			add(r)
		}
	}
	return all
}

// Setting is a key of a tenant's configuration.
type Setting struct {
	Name string
	Help string
	// Required settings must have a value unless another one of the same
	// OneOf group has.
	Required bool
	OneOf    string
	// Secret settings are references and arrive in Config.Secrets.
	Secret  bool
	Default string
	// Values, if any, are the only ones accepted.
	Values []string
	// Address marks the setting that names the host, for error messages.
	Address bool
}

// OptionKind is the type of an option's value.
type OptionKind string

// The types of options.
const (
	KindString OptionKind = "string"
	KindBool   OptionKind = "bool"
	KindList   OptionKind = "list" // comma separated
)

// Option is a vendor extra, written --set vendor.name=value.
type Option struct {
	Name string
	Kind OptionKind
	Help string
	// Values, if any, are suggestions; others are passed on.
	Values []string
	// OnCreate, OnUpdate and OnRoles say which verbs take it.
	OnCreate, OnUpdate, OnRoles bool
}

// CheckOptions refuses unknown options, listing the known ones, and values of
// the wrong type, and brings the others into their canonical spelling: true or
// false, and lists without blanks. The verb is "create", "update" or "roles".
func (v *Vendor) CheckOptions(opts Options, verb string) error {
	for _, name := range slices.Sorted(maps.Keys(opts)) {
		value := opts[name]
		i := slices.IndexFunc(v.Options, func(o Option) bool { return o.Name == name })
		if i < 0 {
			known := "it has none"
			if len(v.Options) > 0 {
				var names []string
				for _, o := range v.Options {
					names = append(names, v.Name+"."+o.Name)
				}
				known = "known are " + strings.Join(names, ", ")
			}
			return Usagef("%s has no option %q; %s", v.Name, name, known)
		}
		o := v.Options[i]
		takes := map[string]bool{"create": o.OnCreate, "update": o.OnUpdate, "roles": o.OnRoles}
		if !takes[verb] {
			return Usagef("option %s.%s does not apply to this command", v.Name, name)
		}
		switch o.Kind {
		case KindBool:
			yes, err := strconv.ParseBool(value)
			if err != nil {
				return Usagef("option %s.%s is true or false, not %q", v.Name, name, value)
			}
			opts[name] = strconv.FormatBool(yes)
		case KindList:
			opts[name] = strings.Join(SplitList(value), ",")
		}
	}
	return nil
}

// SplitList takes the value of a KindList option apart.
func SplitList(value string) []string {
	var list []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// PasswordRule is a vendor's rule for passwords of new users.
type PasswordRule struct {
	// Help is the rule in words.
	Help string
	// Classes are the sets of characters, each of which a generated password
	// draws at least one from.
	Classes []string
	// Length is that of a generated password.
	Length int
}

// CapabilityName names something a vendor may be able to do.
type CapabilityName string

// What vendors may be able to do.
const (
	CanListUsers     CapabilityName = "list-users"
	CanCreateUser    CapabilityName = "create-user"
	CanUpdateUser    CapabilityName = "update-user"
	CanDeleteUser    CapabilityName = "delete-user"
	CanListRoles     CapabilityName = "list-roles"
	CanChangeRoles   CapabilityName = "change-roles"
	CanExpireRoles   CapabilityName = "expire-roles"
	CanResetMFA      CapabilityName = "reset-mfa"
	CanResetPassword CapabilityName = "reset-password"
	CanStoreName     CapabilityName = "store-name"
	CanStorePhone    CapabilityName = "store-phone"
	CanDryRunCreate  CapabilityName = "validate-create"
)

// CapabilityNames lists all names in the order in which they are shown.
func CapabilityNames() []CapabilityName {
	return []CapabilityName{
		CanListUsers, CanCreateUser, CanUpdateUser, CanDeleteUser, CanListRoles, CanChangeRoles, CanExpireRoles,
		CanResetMFA, CanResetPassword, CanStoreName, CanStorePhone, CanDryRunCreate,
	}
}

// Level says how well a vendor can do something.
type Level string

// The levels of a capability. Emulated means that edrctl composes it of
// something else, which Capability.Note explains.
const (
	Native      Level = "native"
	Emulated    Level = "emulated"
	Unsupported Level = "unsupported"
)

// Capability is how well a vendor can do something, and why not better.
type Capability struct {
	Level Level  `json:"level"`
	Note  string `json:"note"`
}

// Can reports whether the vendor can do it, natively or by emulation.
func (v *Vendor) Can(name CapabilityName) bool {
	c := v.Capability(name)
	return c.Level == Native || c.Level == Emulated
}

// Capability returns what is declared, Unsupported where nothing is.
func (v *Vendor) Capability(name CapabilityName) Capability {
	c, ok := v.Capabilities[name]
	if !ok {
		return Capability{Level: Unsupported, Note: "not declared"}
	}
	return c
}

// Refuse is ErrUnsupported with the declared reason.
func (v *Vendor) Refuse(name CapabilityName, op string) error {
	return &Error{Vendor: v.Name, Op: op, Kind: ErrUnsupported, Message: v.Capability(name).Note}
}

// Config is what an adapter gets for one tenant. An adapter opens no file and
// reads no environment; everything it needs is here.
type Config struct {
	// Tenant is the name the user gave the tenant.
	Tenant string
	// Settings and Secrets are the tenant's, by key, defaults filled in.
	Settings map[string]string
	Secrets  map[string]Secret
	// HTTP carries requests: certificates, proxy and connection pool are set.
	HTTP http.RoundTripper
	// Now tells the time that goes on the wire; never nil.
	Now func() time.Time
	// Log receives what is being done, in words (Info) and the redacted trace
	// of HTTP (Debug); never nil.
	Log *slog.Logger
	// Store keeps sessions between runs; never nil.
	Store Store
	// Timeout ends one attempt of one request; MaxWait is the longest one
	// request waits for a throttling vendor.
	Timeout, MaxWait time.Duration
	// RequestsPerMinute limits this tenant; 0 for the vendor's own limit.
	RequestsPerMinute int
	// OnSecret, if not nil, is told the credentials that are made of the secrets,
	// such as tokens, so that they can be kept out of all output.
	OnSecret func(Secret)
	// ReadOnly makes the transport refuse every request that may change
	// something: a dry run that is wrong fails instead of changing.
	ReadOnly bool
}

// Made tells OnSecret of a credential that was made of the secrets.
func (c Config) Made(credential string) {
	if c.OnSecret != nil && credential != "" {
		c.OnSecret(NewSecret(credential))
	}
}

// Setting returns a setting, or the empty string.
func (c Config) Setting(name string) string { return c.Settings[name] }

// Store keeps small private records of one tenant between runs: sessions, the
// last TOTP step. Records hold secrets. All methods are safe across processes.
type Store interface {
	// Get returns a record, or nil if there is none.
	Get(name string) ([]byte, error)
	// Put replaces a record; nil removes it.
	Put(name string, data []byte) error
	// Update replaces a record by what change makes of it, while no other
	// process can read or write it. An error of change leaves it as it was.
	Update(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error
}

// MemoryStore is a Store for the life of the process.
func MemoryStore() Store { return &memoryStore{records: map[string][]byte{}} }

// String is the capability in words, for tables.
func (c Capability) String() string {
	if c.Note == "" {
		return string(c.Level)
	}
	return fmt.Sprintf("%s (%s)", c.Level, c.Note)
}

// Plan is what a role change amounts to by the vendor's rules.
func (v *Vendor) Plan(u User, c RoleChange) (RoleDiff, error) {
	if v.PlanRoles != nil {
		return v.PlanRoles(u, c)
	}
	return PlanRoles(u, c)
}
