package roster

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// many is a roster of so many users.
func many(n int) *Roster {
	r := &Roster{}
	for i := range n {
		first, last := fmt.Sprintf("Ines %d", i), "Duarte"
		r.Users = append(r.Users, User{
			Login: fmt.Sprintf("ines.duarte.%06d@example.com", i), FirstName: &first, LastName: &last,
			Roles: []string{"analyst", "SOC Triage"}, Tenants: []string{"falcon", "cbc", "cr"},
			Options: map[string]map[string]string{"cybereason": {"totp-enabled": "true"}},
			Expires: time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC), State: Present,
		})
	}
	return r
}

// BenchmarkReadAndCheck takes 100,000 users through reading and checking, and
// shows the most memory that was in use, garbage included.
func BenchmarkReadAndCheck(b *testing.B) {
	for _, format := range []string{YAML, JSON, CSV} {
		b.Run(format, func(b *testing.B) {
			var file bytes.Buffer
			require.NoError(b, Write(&file, many(100_000), format))
			b.SetBytes(int64(file.Len()))
			var peak uint64
			for b.Loop() {
				peak = max(peak, peakOf(func() {
					r, err := Read(bytes.NewReader(file.Bytes()), "roster."+format)
					require.NoError(b, err)
					require.NoError(b, r.Check(testKnown()))
					require.Len(b, r.Users, 100_000)
				}))
			}
			b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	r := many(100_000)
	for _, format := range []string{YAML, JSON, CSV} {
		b.Run(format, func(b *testing.B) {
			for b.Loop() {
				var file bytes.Buffer
				require.NoError(b, Write(&file, r, format))
			}
		})
	}
}

// peakOf is the most heap in use while a function runs, less what was in use
// before, as far as looking often shows it.
func peakOf(run func()) uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, peak := m.HeapInuse, m.HeapInuse
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapInuse)
			}
		}
	}()
	run()
	runtime.ReadMemStats(&m)
	close(done)
	<-stopped
	return max(peak, m.HeapInuse) - before
}
