#!/bin/sh
# Shows who has access to what, and whom the list of people does not know.
#
#   quarterly-review.sh [PEOPLE.csv] [FOLDER FOR THE RESULT]
#
# PEOPLE.csv has a column "login" or "email", such as an export of the HR system.
set -eu

people=${1:-}
folder=${2:-}
if [ -z "$folder" ]; then
	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
fi
if [ -z "$people" ]; then
	# Without a list: everybody who is in some console, but for one.
	people=$folder/people.csv
	{
		echo login
		edrctl user list -A --no-roles -o name | sort -fu | tail -n +2
	} >"$people"
fi

edrctl review --against "$people" -o html >"$folder/review.html"
edrctl review --against "$people" -o csv >"$folder/review.csv"
echo "in a console and not in the list:"
edrctl review --against "$people" --jq '.items[] | select(.marks | index("orphan")) | "  " + .login'
echo "in the list and in no console:"
edrctl review --against "$people" --jq '.items[] | select(.marks | index("missing")) | "  " + .login'
