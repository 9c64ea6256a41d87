#!/usr/bin/env bash
# Prints the path of a `go` that builds this module, and gets one first where the machine has none.
#
# Debian 12 has Go 1.19, which is too old for the module but able to fetch another module: the Go toolchain
# itself, from wherever GOPROXY says, checked against toolchain/go.sum. No download site is named here, and
# the caller's GOPROXY, GOFLAGS, GONOSUMDB, GOMODCACHE ... hold throughout.
# The toolchain lands in build/tools/ (or $PRESENCE_TOOLS_DIR); a second run finds it there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=${PRESENCE_TOOLS_DIR:-$here/../build/tools}

say() { echo "install-go.sh: $*" >&2; }

needed=$(awk '$1 == "go" {print $2}' "$here/go.mod")
pinned=$(awk '$1 == "toolchain" {print $2}' "$here/go.mod")

# True if $1 is a go that can build the module. Go >= 1.21 may answer with a newer self that it fetched.
builds_the_module() {
  local version
  version=$(cd "$here" && "$1" env GOVERSION 2>/dev/null) || return 1
  version=${version#go}
  [[ -n $version && $(printf '%s\n%s\n' "$needed" "${version%% *}" | sort -V | head -n 1) == "$needed" ]]
}

install_debian_package() {
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || { say "no Go here; as root: apt-get install golang-go"; exit 1; }
    as_root=(sudo)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends golang-go ca-certificates >&2
}

# Fetches the pinned toolchain with the go $1 into the directory $2.
fetch_toolchain() {
  local go=$1 destination=$2 architecture answer unpacked part
  architecture=$("$go" env GOARCH)
  local module=golang.org/toolchain@v0.0.1-$pinned.linux-$architecture
  # A module that no go.sum line covers would be taken on the word of whoever serves it.
  grep -q "^${module/@/ } h1:" "$here/toolchain/go.sum" || {
    say "toolchain/go.sum has no checksum of $module; install Go >= $needed yourself"
    exit 1
  }
  say "fetching $module"
  answer=$(cd "$here/toolchain" && GOTOOLCHAIN=local GO111MODULE=on "$go" mod download -json "$module")
  unpacked=$(sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p' <<<"$answer")
  [[ -d $unpacked ]] || { say "cannot fetch $module: $answer"; exit 1; }

  mkdir -p "$(dirname "$destination")"
  part=$(mktemp -d "$destination.XXXXXX")
  cp -R "$unpacked/." "$part"
  chmod -R u+w,go+rX "$part"
  # A module archive keeps neither executable bits nor a nested go.mod; it carries the latter as _go.mod.
  chmod -R +x "$part/bin" "$part/pkg/tool"
  find "$part" -name _go.mod -execdir mv _go.mod go.mod ';'
  # Whoever is second finds the directory there and drops its own copy.
  mv -T "$part" "$destination" 2>/dev/null || rm -rf "$part"
}

if command -v go >/dev/null && builds_the_module go; then
  command -v go
  exit 0
fi
destination=$tools/$pinned
if [[ ! -x $destination/bin/go ]]; then
  command -v go >/dev/null || install_debian_package
  fetch_toolchain "$(command -v go)" "$destination"
fi
builds_the_module "$destination/bin/go" || { say "$destination/bin/go does not run"; exit 1; }
readlink -f "$destination/bin/go"
