//go:build !unix

package cli

// forbidCores does nothing: here no core is written unless an administrator has
// asked for it.
func forbidCores() (allow func()) { return func() {} }
