#!/usr/bin/env bash
# Prints the Debian packages whose shared libraries the program $1 needs, one a line: what an image must have to
# run it. Run where it was built, since the answer is in that system's package database.
set -euo pipefail
program=$1

libraries=$(ldd "$program")
if grep -q 'not found' <<<"$libraries"; then
  echo "runtime-packages.sh: $program lacks a library here:" >&2
  grep 'not found' <<<"$libraries" >&2
  exit 1
fi
awk '$2 == "=>" {print $3} $1 ~ /^\// {print $1}' <<<"$libraries" | while read -r library; do
  # dpkg knows a file under /lib or /usr/lib, whichever its package said before the two became one.
  real=$(realpath "$library")
  dpkg -S "$library" 2>/dev/null || dpkg -S "$real" 2>/dev/null || dpkg -S "${real#/usr}"
done | sed 's/: .*//; s/:.*//' | sort -u
