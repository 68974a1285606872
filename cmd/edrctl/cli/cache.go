package cli

import (
	"encoding/json"
	"time"

	"edrctl/internal/config"
	"edrctl/internal/provision"
	"edrctl/internal/session"
)

// store keeps the sessions of a tenant and what was read from it: on disk, or
// nowhere with session-cache: off.
func (a *app) store(t *config.Tenant) (provision.Store, error) {
	if a.file.SessionCache == config.SessionOff {
		return provision.MemoryStore(), nil
	}
	dir, err := a.cacheDir()
	if err != nil {
		return nil, err
	}
	identity := []string{t.Vendor.Name}
	for _, s := range t.Vendor.Settings {
		if !s.Secret {
			identity = append(identity, t.Setting(s.Name))
		}
	}
	return session.Open(dir, t.Name, identity...), nil
}

// kept is a list that was read from a tenant, for as long as it is young.
type kept[T any] struct {
	store  provision.Store
	record string
	life   time.Duration
	now    func() time.Time
}

type dated[T any] struct {
	At    time.Time `json:"at"`
	Items []T       `json:"items"`
}

// keptRoles are a tenant's roles. An hour is short enough for a role that was
// made in the console to turn up, and an unknown one is looked up anew anyway.
func keptRoles(store provision.Store, now func() time.Time) *kept[provision.Role] {
	return &kept[provision.Role]{store, "roles", time.Hour, now}
}

// keptLogins are the people of a tenant, for completion only.
func keptLogins(store provision.Store, now func() time.Time) *kept[string] {
	return &kept[string]{store, "logins", 30 * 24 * time.Hour, now}
}

// Load implements plan.RoleCache.
func (k *kept[T]) Load() ([]T, bool) {
	data, err := k.store.Get(k.record)
	if err != nil || data == nil {
		return nil, false
	}
	var d dated[T]
	if json.Unmarshal(data, &d) != nil {
		return nil, false
	}
	age := k.now().Sub(d.At)
	return d.Items, age >= 0 && age < k.life
}

// Save implements plan.RoleCache. A list that cannot be kept is read again.
func (k *kept[T]) Save(items []T) {
	if data, err := json.Marshal(dated[T]{k.now(), items}); err == nil {
		_ = k.store.Put(k.record, data)
	}
}
