#!/bin/sh
# Takes all access from a person in every console and keeps the evidence. Ends
# with 0 when nothing is left, and with 6 and a list when something remains that
# has to be removed by hand.
#
#   offboard-person.sh LOGIN [FOLDER FOR THE EVIDENCE]
set -eu

login=${1:-cy.okafor@example.com}
folder=${2:-}
if [ -z "$folder" ]; then
	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
fi
evidence=$folder/$login-$(date -u +%Y%m%dT%H%M%SZ).json

# What would happen, on the record of the ticket, before it does.
edrctl offboard "$login" --dry-run

status=0
edrctl offboard "$login" --evidence "$evidence" --wait "${WAIT:-90s}" --yes \
	--jq '.items[] | "\(.tenant) \(.outcome)", (.residualAccess[] | "  remains: \(.kind) \(.name)")' || status=$?

case $status in
0) echo "$login: no access is left" ;;
6) echo "$login: something remains, or a console could not be reached: see above" ;;
*) echo "$login: stopped with status $status" ;;
esac
edrctl audit verify >/dev/null
echo "evidence: $(wc -c <"$evidence") bytes; the record of changes is intact"
exit "$status"
