package transport_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// TestNamesThatLeadNowhere asks name servers that answer in their various ways
// that they cannot help. Nobody may be asked in a storm, and the message names
// the host and the key of the configuration that it comes from.
func TestNamesThatLeadNowhere(t *testing.T) {
	// What net keeps for all resolvers must not be made within a bubble.
	failing := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, io.EOF }}
	_, err := failing.LookupHost(t.Context(), "console.acme.example")
	require.Error(t, err)
	for _, tt := range []struct {
		name   string
		code   dnsmessage.RCode
		silent bool
		tries  int
		says   string
	}{
		{name: "no such name", code: dnsmessage.RCodeNameError, tries: 1, says: "is not known to the DNS"},
		{name: "no address", code: dnsmessage.RCodeSuccess, tries: 1, says: "is not known to the DNS"},
		{name: "server failure", code: dnsmessage.RCodeServerFailure, tries: 3, says: "cannot be reached"},
		{name: "refused", code: dnsmessage.RCodeRefused, tries: 3, says: "cannot be reached"},
		{name: "silence", silent: true, tries: 3, says: "did not answer in time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				dialer := net.Dialer{Timeout: 10 * time.Second, Resolver: &net.Resolver{
					PreferGo: true,
					Dial: func(context.Context, string, string) (net.Conn, error) {
						ours, theirs := net.Pipe()
						go nameServer(theirs, tt.code, tt.silent)
						return ours, nil
					},
				}}
				base := transport.Base(transport.BaseOptions{})
				defer base.CloseIdleConnections()
				base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					tries++
					return dialer.DialContext(ctx, network, address)
				}
				c := transport.New(transport.Options{
					Vendor: "acme", Config: config(base), Origin: parse(t, "https://console.acme.example"), OriginKey: "fqdn",
				})
				started := time.Now()
				_, err := c.Do(t.Context(), change())
				e := failure(t, err, provision.ErrUnavailable)
				assert.Equal(t, "console.acme.example "+tt.says, e.Message)
				assert.Contains(t, e.Hint, "fqdn")
				assert.Equal(t, tt.tries, tries)
				assert.LessOrEqual(t, time.Since(started), 95*time.Second)
			})
		})
	}
}

// nameServer answers each question with a code and no address, over a stream.
func nameServer(conn net.Conn, code dnsmessage.RCode, silent bool) {
	defer func() { _ = conn.Close() }()
	for {
		var size uint16
		if binary.Read(conn, binary.BigEndian, &size) != nil {
			return
		}
		question := make([]byte, size)
		if _, err := io.ReadFull(conn, question); err != nil {
			return
		}
		if silent {
			continue
		}
		var m dnsmessage.Message
		if m.Unpack(question) != nil {
			return
		}
		m.Response, m.RecursionAvailable, m.RCode, m.Additionals = true, true, code, nil
		reply, err := m.AppendPack(make([]byte, 2, 512))
		if err != nil {
			return
		}
		binary.BigEndian.PutUint16(reply, uint16(len(reply)-2))
		if _, err := conn.Write(reply); err != nil {
			return
		}
	}
}
