package provision

import (
	"bytes"
	"context"
	"sync"
)

type memoryStore struct {
	mu      sync.Mutex
	records map[string][]byte
}

func (s *memoryStore) Get(name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.records[name]), nil
}

func (s *memoryStore) Put(name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(name, data)
	return nil
}

func (s *memoryStore) Update(_ context.Context, name string, change func([]byte) ([]byte, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := change(bytes.Clone(s.records[name]))
	if err != nil {
		return err
	}
	s.put(name, data)
	return nil
}

// put keeps a copy: a caller may wipe or reuse what it has handed over.
func (s *memoryStore) put(name string, data []byte) {
	if data == nil {
		delete(s.records, name)
		return
	}
	s.records[name] = bytes.Clone(data)
}
