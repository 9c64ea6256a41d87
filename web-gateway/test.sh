#!/usr/bin/env bash
# Formats, vets and tests the web gateway; arguments go to `go test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

go=$(./install-go.sh)
PATH=$(dirname "$go"):$PATH
./generate.sh
unformatted=$(gofmt -l ./*.go)
[[ -z $unformatted ]] || { echo "gofmt would change: $unformatted" >&2; exit 1; }
go mod verify >/dev/null
go vet ./...
go test "$@" ./...
