#!/usr/bin/env bash
# Shows that a newcomer's machine is enough: a bare Debian 12, git clone, ./run --demo ends with 0, and a second
# ./run is ready in seconds. Needs root and debootstrap; cleans up after itself.
#
#   tests/chroot/bare-debian.sh [--ccache DIRECTORY] [--keep]
#
# --ccache lends the chroot a compiler cache of the host: for those in a hurry. What is compiled stays the same.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
kSecondStart=30  # seconds a second ./run may take until its endpoints stand there

ccache= keep=no
while (($#)); do
  case $1 in
    --ccache) ccache=$(realpath "$2"); shift ;;
    --keep) keep=yes ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; [[ $1 == --help ]] && exit 0 || exit 2 ;;
  esac
  shift
done
((EUID == 0)) || { echo "bare-debian.sh: debootstrap and chroot need root" >&2; exit 1; }
if ! command -v debootstrap >/dev/null; then
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends debootstrap >/dev/null
fi

chroot=$(mktemp -d /var/tmp/bare-debian.XXXXXX)
chmod 755 "$chroot"  # apt fetches as a user of its own
clean() {
  local code=$?
  umount "$chroot/ccache" 2>/dev/null || true
  umount "$chroot/proc" 2>/dev/null || true
  umount "$chroot/dev" 2>/dev/null || true
  # Never below something that is still mounted: that would be the host's.
  if [[ $keep == yes ]] || grep -q " $chroot/" /proc/mounts; then echo "kept: $chroot"; else rm -rf "$chroot"; fi
  exit "$code"
}
trap clean EXIT

say() { printf '== %s  %s\n' "$(date -u +%T)" "$*"; }

# The first Debian mirror the host itself uses.
mirror() {
  local uri
  uri=$(sed -nE 's/^URIs: *([^ ]+).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
  [[ -n $uri ]] || uri=$(sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+) +bookworm .*/\2/p' /etc/apt/sources.list 2>/dev/null | head -n 1)
  echo "${uri:-http://deb.debian.org/debian}"
}

# How this host reaches the world: certificates, proxies, mirrors. A host that needs none of it has none.
lend_network_settings() {
  local file
  cp /etc/resolv.conf "$chroot/etc/resolv.conf"
  cp /etc/hosts "$chroot/etc/hosts"
  for file in /etc/apt/apt.conf.d/*; do
    if grep -qiE 'proxy|CaInfo|Verify-' "$file" 2>/dev/null; then cp "$file" "$chroot/etc/apt/apt.conf.d/"; fi
  done
  if [[ -f /etc/apt/sources.list.d/debian.sources ]]; then
    cp /etc/apt/sources.list.d/debian.sources "$chroot/etc/apt/sources.list.d/"
    : >"$chroot/etc/apt/sources.list"
  elif [[ -s /etc/apt/sources.list ]]; then
    cp /etc/apt/sources.list "$chroot/etc/apt/sources.list"
  fi
  if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
    mkdir -p "$chroot/usr/local/share/ca-certificates"
    cp /usr/local/share/ca-certificates/*.crt "$chroot/usr/local/share/ca-certificates/"
  fi
}

# inside COMMAND...   with the variables by which this host reaches the world, and no others.
inside() {
  local variable lent=()
  for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY GOPROXY GOSUMDB GONOSUMDB GOFLAGS; do
    [[ -z ${!variable:-} ]] || lent+=("$variable=${!variable}")
  done
  [[ -z $ccache ]] || lent+=(CCACHE_DIR=/ccache)
  chroot "$chroot" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    ${lent[@]+"${lent[@]}"} "$@"
}

say "debootstrap"
debootstrap --variant=minbase bookworm "$chroot" "$(mirror)" >"$chroot.log" 2>&1 ||
  { tail -n 20 "$chroot.log"; rm -f "$chroot.log"; exit 1; }
rm -f "$chroot.log"
mount -t proc proc "$chroot/proc"
mount --bind /dev "$chroot/dev"
if [[ -n $ccache ]]; then mkdir "$chroot/ccache" && mount --bind "$ccache" "$chroot/ccache"; fi
lend_network_settings

say "git clone"
inside apt-get update -q >/dev/null
inside env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends git ca-certificates >/dev/null
mkdir "$chroot/origin.git"
git -C "$root" bundle create -q "$chroot/origin.git/presence.bundle" HEAD
inside git clone -q /origin.git/presence.bundle /presence

say "./run --demo"
inside /presence/run --demo
say "./run --demo ended with 0"

say "a second ./run"
started=$SECONDS
# Its own session, so that the interrupt reaches it as Ctrl-C at a terminal does: the default action is restored.
mkfifo "$chroot/said"
inside python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.setsid()
open("/run.pid", "w").write(str(os.getpid()))
os.execv("/presence/run", ["run"])' >"$chroot/said" 2>&1 &
writer=$!
exec 3<"$chroot/said"  # held to the end: what it says when it stops must find a reader
while IFS= read -r -t "$kSecondStart" -u 3 line; do
  echo "$line"
  if [[ $line == "Ctrl-C stops"* ]]; then break; fi
done
[[ ${line:-} == "Ctrl-C stops"* ]] || { echo "no endpoints within $kSecondStart s" >&2; exit 1; }
say "ready after $((SECONDS - started)) s"
kill -INT -- "-$(<"$chroot/run.pid")"
code=0
wait "$writer" || code=$?
((code == 130)) || { echo "Ctrl-C: exit code $code instead of 130" >&2; exit 1; }
if inside pgrep -f /presence/build/release/bin >/dev/null; then echo "something still runs" >&2; exit 1; fi
say "stopped; all of it works"
