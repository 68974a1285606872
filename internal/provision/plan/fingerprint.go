package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"edrctl/internal/provision"
)

// fingerprint is a hash of what matters of an account; nil is nobody. What
// changes by itself, such as the last sign-in, is left out.
func fingerprint(u *provision.User) string {
	if u == nil {
		return "absent"
	}
	seen := *u
	seen.LastLogin = nil
	seen.Extra = nil
	seen.Roles = nil
	for _, r := range u.Roles {
		if r.Direct {
			r.Name, r.Via = "", ""
			seen.Roles = append(seen.Roles, r)
		}
	}
	provision.SortRoles(seen.Roles)
	data, err := json.Marshal(seen)
	if err != nil {
		panic(err) // strings and times can be written
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
