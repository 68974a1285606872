#!/bin/sh
# Gives a new person an account and a role in every console, and says for each
# console what the person, or a colleague, has to do next. Can be run again.
#
#   onboard-person.sh LOGIN FIRST-NAME LAST-NAME ROLE
#
# First passwords, where a vendor wants one, go to $PASSWORDS, a new file.
set -eu

login=${1:-noor.haddad@example.com}
first=${2:-Noor}
last=${3:-Haddad}
role=${4:-analyst}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passwords=${PASSWORDS:-$work/first-passwords.jsonl}

status=0
edrctl user create "$login" -A --first-name "$first" --last-name "$last" --role "$role" \
	--generate-password --password-out "$passwords" --if-not-exists \
	--jq '.items[] | "\(.tenant) \(.outcome)"' >"$work/outcomes" || status=$?

todo=0
while read -r tenant outcome; do
	case $outcome in
	created) echo "$tenant: account made" ;;
	granted) echo "$tenant: role given to the account that was there" ;;
	unchanged) echo "$tenant: there already" ;;
	invited) echo "$tenant: invitation mailed; the person has to take it up" ;;
	unsupported) echo "$tenant: TO DO: make the account at the vendor, then run this again" && todo=1 ;;
	unknown) echo "$tenant: TO DO: look whether the account was made, then run this again" && todo=1 ;;
	*) echo "$tenant: FAILED ($outcome)" && todo=1 ;;
	esac
done <"$work/outcomes"

if [ ! -s "$work/outcomes" ]; then
	exit "$status" # nothing was tried; the message is on stderr
fi
echo "onboarding of $login: $([ $todo -eq 0 ] && echo complete || echo "has open ends (status $status)")"
