package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

func newRoleGrantCmd(a *app) *cobra.Command {
	var expires string
	var sets []string
	cmd := &cobra.Command{
		Use:   "grant <email> <role>...",
		Short: "Give roles to a user",
		Example: `  edrctl role grant ines.duarte@example.com "Help Desk"
  edrctl role grant ines.duarte@example.com help_desk --expires 8h`,
		Args:              wants(2, -1),
		ValidArgsFunction: a.completeArgs(true),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			end, err := parseExpiry(expires, a.Now())
			if err != nil {
				return err
			}
			return a.changeRoles(cmd.Context(), args[0], plan.GrantRoles, provision.RoleChange{Grant: args[1:], Expires: end}, sets)
		}),
	}
	cmd.Flags().StringVar(&expires, "expires", "", "end of the roles: a `time` (RFC 3339), a date (start of that day, UTC), or a duration such as 8h or 30d")
	addSetFlag(cmd, &sets)
	return cmd
}

// parseExpiry reads the end of access: an RFC 3339 time, a date, which means the
// start of that day in UTC, or a duration from now in Go's notation or in days.
// It is in whole seconds; the empty string is the zero time.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	end, err := time.Parse(time.RFC3339, text)
	if err != nil {
		end, err = time.Parse(time.DateOnly, text)
	}
	if err != nil {
		var length time.Duration
		if length, err = parseDuration(text); err == nil {
			end = now.Add(length)
		}
	}
	if err != nil {
		return time.Time{}, provision.Usagef("--expires %q is no RFC 3339 time, date or duration", text)
	}
	end = end.UTC().Truncate(time.Second)
	if !end.After(now) {
		return time.Time{}, provision.Usagef("--expires %q is not in the future", text)
	}
	return end, nil
}

func parseDuration(text string) (time.Duration, error) {
	days, ok := strings.CutSuffix(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	n, err := strconv.Atoi(days)
	if err != nil || n < 0 || n > 36500 {
		return 0, fmt.Errorf("%q is no number of days", days)
	}
	return time.Duration(n) * 24 * time.Hour, nil
}
