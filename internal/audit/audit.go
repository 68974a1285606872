// Package audit keeps the record of every change: what was about to be sent,
// and how it ended. The record is a file of JSON lines that is only ever
// appended to. Each line holds the hash of the one before it, so that a line
// that was altered, taken out or moved is found.
//
// The package records what it is told and decides nothing. It holds no secret.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Entry is one line of the record.
type Entry struct {
	Time time.Time `json:"time"`
	// Change joins the two lines of one change: the one written before it is
	// sent, whose outcome is Intent, and the one written after its answer.
	Change  string `json:"change"`
	Tenant  string `json:"tenant"`
	Vendor  string `json:"vendor"`
	Address string `json:"address"`
	Login   string `json:"login"`
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
	// RolesAdded and RolesRemoved are what was asked for in an intent, and
	// what came of it afterwards.
	RolesAdded   []string `json:"rolesAdded"`
	RolesRemoved []string `json:"rolesRemoved"`
	// Error is the code of what went wrong.
	Error     string `json:"error,omitempty"`
	RequestID string `json:"requestId"`
	// Evidence is the hash of a file of evidence that was written. Such a line
	// is no change.
	Evidence string `json:"evidence,omitempty"`
	OSUser   string `json:"osUser"`
	Host     string `json:"host"`
	Version  string `json:"version"`
	// Previous is the hash of the line before, empty in the first line. Hash
	// is that of this line with an empty Hash.
	Previous string `json:"previous"`
	Hash     string `json:"hash"`
}

// Intent is the outcome of a line that is written before a change is sent.
const Intent = "intent"

// seal sets the hashes of an entry and returns its line, without line break.
func (e *Entry) seal(previous string) ([]byte, error) {
	e.Previous, e.Hash = previous, ""
	data, err := encode(e)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	e.Hash = hex.EncodeToString(sum[:])
	return encode(e)
}

// encode is canonical: fields in the order of the struct, no HTML escapes.
func encode(e *Entry) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Check reports an entry that is not as it was sealed.
func (e Entry) Check() error {
	line, err := encode(&e)
	if err != nil {
		return err
	}
	_, err = open(line, e.Previous)
	return err
}

// open reads a line and checks its own hash and that of the line before.
func open(line []byte, previous string) (Entry, error) {
	var e Entry
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		return e, fmt.Errorf("it cannot be read: %w", err)
	}
	sealed := e
	again, err := sealed.seal(e.Previous)
	switch {
	case err != nil:
		return e, err
	case !bytes.Equal(again, line):
		return e, fmt.Errorf("it was altered")
	case e.Previous != previous:
		return e, fmt.Errorf("it does not follow the line before")
	}
	return e, nil
}

// previousOf is what a line says of the line before, unchecked.
func previousOf(line []byte) string {
	var e Entry
	if json.Unmarshal(line, &e) != nil {
		return ""
	}
	return e.Previous
}
