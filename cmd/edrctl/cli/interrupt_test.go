package cli

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"edrctl/internal/render"
)

// TestInterruptAtTheStart presses Ctrl-C before a command has begun, often enough to
// meet the moment at which it was lost.
func TestInterruptAtTheStart(t *testing.T) {
	for range 20000 {
		interrupts := make(chan os.Signal, 1)
		interrupts <- os.Interrupt
		var out bytes.Buffer
		redactor := render.NewRedactor()
		a := &app{Env: Env{Interrupts: interrupts, Err: &out}, redactor: redactor, interrupts: newInterrupts()}
		a.flags.color = "never"
		cmd := &cobra.Command{RunE: a.run(func(cmd *cobra.Command, _ []string) error {
			select {
			case <-cmd.Context().Done():
				return nil
			case <-time.After(10 * time.Second):
				return os.ErrDeadlineExceeded
			}
		})}
		cmd.SetArgs(nil)
		require.NoError(t, cmd.ExecuteContext(t.Context()))
	}
}
