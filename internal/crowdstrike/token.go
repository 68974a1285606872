package crowdstrike

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// ask signs in. Where the region is to be found out, the answer of the first
// one names it, or redirects there (CrowdStrike API documentation, OAuth2:
// header X-Cs-Region). The secret goes to addresses of the table only, and
// never where a redirect points otherwise.
func (s *session) ask(ctx context.Context) (*token, error) {
	resp, err := s.post(ctx, s.http.Origin())
	if err != nil {
		return nil, err
	}
	found := region{}
	if s.discover && resp.Status == http.StatusPermanentRedirect {
		if found, err = s.redirected(resp); err != nil {
			return nil, err
		}
		if resp, err = s.post(ctx, found.url()); err != nil {
			return nil, err
		}
	}
	if !resp.OK() {
		return nil, s.refused(resp)
	}
	if named, ok := regionNamed(resp.Header.Get("X-Cs-Region")); ok {
		found = named
	}
	if s.discover && found.gov {
		return nil, s.governmental(resp, found)
	}
	return s.read(resp, found)
}

func (s *session) post(ctx context.Context, origin *url.URL) (*transport.Response, error) {
	s.cfg.Log.InfoContext(ctx, "signing in", "tenant", s.cfg.Tenant, "host", origin.Host)
	form := url.Values{"client_id": {s.cfg.Setting("client-id")}, "client_secret": {s.secret()}}
	if s.member != "" {
		form.Set("member_cid", s.member)
	}
	return s.http.At(origin).Do(ctx, &transport.Request{
		Op: opSignIn, Method: http.MethodPost, Path: "/oauth2/token", JSON: true,
		Header: formHeader(), Body: []byte(form.Encode()),
	})
}

// read takes the token from an answer.
func (s *session) read(resp *transport.Response, found region) (*token, error) {
	var body struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   number  `json:"expires_in"`
		Errors      []fault `json:"errors"`
	}
	if err := resp.Decode(name, opSignIn, &body); err != nil {
		return nil, withTrace(err, resp)
	}
	if len(body.Errors) > 0 {
		return nil, s.refused(resp)
	}
	if body.AccessToken == "" {
		e := failure(&call{op: opSignIn}, resp)
		e.Kind, e.Message = provision.ErrInternal, "the answer holds no access token"
		return nil, e
	}
	life := time.Duration(body.ExpiresIn) * time.Second
	if life <= 0 || life > 24*time.Hour {
		life = defaultLife
	}
	s.cfg.Made(body.AccessToken)
	now := s.cfg.Now()
	return &token{
		Value: body.AccessToken, Region: found.name,
		Expires: now.Add(life), Renew: now.Add(life - min(earliest, life/5)),
	}, nil
}

// redirected is the region a redirect of the token route points to.
func (s *session) redirected(resp *transport.Response) (region, error) {
	r, ok := regionNamed(resp.Header.Get("X-Cs-Region"))
	if !ok {
		r, ok = locationRegion(resp)
	}
	switch {
	case !ok:
		return region{}, s.refused(resp)
	case r.gov:
		return region{}, s.governmental(resp, r)
	}
	return r, nil
}

func locationRegion(resp *transport.Response) (region, bool) {
	u, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		return region{}, false
	}
	return regionAt(u)
}

// refused is the error of a token route that gave no token.
func (s *session) refused(resp *transport.Response) error {
	e := failure(&call{op: opSignIn, kind: callToken}, resp, s.secret())
	if resp.Status/100 != 3 {
		return e
	}
	target := "another address"
	if u, err := url.Parse(resp.Header.Get("Location")); err == nil && u.Host != "" {
		target = transport.Excerpt([]byte(u.Host), 100)
	}
	e.Message = fmt.Sprintf("%s redirects to %s, which is not followed", s.http.Origin().Host, target)
	r, ok := regionNamed(resp.Header.Get("X-Cs-Region"))
	if !ok {
		r, ok = locationRegion(resp)
	}
	if ok {
		e.Hint = fmt.Sprintf("the API client seems to live in region %s: set region: %s", r.name, r.name)
	}
	return e
}

func (s *session) governmental(resp *transport.Response, r region) error {
	e := failure(&call{op: opSignIn, kind: callToken}, resp, s.secret())
	e.Kind = provision.ErrUnauthenticated
	e.Message = fmt.Sprintf("the API client lives in region %s, which is not found by itself", r.name)
	e.Hint = "set region: " + r.name
	return e
}
