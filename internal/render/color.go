package render

import (
	"strings"

	"edrctl/internal/provision"
)

// UseColor decides whether a stream gets colours. The flag is "always", "never"
// or "auto"; it goes before NO_COLOR, which goes before CLICOLOR_FORCE, which
// goes before TERM=dumb; without any of them terminals get colours.
func UseColor(flag string, isTTY bool, getenv func(string) string) bool {
	switch {
	case flag == "always":
		return true
	case flag == "never", getenv("NO_COLOR") != "":
		return false
	}
	if force := getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	return isTTY && getenv("TERM") != "dumb"
}

// colored wraps a status word, outcome or check result in its colour. The text
// is what is shown of the word, cut or not. Of several words, as marks are, the
// first counts.
func colored(word, text string) string {
	const red, green, yellow = "\x1b[31m", "\x1b[32m", "\x1b[33m"
	var start string
	switch word, _, _ = strings.Cut(word, ","); word {
	case string(provision.StatusActive), "created", "updated", "deleted", "granted", "revoked", "ok", string(provision.Native):
		start = green
	case string(provision.StatusInvited), "planned", "skipped", "warn", "missing",
		string(provision.Emulated), string(provision.StatusUnknown):
		start = yellow
	case string(provision.StatusDisabled), string(provision.StatusLocked), "failed", "stale", "fail", "orphan",
		string(provision.Unsupported):
		start = red
	default:
		return text
	}
	return start + text + "\x1b[0m"
}
