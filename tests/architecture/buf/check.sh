#!/bin/sh
# Lints the contract, and refuses changes that would break clients of the last release.
#
#   tests/architecture/buf/check.sh [base]
#
# `base` is what to compare with, a git ref; by default the newest release tag (v*). Before the first
# release nothing has been promised, so there is nothing to break.
set -eu
cd "$(dirname "$0")"
case "$(uname -m)" in
  aarch64 | arm64) package=buf-linux-aarch64 ;;
  *) package=buf-linux-x64 ;;
esac
buf="$PWD/node_modules/@bufbuild/$package/bin/buf"
if [ ! -x "$buf" ]; then
  # The packages are plain binaries: no script of theirs has to run here.
  npm ci --ignore-scripts --no-audit --no-fund
fi

cd ../../..
"$buf" lint
base="${1:-$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)}"
if [ -n "$base" ]; then
  "$buf" breaking --against ".git#ref=$base"
fi
