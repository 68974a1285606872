package cli

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	programs := scriptPrograms()
	programs["edrctl"] = func() { os.Exit(Main(os.Args[1:], System())) }
	testscript.Main(m, programs)
}
