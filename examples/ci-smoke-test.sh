#!/bin/sh
# What a CI job can hold a provisioning script to, without any vendor: how it
# ends when all is well, when it runs twice, and when the network does not play
# along. Needs no credentials and no network.
set -eu

login=ci.person@example.com

# fake [FLAG]... -- COMMAND... runs a command against a fake of its own.
fake() { edrctl mock exec --quiet --vendor crowdstrike "$@"; }

# demand STATUS COMMAND... runs a command and demands how it ends.
demand() {
	want=$1
	shift
	got=0
	"$@" >/dev/null 2>&1 || got=$?
	if [ "$got" -ne "$want" ]; then
		echo "FAIL: status $got, want $want: $*"
		exit 1
	fi
	echo "ok   status $want: $*"
}

demand 0 fake -- edrctl user create "$login" --role analyst
demand 0 fake -- sh -c "edrctl user create $login && edrctl user create $login --if-not-exists"
demand 5 fake -- sh -c "edrctl user create $login && edrctl user create $login"
demand 4 fake -- edrctl user create "$login" --role no-such-role
demand 9 fake -- edrctl user delete li.tran@my-company.com

# The account is made and the answer is lost: edrctl looks, and does not ask again.
demand 0 fake --fault crowdstrike:POST:/entities/users/v1:drop-after -- edrctl user create "$login"
# The vendor throttles for longer than we are willing to wait.
demand 7 fake --fault crowdstrike:POST:/entities/users/v1:429 -- edrctl user create "$login" --max-wait 10ms
echo "smoke test passed"
