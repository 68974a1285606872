package cli

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

// TestGeneratedPasswords draws many passwords by the rule of each vendor that
// has one, and looks at how often each character turns up at each place.
func TestGeneratedPasswords(t *testing.T) {
	rules := 0
	for _, v := range vendors() {
		if v.PasswordRule == nil {
			continue
		}
		rules++
		rule := *v.PasswordRule
		require.GreaterOrEqual(t, rule.Length, 20)
		alphabet := strings.Join(rule.Classes, "")
		const n = 20_000
		seen := map[string]bool{}
		counts := make([]map[byte]int, rule.Length)
		var everywhere [256]int
		for i := range counts {
			counts[i] = map[byte]int{}
		}
		for range n {
			secret, err := generatePassword(rule)
			require.NoError(t, err)
			password := secret.Reveal()
			require.Len(t, password, rule.Length)
			require.False(t, seen[password], "the same twice")
			seen[password] = true
			for _, class := range rule.Classes {
				require.True(t, strings.ContainsAny(password, class), "a class is missing")
			}
			for i := range password {
				require.Contains(t, alphabet, password[i:i+1])
				counts[i][password[i]]++
				everywhere[password[i]]++
			}
		}
		// Characters of a class are equally likely, and each place is like any
		// other. Classes are not: that each must be there favours the small ones.
		for _, class := range rule.Classes {
			all := 0
			for _, c := range []byte(class) {
				all += everywhere[c]
			}
			assert.Less(t, chiSquare(class, all, func(c byte) int { return everywhere[c] }), bound(len(class)-1), class)
			for i := range counts {
				here := 0
				for _, c := range []byte(class) {
					here += counts[i][c]
				}
				assert.InDelta(t, float64(all)/float64(rule.Length), here, 6*math.Sqrt(float64(here)), "%s at %d", class, i)
				assert.Less(t, chiSquare(class, here, func(c byte) int { return counts[i][c] }), bound(len(class)-1), "%s at %d", class, i)
			}
		}
	}
	assert.Positive(t, rules)
}

// chiSquare measures how far counts are from being equal.
func chiSquare(class string, all int, count func(byte) int) (sum float64) {
	want := float64(all) / float64(len(class))
	for _, c := range []byte(class) {
		d := float64(count(c)) - want
		sum += d * d / want
	}
	return sum
}

// bound is a chi-square that chance exceeds less than once in a million draws, by
// the approximation of Wilson and Hilferty.
func bound(freedom int) float64 {
	k := float64(freedom)
	x := 1 - 2/(9*k) + 5.2*math.Sqrt(2/(9*k))
	return k * x * x * x
}

// TestGeneratedPasswordsAreRedacted follows one from where it is made.
func TestGeneratedPasswordsAreRedacted(t *testing.T) {
	a := &app{Env: Env{}, redactor: render.NewRedactor()}
	p, err := a.newPasswords(t.Context(), "", true, t.TempDir()+"/out")
	require.NoError(t, err)
	for _, v := range vendors() {
		if v.PasswordRule == nil {
			continue
		}
		secret, err := p.first(plan.Target{Tenant: "lab", Vendor: &v}, "a@example.com")
		require.NoError(t, err)
		assert.Equal(t, "it is [redacted]", a.redactor.String("it is "+secret.Reveal()))
		assert.Equal(t, "[redacted]", provision.Secret.String(secret))
	}
}
