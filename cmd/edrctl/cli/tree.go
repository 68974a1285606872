package cli

import "github.com/spf13/cobra"

// Root is the tree of commands, completion included, for whoever documents it
// or walks it. An environment without vendors gets all of them. To run it is up
// to Main, which takes secrets out of what it writes.
func Root(env Env) *cobra.Command {
	if env.Vendors == nil {
		env.Vendors, env.Mocks = vendors(), mocks()
	}
	root := newRootCmd(&app{Env: env, streams: env})
	root.InitDefaultCompletionCmd()
	return root
}
