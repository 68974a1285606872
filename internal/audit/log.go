package audit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"edrctl/internal/private"
)

// Log appends to a record. It is safe for concurrent use, and several processes
// may append to one record. Nothing is created before the first entry.
type Log struct {
	path  string
	stamp Entry // fields that every entry has in common
	now   func() time.Time
	sync  func(*os.File) error

	mu      sync.Mutex
	waiting []*pending
	writing bool
	failure error // of the first entry that could not be written
}

// pending is an entry that waits to be on the disk.
type pending struct {
	entry Entry
	done  chan error
}

// New returns a log that appends to the file at path. The stamp brings who and
// what: OSUser, Host and Version.
func New(path string, stamp Entry, now func() time.Time) *Log {
	return &Log{path: path, stamp: stamp, now: now, sync: (*os.File).Sync}
}

// Path is where the record is.
func (l *Log) Path() string { return l.path }

// Append adds an entry and returns when it is on the disk.
func (l *Log) Append(e Entry) error { return l.Queue(e)() }

// Queue adds an entry behind those that were queued before. What it returns waits
// until the entry is on the disk. Entries that arrive while others are being
// written share one write and one sync. After an entry that could not be written,
// none is.
func (l *Log) Queue(e Entry) (written func() error) {
	e.Time = l.now().UTC().Truncate(time.Millisecond)
	e.OSUser, e.Host, e.Version = l.stamp.OSUser, l.stamp.Host, l.stamp.Version
	if e.RolesAdded == nil {
		e.RolesAdded = []string{}
	}
	if e.RolesRemoved == nil {
		e.RolesRemoved = []string{}
	}
	p := &pending{entry: e, done: make(chan error, 1)}
	l.mu.Lock()
	l.waiting = append(l.waiting, p)
	lead := !l.writing
	l.writing = true
	l.mu.Unlock()
	if lead {
		go l.drain()
	}
	return func() error { return <-p.done }
}

// drain writes batch after batch until nobody waits.
func (l *Log) drain() {
	for {
		l.mu.Lock()
		batch := l.waiting
		l.waiting = nil
		l.writing = len(batch) > 0
		err := l.failure
		l.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		if err == nil {
			err = l.write(batch)
		}
		if err != nil {
			l.mu.Lock()
			l.failure = err
			l.mu.Unlock()
		}
		for _, p := range batch {
			p.done <- err
		}
	}
}

// lockWait bounds the wait for another process that is appending.
const lockWait = 10 * time.Second

func (l *Log) write(batch []*pending) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the record %s cannot be written: %w", l.path, err)
		}
	}()
	if err := private.Dir(filepath.Dir(l.path)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	lock := flock.New(l.path+".lock", flock.SetPermissions(0o600))
	if ok, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil || !ok {
		return fmt.Errorf("another process holds it: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()

	f, err := openPrivate(l.path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	previous, end, err := tail(f)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	for _, p := range batch {
		line, err := p.entry.seal(previous)
		if err != nil {
			return err
		}
		previous = p.entry.Hash
		lines.Write(line)
		lines.WriteByte('\n')
	}
	if _, err := f.WriteAt(lines.Bytes(), end); err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	return l.sync(f)
}

// openPrivate opens a record that belongs to the user alone.
func openPrivate(path string, flags int) (*os.File, error) {
	f, facts, err := private.Open(path)
	if private.Missing(err) && flags&os.O_CREATE != 0 {
		return os.OpenFile(path, flags|os.O_EXCL, 0o600) //nolint:gosec // the record's own path
	}
	if err != nil {
		return nil, err
	}
	if err := errors.Join(facts.Check(path), f.Close()); err != nil {
		return nil, err
	}
	return os.OpenFile(path, flags&^os.O_CREATE, 0) //nolint:gosec // the record's own path
}

// maxLine bounds a line of the record.
const maxLine = 1 << 20

// tail finds the hash of the last whole line and where the next one begins. A
// last line that was torn by a crash is cut off.
func tail(f *os.File) (hash string, end int64, err error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return "", 0, err
	}
	from := max(0, size-2*maxLine)
	data := make([]byte, size-from)
	if _, err := f.ReadAt(data, from); err != nil {
		return "", 0, err
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	if whole < len(data) {
		if err := f.Truncate(from + int64(whole)); err != nil {
			return "", 0, err
		}
	}
	end = from + int64(whole)
	data = bytes.TrimSuffix(data[:whole], []byte("\n"))
	if len(data) == 0 {
		return "", end, nil
	}
	last := data[bytes.LastIndexByte(data, '\n')+1:]
	e, err := open(last, previousOf(last))
	if err != nil {
		return "", 0, fmt.Errorf("its last line is damaged (%w); see `edrctl audit verify`", err)
	}
	return e.Hash, end, nil
}

// Damage is a line of the record that is not as it was written.
type Damage struct {
	Line int
	Err  error
}

// Error implements error.
func (d *Damage) Error() string { return fmt.Sprintf("line %d: %v", d.Line, d.Err) }

// Unwrap returns the cause.
func (d *Damage) Unwrap() error { return d.Err }

// Read calls f with each entry, oldest first, and checks the chain on the way.
// It returns a *Damage for the first line that is not as it was written; a torn
// last line is skipped. A record that does not exist is empty.
func Read(path string, f func(Entry) error) error {
	file, err := openPrivate(path, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	r := bufio.NewReaderSize(file, 64<<10)
	previous := ""
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what follows the last line break was never finished
		}
		if err != nil {
			return err
		}
		e, err := open(bytes.TrimSuffix(line, []byte("\n")), previous)
		if err != nil {
			return &Damage{Line: n, Err: err}
		}
		previous = e.Hash
		if err := f(e); err != nil {
			return err
		}
	}
}
