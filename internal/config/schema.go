package config

import (
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"

	"edrctl/internal/provision"
)

// fileShape is the file as its schema describes it.
type fileShape struct {
	Version        int                            `json:"version" jsonschema:"the version of this format"`
	DefaultTenants []string                       `json:"default-tenants,omitempty" jsonschema:"the tenants of commands that name none"`
	SessionCache   string                         `json:"session-cache,omitempty" jsonschema:"file keeps sessions between runs; off keeps nothing and signs out at the end"`
	Output         string                         `json:"output,omitempty" jsonschema:"the format of results"`
	Plaintext      bool                           `json:"allow-plaintext-secrets,omitempty" jsonschema:"accept secrets that stand in this file itself"`
	Tenants        map[string]map[string]string   `json:"tenants,omitempty" jsonschema:"the consoles, by a name of your own"`
	Roles          map[string]map[string][]string `json:"roles,omitempty" jsonschema:"role aliases: what each stands for, by vendor"`
	Guards         struct {
		Protected  []string `json:"protected,omitempty" jsonschema:"logins that no command changes"`
		MaxDeletes int      `json:"max-deletes,omitempty" jsonschema:"how many people one command may delete or take all roles from"`
	} `json:"guards,omitempty" jsonschema:"limits"`
}

// Schema is the JSON Schema of the file.
func Schema(vendors []provision.Vendor) ([]byte, error) {
	s, err := jsonschema.For[fileShape](nil)
	if err != nil {
		return nil, err
	}
	s.Schema, s.Title = "https://json-schema.org/draft/2020-12/schema", "configuration of edrctl"
	s.Properties[keyVersion].Const = jsonschema.Ptr[any](1)
	s.Properties[keySessionCache].Enum = []any{SessionFile, SessionOff}
	s.Properties[keyOutput].Enum = words(OutputFormats())
	s.Properties[keyGuards].Properties[keyMaxDeletes].Minimum = jsonschema.Ptr(0.0)

	names := words(newCatalog(vendors).vendorNames())
	s.Properties[keyRoles].AdditionalProperties.PropertyNames = &jsonschema.Schema{Enum: names}
	tenants := s.Properties[keyTenants]
	tenants.Types, tenants.Type = []string{"object", "null"}, ""
	tenants.PropertyNames = &jsonschema.Schema{Pattern: "^[a-z0-9][a-z0-9-]*$"}
	tenant := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{keyVendor: {Enum: names}}}
	for _, v := range vendors {
		tenant.AllOf = append(tenant.AllOf, &jsonschema.Schema{
			If: &jsonschema.Schema{
				Properties: map[string]*jsonschema.Schema{keyVendor: {Const: jsonschema.Ptr[any](v.Name)}}, Required: []string{keyVendor},
			},
			Then: tenantSchema(v),
		})
	}
	tenants.AdditionalProperties = tenant
	return json.MarshalIndent(s, "", "  ")
}

// tenantSchema describes the keys of a vendor's tenants. None is required: a
// variable may give it.
func tenantSchema(v provision.Vendor) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type: "object", Title: v.Title, Properties: map[string]*jsonschema.Schema{},
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
	for _, setting := range settings(v) {
		p := &jsonschema.Schema{Description: setting.Help, Types: []string{"string", "number", "null"}}
		switch {
		case setting.Name == keyInsecure:
			p.Type, p.Types = "boolean", nil
			p.Default = json.RawMessage(setting.Default)
		case setting.Name == keyPerMinute:
			p.Type, p.Types = "integer", nil
			p.Minimum = jsonschema.Ptr(0.0)
			p.Default = json.RawMessage(setting.Default)
		case setting.Secret:
			p.Type, p.Types = "string", nil
			p.Description += " (a reference: env:NAME, file:PATH, keyring:SERVICE/ACCOUNT, exec:[\"prog\",\"arg\"] or prompt:)"
		case len(setting.Values) > 0:
			p.Types, p.Enum = nil, words(setting.Values)
		}
		if setting.Default != "" && p.Default == nil {
			p.Default, _ = json.Marshal(setting.Default) // text always can
		}
		s.Properties[setting.Name] = p
	}
	return s
}

func words(list []string) []any {
	values := make([]any, len(list))
	for i, s := range list {
		values[i] = s
	}
	return values
}
