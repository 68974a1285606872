package transport_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"edrctl/internal/provision"
)

// frames is one HTTP/2 connection as a server below net/http sees it.
type frames struct {
	*http2.Framer
	conn net.Conn
	// n is the number of the connection, from 1.
	n int
}

// answer sends a whole success on a stream.
func (f frames) answer(stream uint32) {
	f.header(stream)
	_ = f.WriteData(stream, true, []byte("{}"))
}

func (f frames) header(stream uint32) {
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":status", "200"}, {"content-type", "application/json"}} {
		_ = enc.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true})
}

// listenFrames serves HTTP/2 frame by frame: each request that has arrived
// whole is handed to a function with its number, over all connections.
func listenFrames(t *testing.T, settings []http2.Setting, handle func(n int, f frames, stream uint32)) (address string, base *http.Transport) {
	t.Helper()
	server, base := serve(t, func(http.ResponseWriter, *http.Request) {})
	certificates := server.TLS.Certificates
	var arrived atomic.Int64
	l := listen(t, func(n int, raw net.Conn) {
		conn := tls.Server(raw, &tls.Config{Certificates: certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12})
		defer func() { _ = conn.Close() }()
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(conn, preface); err != nil {
			return
		}
		f := frames{http2.NewFramer(conn, conn), conn, n}
		if f.WriteSettings(settings...) != nil {
			return
		}
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			if s, ok := frame.(*http2.SettingsFrame); ok && !s.IsAck() {
				_ = f.WriteSettingsAck()
			}
			if frame.Header().Flags.Has(http2.FlagDataEndStream) &&
				(frame.Header().Type == http2.FrameData || frame.Header().Type == http2.FrameHeaders) {
				handle(int(arrived.Add(1)), f, frame.Header().StreamID)
			}
		}
	})
	return "https://" + parse(t, l.url).Host, base
}

// TestHTTP2Refusals has a server end requests in the ways of HTTP/2. Some of
// them say that the request was not acted on, and only those let a change be
// sent again.
func TestHTTP2Refusals(t *testing.T) {
	type outcome struct {
		kind    provision.Kind // empty for success
		arrived int64
	}
	first := func(how func(f frames, stream uint32)) func(int, frames, uint32) {
		return func(n int, f frames, stream uint32) {
			if n == 1 {
				how(f, stream)
				return
			}
			f.answer(stream)
		}
	}
	goAway := func(last uint32, code http2.ErrCode) func(frames, uint32) {
		return func(f frames, _ uint32) {
			_ = f.WriteGoAway(last, code, nil)
			_ = f.conn.Close()
		}
	}
	again, lost := outcome{arrived: 2}, outcome{provision.ErrUncertain, 1}
	for _, tt := range []struct {
		name         string
		handle       func(n int, f frames, stream uint32)
		read, change outcome
	}{
		{
			name:   "stream refused",
			handle: first(func(f frames, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream) }),
			read:   again, change: again,
		},
		{name: "going away before it", handle: first(goAway(0, http2.ErrCodeNo)), read: again, change: again},
		// A new connection that is refused may be refused again; net/http leaves it
		// to us, and does not say that the request was not acted on.
		{name: "a new connection refused", handle: first(goAway(0, http2.ErrCodeEnhanceYourCalm)), read: again, change: lost},
		{name: "going away after it", handle: first(goAway(1, http2.ErrCodeNo)), read: again, change: lost},
		{
			name:   "stream broken",
			handle: first(func(f frames, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeInternal) }),
			read:   again, change: lost,
		},
		{
			name:   "stream cancelled",
			handle: first(func(f frames, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeCancel) }),
			read:   again, change: lost,
		},
		{
			name: "refused within the answer",
			handle: first(func(f frames, stream uint32) {
				f.header(stream)
				_ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
			}),
			read: again, change: lost,
		},
		{
			name: "half an answer",
			handle: first(func(f frames, stream uint32) {
				f.header(stream)
				_ = f.WriteData(stream, false, []byte("{"))
				_ = f.conn.Close()
			}),
			read: again, change: lost,
		},
		{
			name: "headers without end",
			handle: first(func(f frames, stream uint32) {
				_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte{0x88}})
				for range 10_000 { // never indexed, a name and a value of 100 bytes each
					field := append([]byte{0x10, 100}, bytes.Repeat([]byte("x"), 100)...)
					if f.WriteContinuation(stream, false, append(append(field, 100), field[2:]...)) != nil {
						return
					}
				}
			}),
			read: again, change: lost,
		},
	} {
		for name, want := range map[string]outcome{"read": tt.read, "change": tt.change} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				var arrived atomic.Int64
				address, base := listenFrames(t, nil, func(n int, f frames, stream uint32) {
					arrived.Add(1)
					tt.handle(n, f, stream)
				})
				cfg := config(base)
				cfg.Timeout = 5 * time.Second
				req := read()
				if name == "change" {
					req = change()
				}
				_, err := client(t, address, cfg).Do(t.Context(), req)
				assert.Equal(t, want.arrived, arrived.Load(), "requests that arrived")
				if want.kind == "" {
					require.NoError(t, err)
					return
				}
				failure(t, err, want.kind)
			})
		}
	}
}

// TestHTTP2RefusedForEver never says that a change was made, and ends in time.
func TestHTTP2RefusedForEver(t *testing.T) {
	address, base := listenFrames(t, nil, func(_ int, f frames, stream uint32) {
		_ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
	})
	cfg := config(base)
	cfg.Timeout = 200 * time.Millisecond
	started := time.Now()
	_, err := client(t, address, cfg).Do(t.Context(), change())
	require.Error(t, err)
	assert.Contains(t, []provision.Kind{provision.ErrUnavailable, provision.ErrUncertain}, provision.KindOf(err))
	assert.Less(t, time.Since(started), 10*time.Second)
}

// TestHTTP2FramesOfNoSize has a server say that it takes frames without
// content, which made clients of older versions of Go spin for ever.
func TestHTTP2FramesOfNoSize(t *testing.T) {
	for _, size := range []uint32{0, 1, 16_383, 1 << 24} {
		address, base := listenFrames(t, []http2.Setting{{ID: http2.SettingMaxFrameSize, Val: size}}, func(_ int, f frames, stream uint32) {
			f.answer(stream)
		})
		cfg := config(base)
		cfg.Timeout = 2 * time.Second
		c := client(t, address, cfg)
		done := make(chan error, 1)
		go func() {
			_, err := c.Do(t.Context(), change())
			done <- err
		}()
		select {
		case err := <-done:
			require.Error(t, err, "a size of %d is against the protocol", size)
			assert.Contains(t, []provision.Kind{provision.ErrUnavailable, provision.ErrUncertain}, provision.KindOf(err))
		case <-time.After(20 * time.Second):
			t.Fatal("the request does not end")
		}
	}
}
