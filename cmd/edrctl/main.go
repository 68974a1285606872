// Edrctl gets people into and out of EDR consoles.
package main

import (
	"os"

	"edrctl/cmd/edrctl/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.System()))
}
