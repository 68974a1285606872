#!/bin/sh
# Onboards a person, gives another role, and offboards the person again, in every
# console that is configured. Try it without one: edrctl mock exec -- examples/onboard.sh
set -eu

login=${1:-cy.okafor@example.com}
passwords=$(mktemp -d)/first-passwords.jsonl
trap 'rm -rf "$(dirname "$passwords")"' EXIT

# run shows a command and carries it out.
run() {
	printf '\n$ edrctl'
	for word in "$@"; do
		case $word in
		*' '*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	echo
	edrctl "$@"
}

run tenant list

# The same command can run twice: who is there already is left as is.
run user create "$login" -A --first-name Cy --last-name Okafor --role analyst \
	--generate-password --password-out "$passwords" --if-not-exists

run user get "$login" -A

# A swap never leaves a moment without roles.
run role set "$login" responder -A
run user list -A --role responder

# Offboarding says what remains, if anything does.
run user delete "$login" -A --if-exists --yes
run user list -A --no-roles -o name
