#!/usr/bin/env bash
# Generates gen/ from ../proto: Go messages and client, the HTTP routes and the OpenAPI document.
# Needs protoc and a Go that satisfies go.mod (install-go.sh). The plugins are the `tool`s of go.mod, so
# go.sum pins them. Does nothing while its inputs are those of the last run; safe to run concurrently.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

exec 9>.generate.lock
flock 9

proto_root=../proto
# What the routes need, and what that imports.
protos=()
for name in admin config core_config errors presence records rules types; do protos+=("presence/v1/$name.proto"); done
routes=$proto_root/presence_http.yaml

inputs=(generate.sh go.mod go.sum "$routes")
for proto in "${protos[@]}"; do inputs+=("$proto_root/$proto"); done
stamp=$(cat "${inputs[@]}" | sha256sum | cut -d' ' -f1)
if [[ -f gen/.stamp && $(<gen/.stamp) == "$stamp" ]]; then exit 0; fi

command -v protoc >/dev/null || {
  echo "generate.sh: protoc is missing; on Debian: apt-get install protobuf-compiler libprotobuf-dev" >&2
  exit 1
}

work=$(mktemp -d "$PWD/.generate.XXXXXX")
trap 'rm -rf "$work"' EXIT
GOBIN=$work/bin GOFLAGS="${GOFLAGS:-} -mod=readonly" go install tool

# The contract names no Go package: it is not only for Go. The mapping is made here.
go_package=presence/web-gateway/gen/presencev1
mapping=()
for plugin in go go-grpc grpc-gateway openapiv2; do
  for proto in "${protos[@]}"; do mapping+=("--${plugin}_opt=M$proto=$go_package"); done
done

mkdir -p "$work/gen/openapi"
PATH=$work/bin:$PATH protoc -I "$proto_root" -I "$proto_root/third_party" "${mapping[@]}" \
  --go_out="$work" --go_opt=module=presence/web-gateway \
  --go-grpc_out="$work" --go-grpc_opt=module=presence/web-gateway \
  --grpc-gateway_out="$work" --grpc-gateway_opt=module=presence/web-gateway \
  --grpc-gateway_opt=grpc_api_configuration="$routes" \
  --openapiv2_out="$work/gen/openapi" \
  --openapiv2_opt=grpc_api_configuration="$routes" \
  --openapiv2_opt=allow_merge=true,merge_file_name=presence,disable_default_errors=false \
  "${protos[@]}"

echo "$stamp" >"$work/gen/.stamp"
chmod -R u+w "$work/gen"
rm -rf "$work/old"
[[ -d gen ]] && mv gen "$work/old"
mv "$work/gen" gen
