package transport_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"edrctl/internal/transport"
)

// FuzzSegment puts any value into a path. It is one segment of it, and comes out
// as it was, also of a server that takes "+" for a blank.
func FuzzSegment(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		u, err := url.Parse("https://acme.example/users/" + transport.Segment(value) + "/roles")
		require.NoError(t, err)
		require.Equal(t, "acme.example", u.Host)
		require.Empty(t, u.RawQuery+u.Fragment)
		parts := strings.Split(u.EscapedPath(), "/")
		require.Len(t, parts, 4)
		for _, unescape := range []func(string) (string, error){url.PathUnescape, url.QueryUnescape} {
			back, err := unescape(parts[2])
			require.NoError(t, err)
			require.Equal(t, value, back)
		}
	})
}
