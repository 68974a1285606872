package carbonblack

import (
	"net/http"
	"strings"

	"edrctl/internal/provision"
)

// key is the API key of an organisation and the names of things in it.
type key struct {
	org, id string
	secret  provision.Secret
}

func newKey(cfg provision.Config) (key, error) {
	k := key{org: cfg.Setting("org-key"), id: cfg.Setting("api-id"), secret: cfg.Secrets["api-secret"]}
	for setting, value := range map[string]string{"org-key": k.org, "api-id": k.id} {
		if !isWord(value) {
			return key{}, provision.Usagef("%s has letters and digits only, such as 7KQ2M9XD", setting)
		}
	}
	if strings.Contains(k.secret.Reveal(), "/") {
		return key{}, provision.Usagef("api-secret is the part before the slash alone; the part after it is api-id")
	}
	return k, nil
}

// isWord reports whether a value can stand in a path and a URN as it is.
func isWord(value string) bool {
	return value != "" && strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// sign puts the key on one attempt: the secret first, then the id. (Carbon
// Black Cloud API Access.)
func (k key) sign(r *http.Request) error {
	r.Header.Set("X-Auth-Token", k.secret.Reveal()+"/"+k.id)
	return nil
}

// orgURN names the organisation.
func (k key) orgURN() string { return "psc:org:" + k.org }

// userURN names a user, as the principal of a grant.
func (k key) userURN(id string) string { return "psc:user:" + k.org + ":" + id }

// Paths of the API. The versions differ: users are v6, grants v2 and permitted
// roles v3.
func (k key) usersPath() string          { return "/appservices/v6/orgs/" + k.org + "/users" }
func (k key) userPath(id string) string  { return k.usersPath() + "/" + id }
func (k key) grantsPath() string         { return "/access/v2/orgs/" + k.org + "/grants" }
func (k key) grantPath(id string) string { return k.grantsPath() + "/" + k.userURN(id) }
func (k key) rolesPath() string {
	return "/access/v3/orgs/" + k.org + "/principals/" + k.id + "/roles/permitted"
}

// fetchPath reads the grants of many. It has no organisation in it.
const fetchPath = "/access/v2/grants/_fetch"
