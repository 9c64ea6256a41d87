#!/usr/bin/env bash
# Builds web-gateway into the directory $1 (default build/release/bin), on a machine that need not have Go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$(realpath -m "${1:-../build/release/bin}")

go=$(./install-go.sh)
PATH=$(dirname "$go"):$PATH
./generate.sh
mkdir -p "$out"
version=$(sed -n 's/^project(presence VERSION \([0-9.]*\).*/\1/p' ../CMakeLists.txt)
# Static: the container image needs nothing but the file.
CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags "-X main.version=$version" -o "$out/web-gateway" .
