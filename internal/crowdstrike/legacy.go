package crowdstrike

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"time"

	"edrctl/internal/provision"
)

// Paths of the twelve operations before the present ones, all deprecated.
// (FalconPy wiki, User Management.) Three of them serve several methods.
const (
	pathLegacyUsers      = "/users/entities/users/v1"
	pathLegacyEmails     = "/users/queries/emails-by-cid/v1"
	pathLegacyUserIDs    = "/users/queries/user-uuids-by-cid/v1"
	pathLegacyUserID     = "/users/queries/user-uuids-by-email/v1"
	pathLegacyUserRoles  = "/user-roles/entities/user-roles/v1"
	pathLegacyRoleIDs    = "/user-roles/queries/user-role-ids-by-cid/v1"
	pathLegacyUserRoleID = "/user-roles/queries/user-role-ids-by-user-uuid/v1"
)

// legacyBulk is how many ids stand in one address, so that it does not grow too
// long.
const legacyBulk = 100

// legacy is the family of operations that take names in camel case, work in the
// CID of the token only, have no pages, and know neither temporary roles nor
// resets.
type legacy struct {
	api *api
	op  string
}

func (l legacy) doing() string { return l.op }

func (l legacy) get(path string, query url.Values) call {
	return call{op: l.op, method: http.MethodGet, path: path, query: query, list: true}
}

// probe reads the list of addresses, the one read of users that needs no id.
func (l legacy) probe(ctx context.Context) error {
	_, err := l.api.do(ctx, l.get(pathLegacyEmails, nil))
	return err
}

func (l legacy) pages(ctx context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		ids, _, err := fetch[string](ctx, l.api, l.get(pathLegacyUserIDs, nil))
		if err != nil {
			yield(nil, err)
			return
		}
		for chunk := range slices.Chunk(sortedSet(ids), legacyBulk) {
			if !yield(chunk, nil) {
				return
			}
		}
	}
}

// lookup takes the plain address. An address nobody has is a 404.
func (l legacy) lookup(ctx context.Context, login string) ([]string, error) {
	ids, _, err := fetch[string](ctx, l.api, l.get(pathLegacyUserID, url.Values{"uid": {provision.FoldLogin(login)}}))
	if errors.Is(err, provision.ErrNotFound) {
		return nil, nil
	}
	return sortedSet(ids), err
}

func (l legacy) records(ctx context.Context, ids []string) ([]provision.User, error) {
	var users []provision.User
	for chunk := range slices.Chunk(ids, legacyBulk) {
		c := l.get(pathLegacyUsers, url.Values{"ids": chunk})
		c.gaps = true
		list, _, err := fetch[legacyUser](ctx, l.api, c)
		if err != nil && !errors.Is(err, provision.ErrNotFound) {
			return nil, err
		}
		for _, u := range list {
			users = append(users, u.user())
		}
	}
	return users, nil
}

// held reads ids only; nameRoles reads the names for many users at once.
func (l legacy) held(ctx context.Context, u provision.User) ([]provision.HeldRole, error) {
	ids, _, err := fetch[string](ctx, l.api, l.get(pathLegacyUserRoleID, url.Values{"user_uuid": {u.ID}}))
	if err != nil {
		return nil, err
	}
	roles := []provision.HeldRole{}
	for _, id := range sortedSet(ids) {
		roles = append(roles, provision.HeldRole{ID: id, Name: id, Direct: true, Scope: home(u)})
	}
	return roles, nil
}

func (l legacy) nameRoles(ctx context.Context, users []provision.User) error {
	var ids []string
	for _, u := range users {
		ids = append(ids, u.DirectRoles()...)
	}
	roles, err := l.roles(ctx, sortedSet(ids))
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, r := range roles {
		names[r.ID] = r.Name
	}
	for _, u := range users {
		for i := range u.Roles {
			u.Roles[i].Name = names[u.Roles[i].ID]
		}
	}
	return nil
}

func (l legacy) roleIDs(ctx context.Context) ([]string, error) {
	ids, _, err := fetch[string](ctx, l.api, l.get(pathLegacyRoleIDs, nil))
	return sortedSet(ids), err
}

func (l legacy) roles(ctx context.Context, ids []string) ([]provision.Role, error) {
	return readRoles(ids, legacyBulk, func(chunk []string) ([]roleRecord, error) {
		c := l.get(pathLegacyUserRoles, url.Values{"ids": chunk})
		c.gaps = true
		list, _, err := fetch[roleRecord](ctx, l.api, c)
		return list, err
	})
}

func (l legacy) carries(cid, home string, expires time.Time) error {
	refuse := func(message, hint string) error {
		return &provision.Error{Vendor: name, Op: l.op, Kind: provision.ErrUnsupported, Message: message, Hint: hint}
	}
	switch {
	case !expires.IsZero():
		return refuse("the legacy API has no temporary roles", "set api: modern")
	case cid != "" && cid != home:
		return refuse("the legacy API works in the CID of the API client only", "set member-cid, or api: modern")
	}
	return nil
}
