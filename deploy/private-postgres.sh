#!/usr/bin/env bash
# A PostgreSQL cluster of one's own, for trying things out: on a unix socket in its folder and nowhere else.
#
#   deploy/private-postgres.sh start DIR    makes it if there is none, starts it, prints its connection string
#   deploy/private-postgres.sh stop DIR
#
# Whoever may enter DIR may do everything in it; nobody else reaches it. As root it runs as the user postgres,
# because PostgreSQL refuses root.
set -euo pipefail

die() { printf 'private-postgres: %s\n' "$*" >&2; exit 1; }

[[ $# == 2 && ($1 == start || $1 == stop) ]] || die "usage: $0 start|stop DIR"
action=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd -P)

bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[[ -x $bin/initdb ]] || die "PostgreSQL is missing: apt-get install postgresql"
as=()
if ((EUID == 0)); then
  chown postgres: "$dir"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  "${as[@]}" test -w "$dir" || die "the user postgres cannot reach $dir: run this as another user than root, or elsewhere"
fi
# A path of a unix socket is at most 107 bytes long.
socket=$dir
((${#socket} < 80)) || socket=/tmp/presence-postgres-$(printf %s "$dir" | cksum | cut -d ' ' -f 1)

quietly() {
  local log
  log=$(mktemp)
  # Out of a folder that the user may not be allowed to enter.
  (cd / && "${as[@]}" "$@") >"$log" 2>&1 </dev/null || { tail -n 20 "$log" >&2; rm -f "$log"; die "$* failed"; }
  rm -f "$log"
}

case $action in
  start)
    if [[ ! -f $dir/data/PG_VERSION ]]; then
      quietly "$bin/initdb" --auth=trust --username=presence --encoding=UTF8 --locale=C --pgdata="$dir/data"
    fi
    if ((EUID == 0)); then install -d -o postgres -m 700 "$socket"; else install -d -m 700 "$socket"; fi
    if ! (cd / && "${as[@]}" "$bin/pg_ctl" status -D "$dir/data" >/dev/null); then
      quietly "$bin/pg_ctl" start -w -D "$dir/data" -l "$dir/log" \
        -o "-c listen_addresses= -c unix_socket_directories='$socket' -c unix_socket_permissions=0700"
    fi
    if [[ -z $("$bin/psql" -h "$socket" -U presence -d postgres -Atc "SELECT 1 FROM pg_database WHERE datname = 'presence'") ]]; then
      "$bin/createdb" -h "$socket" -U presence presence
    fi
    printf 'host=%s user=presence dbname=presence\n' "$socket"
    ;;
  stop) quietly "$bin/pg_ctl" stop -w -D "$dir/data" -m fast ;;
esac
