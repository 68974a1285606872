package cortex

import "net/http"

// sso is how people of one mail domain sign in; the first one is for all
// others and has no domain.
type sso struct {
	Tenant      string   `json:"tenant_id"`
	Name        string   `json:"name"`
	Domain      string   `json:"domain"`
	IDPEnabled  bool     `json:"idp_enabled"`
	DefaultRole string   `json:"default_role"`
	AccountRole bool     `json:"is_account_role"`
	Certificate string   `json:"idp_certificate"`
	Issuer      string   `json:"idp_issuer"`
	URL         string   `json:"idp_sso_url"`
	MetadataURL string   `json:"metadata_url"`
	Mappings    mappings `json:"mappings"`
	Advanced    advanced `json:"advanced_settings"`
	SPEntity    string   `json:"sp_entity_id"`
	SPLogout    string   `json:"sp_logout_url"`
	SPURL       string   `json:"sp_url"`
}

// mappings name the attributes of an assertion.
type mappings struct {
	Email     string `json:"email"`
	FirstName string `json:"firstname"`
	LastName  string `json:"lastname"`
	Groups    string `json:"group_name"`
}

type advanced struct {
	RelayState   string `json:"relay_state"`
	LogoutURL    string `json:"idp_single_logout_url"`
	PublicCert   string `json:"service_provider_public_cert"`
	PrivateKey   string `json:"service_provider_private_key"`
	AuthnContext bool   `json:"authn_context_enabled"`
	ForceAuthn   bool   `json:"force_authn"`
}

// getSettings lists the settings of single sign-on, private key and all.
func (f *fake) getSettings(request) answer {
	return replied(append([]sso{}, f.st.SSO...))
}

// validate tells that the key is good: as a string within JSON.
func (f *fake) validate(request) answer { return jsonAnswer(http.StatusOK, "true") }

func (f *fake) healthcheck(request) answer {
	return jsonAnswer(http.StatusOK, object{"status": "available"})
}

// healthCheck is the other spelling, with another answer.
func (f *fake) healthCheck(request) answer {
	return replied(object{"service": "Cortex API", "status": "OK", "reason": "", "timestamp": f.now().UnixMilli()})
}
