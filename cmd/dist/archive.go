package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"time"
)

// entry is a file of an archive.
type entry struct {
	name       string // in the archive
	path       string // on disk
	executable bool
}

func (e entry) mode() os.FileMode {
	if e.executable {
		return 0o755
	}
	return 0o644
}

// writeTar packs files. Owner, order and times are always the
// same.
func writeTar(archive string, files []entry, when time.Time) error {
	return create(archive, func(w io.Writer) error {
		packed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
		if err != nil {
			return err
		}
		t := tar.NewWriter(packed)
		for _, f := range files {
			data, err := os.ReadFile(f.path)
			if err != nil {
				return err
			}
			err = t.WriteHeader(&tar.Header{
				Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
				Name: f.name, Size: int64(len(data)), Mode: int64(f.mode()), ModTime: when,
			})
			if err != nil {
				return err
			}
			if _, err := t.Write(data); err != nil {
				return err
			}
		}
		return errors.Join(t.Close(), packed.Close())
	})
}

// writeZip does the same for Windows.
func writeZip(archive string, files []entry, when time.Time) error {
	return create(archive, func(w io.Writer) error {
		z := zip.NewWriter(w)
		for _, f := range files {
			data, err := os.ReadFile(f.path)
			if err != nil {
				return err
			}
			header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: when}
			header.SetMode(f.mode())
			part, err := z.CreateHeader(header)
			if err != nil {
				return err
			}
			if _, err := part.Write(data); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

func create(name string, fill func(io.Writer) error) error {
	f, err := os.Create(name) //nolint:gosec // a name of our own
	if err != nil {
		return err
	}
	return errors.Join(fill(f), f.Close())
}
