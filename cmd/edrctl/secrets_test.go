package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/audit"
	"edrctl/internal/config"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
	"edrctl/internal/roster"
)

// soundsSecret are names of what is kept in a provision.Secret.
func soundsSecret() *regexp.Regexp {
	return regexp.MustCompile(`(?i)secret|passw|token|credential|api-?key|private|totp|cookie|bearer|\bpin\b|otp|seed`)
}

// TestNoSecretIsAString looks through the structs of the packages that secrets
// come by, exported or not. Nothing that sounds like one is a string.
func TestNoSecretIsAString(t *testing.T) {
	fine := map[string]string{
		"plan.Wanted.Password":              "a reference, such as env:NAME",
		"roster.jsonUser.Password":          "a reference",
		"cli.mockOptions.seed":              "a path",
		"roster.User.Password":              "a reference",
		"cli.passwordLine.Password":         "a line of --password-out, which is where it belongs",
		"cli.applyOptions.passwordOut":      "a path",
		"cli.userCreateOptions.password":    "a reference",
		"cli.userCreateOptions.passwordOut": "a path",
	}
	seen := 0
	for _, dir := range []string{"provision", "provision/plan", "config", "render", "audit", "roster", "session", "private", "../cmd/edrctl/cli"} {
		files, err := os.ReadDir("../../internal/" + dir)
		require.NoError(t, err)
		for _, file := range files {
			if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), "../../internal/"+dir+"/"+file.Name(), nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(tree, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				shape, ok := spec.Type.(*ast.StructType)
				if !ok {
					return true
				}
				for _, field := range shape.Fields.List {
					for _, name := range field.Names {
						seen++
						place := fmt.Sprintf("%s.%s.%s", tree.Name.Name, spec.Name.Name, name.Name)
						if !holdsText(field.Type) || !soundsSecret().MatchString(name.Name) {
							continue
						}
						if _, ok := fine[place]; ok {
							delete(fine, place)
						} else {
							t.Errorf("%s could hold a secret; make it a provision.Secret", place)
						}
					}
				}
				return true
			})
		}
	}
	assert.Greater(t, seen, 200)
	assert.Empty(t, fine, "exceptions that nothing needs")
}

// holdsText reports string, *string, []string, []byte and maps to them.
func holdsText(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "string" || e.Name == "byte"
	case *ast.StarExpr:
		return holdsText(e.X)
	case *ast.ArrayType:
		return holdsText(e.Elt)
	case *ast.MapType:
		return holdsText(e.Value)
	}
	return false
}

// TestNoSecretIsInWhatIsPrinted walks the types of all documents, of the record
// and of a roster: none can reach a provision.Secret, nor has a key that sounds
// like one.
func TestNoSecretIsInWhatIsPrinted(t *testing.T) {
	secret := reflect.TypeFor[provision.Secret]()
	seen := map[reflect.Type]bool{}
	var walk func(where string, x reflect.Type)
	walk = func(where string, x reflect.Type) {
		if seen[x] {
			return
		}
		seen[x] = true
		assert.NotEqual(t, secret, x, where)
		switch x.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(where, x.Elem())
		case reflect.Map:
			walk(where, x.Key())
			walk(where, x.Elem())
		case reflect.Struct:
			for i := range x.NumField() {
				f := x.Field(i)
				if f.IsExported() {
					place := where + "." + f.Name
					assert.NotRegexp(t, soundsSecret(), f.Name, place)
					walk(place, f.Type)
				}
			}
		}
	}
	for _, x := range []any{
		render.UserItem{},
		render.RoleItem{},
		render.ResultItem{},
		render.PlanItem{},
		render.TenantItem{},
		render.VendorItem{},
		render.ReviewItem{},
		render.DoctorItem{},
		render.AuditItem{},
		render.ErrorBody{},
		render.ItemError{},
		audit.Entry{},
		config.Explained{},
		provision.User{},
		provision.Identity{},
		plan.Result{},
		provision.Error{},
	} {
		walk(fmt.Sprintf("%T", x), reflect.TypeOf(x))
	}
	assert.Greater(t, len(seen), 25)
}

// TestDumpsShowNoSecret prints what holds secrets, in every way in which
// somebody might while looking for a fault.
func TestDumpsShowNoSecret(t *testing.T) {
	const canary = "canary-5ecret"
	cfg := provision.Config{Secrets: map[string]provision.Secret{"api-key": provision.NewSecret(canary)}}
	spec := provision.UserSpec{Login: "a@b.example", Password: provision.NewSecret(canary)}
	change := plan.Change{Spec: spec}
	for _, v := range []any{cfg, &cfg, spec, &spec, change, []any{cfg, spec}, map[string]any{"x": spec}, roster.User{}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
			assert.NotContains(t, fmt.Sprintf(verb, v), canary)
			assert.NotContains(t, fmt.Sprintf(verb, v), fmt.Sprintf("%x", canary))
		}
	}
	for _, c := range consoles() {
		cfg := c.inMemoryConfig(&inMemory{})
		p, err := c.vendor.New(t.Context(), cfg)
		require.NoError(t, err)
		for _, secret := range cfg.Secrets {
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", p, p, p), secret.Reveal(), c.vendor.Name)
		}
	}
}
