#!/usr/bin/env bash
# Installs a released edrctl on a runner of GitHub: fetches the archive, holds it
# against its checksum and its attestation, and puts it into the PATH of the steps
# that follow. action.yml calls it.
#
#   WANTED      version, such as 0.1.0, or latest
#   REPOSITORY  where the releases are
set -euo pipefail

fail() {
	echo "::error::edrctl: $*"
	exit 1
}

tag=v${WANTED#v}
if [[ $WANTED == latest ]]; then
	tag=$(gh release view --repo "$REPOSITORY" --json tagName --jq .tagName)
fi
[[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*$ ]] || fail "$tag is not a version"

case $RUNNER_OS in
Linux) os=linux suffix=tar.gz ;;
macOS) os=darwin suffix=tar.gz ;;
Windows) os=windows suffix=zip ;;
*) fail "not built for $RUNNER_OS" ;;
esac
case $RUNNER_ARCH in
X64) arch=amd64 ;;
ARM64) arch=arm64 ;;
*) fail "not built for $RUNNER_ARCH" ;;
esac

name=edrctl_${tag#v}_${os}_$arch
archive=$name.$suffix
dir=$RUNNER_TEMP/edrctl
mkdir -p "$dir/$name"
cd "$dir"
gh release download "$tag" --repo "$REPOSITORY" --pattern "$archive" --pattern checksums.txt --clobber

# The list has other files too, and some whose names only begin like this one's.
awk -v name="$archive" '$2 == name' checksums.txt >wanted.txt
[[ -s wanted.txt ]] || fail "$archive has no checksum"
if command -v sha256sum >/dev/null; then
	sha256sum -c wanted.txt || fail "$archive is not what was released"
else
	shasum -a 256 -c wanted.txt || fail "$archive is not what was released"
fi
gh attestation verify "$archive" --repo "$REPOSITORY" || fail "$archive was not built by the release workflow"

if [[ $suffix == zip ]]; then
	unzip -qo "$archive" -d "$name"
else
	tar -xzf "$archive" -C "$name"
fi
echo "$dir/$name" >>"$GITHUB_PATH"
echo "version=${tag#v}" >>"$GITHUB_OUTPUT"
