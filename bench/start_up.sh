#!/usr/bin/env bash
# How long a core takes from its start to serving, with so many presentities in its database, each with a publication
# and a subscription:
#
#   bench/start_up.sh BIN PRESENTITIES [write-through|write-back]
#
# BIN holds presence-core, sip-gateway and sip_load of one build. Makes a PostgreSQL cluster of its own, fills it over
# SIP, kills the core (kill -9) and starts it three times. Prints what the core says of each start.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ $# == 2 || $# == 3 ]] || { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
bin=$1 presentities=$2 mode=${3:-write-through}

folder=$(mktemp -d /tmp/start-up.XXXXXX)
chmod 755 "$folder"
core= gateway=
clean() {
  [[ -z $gateway ]] || kill "$gateway" 2>/dev/null || true
  [[ -z $core ]] || kill "$core" 2>/dev/null || true
  wait
  "$root/deploy/private-postgres.sh" stop "$folder/postgres" >/dev/null
  rm -rf "$folder"
}
trap clean EXIT

dsn=$("$root/deploy/private-postgres.sh" start "$folder/postgres")
"$bin/presence-core" migrate up --dsn "$dsn" >/dev/null

# Leaves the pid in `core`, and returns when it is ready.
start_core() {
  "$bin/presence-core" dev --storage postgres --storage-mode "$mode" --dsn "$dsn" --listen 127.0.0.1:0 \
    --ops-listen 127.0.0.1:0 --set "unix_socket=$folder/core.sock" >"$folder/core.log" 2>&1 &
  core=$!
  until grep -q '^ready in' "$folder/core.log"; do
    kill -0 "$core" || { cat "$folder/core.log" >&2; exit 1; }
    read -rt 0.05 <> <(:) || true
  done
}

start_core
port=$((20000 + RANDOM % 20000))
"$bin/sip-gateway" --dev --core "unix:$folder/core.sock" --listen "udp:127.0.0.1:$port" --ops-listen 127.0.0.1:0 \
  >"$folder/gateway.log" 2>&1 &
gateway=$!
until grep -q 'connected to core' "$folder/gateway.log"; do read -rt 0.05 <> <(:) || true; done
"$bin/sip_load" --target "127.0.0.1:$port" --pids "$core,$gateway" --presentities "$presentities" --fill-only
# What is promised is written, and what was told is noted.
read -rt 3 <> <(:) || true
for _ in 1 2 3; do
  kill -9 "$core"
  wait "$core" 2>/dev/null || true
  start_core
  grep -ohE 'loaded .*|^ready in [0-9]+ ms' "$folder/core.log"
done
