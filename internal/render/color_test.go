package render

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestUseColor(t *testing.T) {
	tests := []struct {
		name string
		flag string
		tty  bool
		env  map[string]string
		want bool
	}{
		{"terminal", "auto", true, nil, true},
		{"pipe", "auto", false, nil, false},
		{"no flag", "", true, nil, true},
		{"always", "always", false, map[string]string{"NO_COLOR": "1", "TERM": "dumb"}, true},
		{"never", "never", true, map[string]string{"CLICOLOR_FORCE": "1"}, false},
		{"NO_COLOR", "auto", true, map[string]string{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, false},
		{"empty NO_COLOR", "auto", true, map[string]string{"NO_COLOR": ""}, true},
		{"forced", "auto", false, map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{"forced on a dumb terminal", "auto", true, map[string]string{"CLICOLOR_FORCE": "1", "TERM": "dumb"}, true},
		{"not forced", "auto", false, map[string]string{"CLICOLOR_FORCE": "0"}, false},
		{"dumb", "auto", true, map[string]string{"TERM": "dumb"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, UseColor(tt.flag, tt.tty, func(key string) string { return tt.env[key] }))
		})
	}
}
