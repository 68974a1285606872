package cli

import "golang.org/x/sys/unix"

// hide makes the process one that is not dumped, and whose memory other
// processes of the user cannot read. Where cores are handed to a program, such
// as systemd-coredump, a limit of their size does not prevent that.
func hide() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
