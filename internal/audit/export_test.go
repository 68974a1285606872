package audit

import "os"

// OnSync has a function take the place of bringing the record to the disk.
func (l *Log) OnSync(f func(*os.File) error) { l.sync = f }
