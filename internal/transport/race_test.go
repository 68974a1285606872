//go:build race

package transport_test

// raced is true under the race detector, which has sync.Pool throw away at
// random what it should keep: what is in use then says nothing.
const raced = true
