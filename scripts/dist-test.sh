#!/usr/bin/env bash
# Installs the Debian package that is in a folder, tries it, and removes it again:
# edrctl runs, its manual opens, and each shell that is here finds the completions.
# Where that is not possible it says why, and ends with 0.
set -euo pipefail

folder=${1:?usage: dist-test.sh FOLDER}

skip() {
	echo "dist-test: skipped: $*"
	exit 0
}
[[ $(id -u) -eq 0 ]] || skip "installing a package needs root"
command -v dpkg >/dev/null || skip "this is not Debian: there is no dpkg"
! dpkg -s edrctl >/dev/null 2>&1 || skip "a package edrctl is installed already, and stays as it is"

(cd "$folder" && sha256sum --quiet -c checksums.txt)
package=$(ls "$folder"/*_"$(dpkg --print-architecture)".deb)
list=$(dpkg -c "$package" | awk '!/\/$/ {print substr($6, 2)}')
home=$(mktemp -d)
trap 'dpkg --purge edrctl >/dev/null 2>&1 || true; rm -rf "$home"' EXIT
export HOME=$home
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_STATE_HOME XDG_DATA_HOME
dpkg -i "$package" >/dev/null

/usr/bin/edrctl version
/usr/bin/edrctl mock exec --quiet -- /usr/bin/edrctl user list -A --no-roles -o name >/dev/null

# Containers are often set up to install no manual pages.
if grep -rqs '^path-exclude.*/man/' /etc/dpkg/dpkg.cfg.d; then
	grep -qx '/usr/share/man/man1/edrctl.1' <<<"$list"
	echo "dist-test: this system installs no manual pages; they are in the package"
elif ! command -v man >/dev/null; then
	test -s /usr/share/man/man1/edrctl.1
	echo "dist-test: there is no man; the pages are installed"
else
	for page in edrctl edrctl-user-create; do
		man "$page" 2>"$home/warnings" | grep -q '^NAME' || { echo "dist-test: man $page does not open" && exit 1; }
		[[ ! -s $home/warnings ]] || { cat "$home/warnings" && exit 1; }
	done
fi

# completes SHELL COMMAND... wants the verb in what a shell offers for "edrctl user cr".
completes() {
	local shell=$1
	shift
	if ! command -v "$1" >/dev/null || [[ $shell == bash && ! -r /usr/share/bash-completion/bash_completion ]]; then
		echo "dist-test: completion for $shell is not tried: it is not here"
		return
	fi
	"$@" 2>/dev/null | grep -q '^create\b' || { echo "dist-test: $shell completes nothing" && exit 1; }
	echo "dist-test: $shell completes"
}
test -s /usr/share/bash-completion/completions/edrctl
test -s /usr/share/zsh/vendor-completions/_edrctl
test -s /usr/share/fish/vendor_completions.d/edrctl.fish
# As a shell does it at the first tab: the loader finds the file by the command's
# name, and the function in it is asked.
# shellcheck disable=SC2016 # the inner shell expands
completes bash bash --norc -c '
	. /usr/share/bash-completion/bash_completion
	_completion_loader edrctl
	asks=$(complete -p edrctl | sed "s/.*-F \([^ ]*\).*/\1/")
	COMP_LINE="edrctl user cr" COMP_POINT=14 COMP_WORDS=(edrctl user cr) COMP_CWORD=2 COMP_TYPE=9 COMP_KEY=9
	"$asks" edrctl cr user
	printf "%s\n" "${COMPREPLY[@]}"'
# zsh completes only at a terminal: compadd, which would show what is offered, prints.
# shellcheck disable=SC2016
completes zsh zsh -f -c '
	autoload -Uz compinit && compinit -u -D
	[[ $_comps[edrctl] == _edrctl ]] || exit 1
	_describe() { print -l -- "${(@P)2}"; }
	words=(edrctl user cr) CURRENT=3
	$_comps[edrctl]'
completes fish fish -c 'complete -C "edrctl user cr"'

dpkg --purge edrctl >/dev/null
left=$(while read -r file; do [[ ! -e $file ]] || echo "$file"; done <<<"$list")
[[ -z $left ]] || { echo "dist-test: left behind: $left" && exit 1; }
echo "dist-test: $(basename "$package") installs, works and goes"
