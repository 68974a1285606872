package provision_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
)

func TestNearest(t *testing.T) {
	known := []string{"client-id", "client-secret", "url"}
	assert.Equal(t, "client-secret", provision.Nearest(known, "client_secret"))
	assert.Equal(t, "client-secret", provision.Nearest(known, "Client-Secrte"))
	assert.Equal(t, "url", provision.Nearest(known, "uri"))
	assert.Empty(t, provision.Nearest(known, "password"))
	assert.Empty(t, provision.Nearest(nil, "password"))
}
