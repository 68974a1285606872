package cortex_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// TestClockThatDiffers signs with a clock that is a minute and a half off. The
// console takes that, or says that it does not; then the difference is told.
func TestClockThatDiffers(t *testing.T) {
	for offset, says := range map[int]string{90: "ahead", -90: "behind"} {
		x := open(t, "auto", "clock-offset", strconv.Itoa(offset))
		_, err := x.p.User(t.Context(), ada)
		require.NoError(t, err)

		x = open(t, "auto", "clock-offset", strconv.Itoa(offset), "skew-limit", "60")
		sent := x.sent(func() {
			_, err := x.p.Check(t.Context())
			require.ErrorIs(t, err, provision.ErrUnauthenticated)
			assert.Regexp(t, `the server's is 1m(29|30|31)s `+says, hint(err))
		})
		assert.Len(t, sent, 1, "refused credentials are not tried again")
	}
}
