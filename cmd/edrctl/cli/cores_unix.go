//go:build unix

package cli

import "golang.org/x/sys/unix"

// forbidCores keeps what edrctl has in memory, secrets among it, out of core
// dumps. Programs that are started inherit the limit; what it returns gives
// those their own back that are handed no secret.
func forbidCores() (allow func()) {
	hide()
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_CORE, &limit) != nil {
		return func() {}
	}
	none := limit
	none.Cur = 0 // the hard limit stays, or it could not be given back
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &none)
	return func() { _ = unix.Setrlimit(unix.RLIMIT_CORE, &limit) }
}
