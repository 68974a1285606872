package provision

import (
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
	return s.records[name], nil
}

func (s *memoryStore) Put(name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if data == nil {
		delete(s.records, name)
		return nil
	}
	s.records[name] = data
	return nil
}

func (s *memoryStore) Update(_ context.Context, name string, change func([]byte) ([]byte, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := change(s.records[name])
	if err != nil {
		return err
	}
	s.records[name] = data
	return nil
}
