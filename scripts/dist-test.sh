#!/usr/bin/env bash
# Installs the Debian package that is in a folder, tries it, and removes it again.
# Where that is not possible it says why, and ends with 0.
set -euo pipefail

folder=${1:?usage: dist-test.sh FOLDER}

if [[ $(id -u) -ne 0 ]]; then
	echo "dist-test: skipped: installing a package needs root"
	exit 0
fi
if ! command -v dpkg >/dev/null; then
	echo "dist-test: skipped: this is not Debian: there is no dpkg"
	exit 0
fi
if dpkg -s edrctl >/dev/null 2>&1; then
	echo "dist-test: skipped: a package edrctl is installed already, and stays as it is"
	exit 0
fi

(cd "$folder" && sha256sum --quiet -c checksums.txt)
package=$(ls "$folder"/*_"$(dpkg --print-architecture)".deb)
trap 'dpkg --purge edrctl >/dev/null 2>&1 || true' EXIT
dpkg -i "$package" >/dev/null

/usr/bin/edrctl version
/usr/bin/edrctl mock exec --quiet -- /usr/bin/edrctl user list -A --no-roles -o name >/dev/null
test -s /usr/share/bash-completion/completions/edrctl
test -s /usr/share/zsh/vendor-completions/_edrctl
test -s /usr/share/fish/vendor_completions.d/edrctl.fish
# Containers are often set up to install no manual pages.
if grep -rqs '^path-exclude.*/man/' /etc/dpkg/dpkg.cfg.d; then
	dpkg -c "$package" | grep -q './usr/share/man/man1/edrctl.1'
	echo "dist-test: this system installs no manual pages; they are in the package"
else
	man -w edrctl
fi
dpkg --purge edrctl >/dev/null
trap - EXIT
test ! -e /usr/bin/edrctl
echo "dist-test: $(basename "$package") installs, works and goes"
