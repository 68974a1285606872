#!/bin/sh
# Carries out exactly the plan that somebody has looked at.
#
#   apply-roster.sh plan ROSTER          show the plan and its SHA-256
#   apply-roster.sh apply ROSTER SHA256  carry it out, if it is still that plan
#
# Without arguments it does both, with a roster of what is there and one person
# more, and then shows that a second run finds nothing to do.
set -eu

show() {
	edrctl plan -f "$1"
	edrctl plan -f "$1" --quiet --jq .sha256 | tee "${2:-/dev/null}"
}

carry_out() {
	edrctl apply -f "$1" --expect-sha "$2" --max-deletes "${MAX_DELETES:-10}" --yes
	# With --exit-code, 8 would mean that something is left to do.
	edrctl plan -f "$1" --quiet --exit-code >/dev/null
	echo "the consoles are as the roster says"
}

case ${1:-demo} in
plan) show "$2" ;;
apply) carry_out "$2" "$3" ;;
demo)
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	edrctl export -t crowdstrike --out "$work/team.yaml"
	cat >>"$work/team.yaml" <<-'END'
	  - login: noor.haddad@example.com
	    first-name: Noor
	    last-name: Haddad
	    roles: [falconhost_read_only]
	    tenants: [crowdstrike]
	END
	show "$work/team.yaml" "$work/sha256"
	carry_out "$work/team.yaml" "$(cat "$work/sha256")"
	;;
*)
	echo "usage: $0 [plan ROSTER | apply ROSTER SHA256]" >&2
	exit 2
	;;
esac
