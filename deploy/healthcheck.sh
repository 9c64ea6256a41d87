#!/usr/bin/env bash
# Health of the process in this container, for HEALTHCHECK: the slim images have no HTTP or SIP client.
#   healthcheck.sh http PORT PATH    0 if GET PATH is answered 200
#   healthcheck.sh sip PORT          0 if OPTIONS over UDP is answered 200
set -euo pipefail
readonly answer_seconds=2

case ${1:-} in
  http)
    exec 3<>"/dev/tcp/127.0.0.1/$2"
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$3" >&3
    read -r -t "$answer_seconds" line <&3
    [[ $line == HTTP/1.?\ 200* ]]
    ;;
  sip)
    exec 3<>"/dev/udp/127.0.0.1/$2"
    tag=$$.$RANDOM$RANDOM
    # Without a user it is for the gateway itself (RFC 3261 section 11), whatever domains it serves.
    # rport (RFC 3581): the answer comes back to the port this was sent from. dd writes and reads a datagram
    # whole; bash would do it by line and by byte.
    printf '%s\r\n' \
      'OPTIONS sip:127.0.0.1 SIP/2.0' \
      "Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK$tag" \
      'Max-Forwards: 0' \
      "From: <sip:health@127.0.0.1>;tag=$tag" \
      'To: <sip:127.0.0.1>' \
      "Call-ID: $tag@127.0.0.1" \
      'CSeq: 1 OPTIONS' \
      'Content-Length: 0' \
      '' | dd bs=4096 iflag=fullblock status=none >&3
    answer=$(timeout "$answer_seconds" dd bs=65536 count=1 status=none <&3 | tr -d '\0')
    [[ $answer == 'SIP/2.0 200'* ]]
    ;;
  *)
    sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
