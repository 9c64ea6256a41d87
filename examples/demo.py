#!/usr/bin/env python3
"""Plays two phones over real SIP and a watcher over gRPC, and shows what goes over the wire.

./run --demo starts the system and calls this; by hand:
  examples/demo.py --sip 127.0.0.1:5060 --core 127.0.0.1:7460 --presencectl build/release/bin/presencectl
"""

import argparse
import pathlib
import re
import select
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "sip"))
from message import Message, parameter, pidf
from phone import PATIENCE, Phone

ALICE = "sip:alice@example.com"


class Ladder:
    """Prints one arrow a message: alice on the left, the server in the middle, bob and the program on the right."""

    def __init__(self):
        self.start = time.monotonic()

    def heading(self, text):
        print(f"\n{text}")

    def head(self):
        print(f"{'':9}{'alice':<34}{'sip-gateway + presence-core':^33}{'bob, program':>23}")

    def arrow(self, who, to_server, label):
        span = 42
        at = f"{(time.monotonic() - self.start) * 1000:6.0f} ms"
        left = who == "alice"
        rightward = to_server if left else not to_server
        line = f" {label} ".center(span - 1, "-")
        line = line + ">" if rightward else "<" + line
        print(f"{at}  |{line}|{'':{span}}|" if left else f"{at}  |{'':{span}}|{line}|", flush=True)

    def of(self, who):
        """The trace of a phone."""
        def trace(direction, data):
            self.arrow(who, direction == "->", label_of(Message(data)))
        return trace


def label_of(message):
    """What matters in one message, in a few words."""
    if not message.is_request:
        words = [str(message.status), message.get("cseq").split()[1]]
        if message.get("sip-etag"):
            words.append("SIP-ETag " + message.get("sip-etag")[:8])
        return " ".join(words)
    words = [message.method]
    if message.method == "NOTIFY":
        words.append(message.get("subscription-state").split(";")[0])
        reason = parameter(message.get("subscription-state"), "reason")
        if reason:
            words.append(reason)
    if message.get("expires") == "0":
        words.append("Expires 0")
    if message.get("sip-if-match"):
        words.append("SIP-If-Match")
    state = re.search(r"<(?:\w+:)?basic>(\w+)<", message.text)
    note = re.search(r"<(?:\w+:)?note[^>]*>([^<]*)<", message.text)
    if state:
        words.append(state.group(1))
    if note:
        words.append(f'"{note.group(1)}"')
    return " ".join(words)


class Program:
    """presencectl watch: a program that watches over gRPC."""

    def __init__(self, presencectl, core, ladder):
        self.ladder = ladder
        self.child = subprocess.Popen(
            [presencectl, "--server", core, "watch", "alice@example.com", "--watcher", "sip:program@example.com"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self.buffer = b""
        ladder.arrow("watcher", True, "gRPC Watch alice")

    def wait(self, pattern):
        """Prints what comes until a line matches."""
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            line, newline, rest = self.buffer.partition(b"\n")
            if newline:
                self.buffer = rest
                text = " ".join(line.decode("utf-8").split())
                self.ladder.arrow("watcher", False, "gRPC " + shorter(text))
                if re.search(pattern, text):
                    return
            elif select.select([self.child.stdout], [], [], left)[0]:
                data = self.child.stdout.read1(65536)
                if not data:
                    break
                self.buffer += data
        raise SystemExit(f"demo: the program was not told {pattern!r}")

    def end(self):
        self.child.terminate()
        self.child.wait(PATIENCE)
        self.child.stdout.close()


def shorter(line):
    """Of a line of `presencectl watch`: what happened and the state."""
    words = line.replace("alice@example.com ", "").replace("presence ", "")
    return re.sub(r" \d+:\d+$", "", words)


def wanted(text):
    return lambda m: m.is_request and m.method == "NOTIFY" and text in m.text


def play(sip, core, presencectl):
    ladder = Ladder()
    print("sip:alice@example.com and sip:bob@example.com are phones on UDP sockets; a program watches over gRPC.")
    ladder.head()
    with Phone(sip, user="alice", trace=ladder.of("alice")) as alice, \
            Phone(sip, user="bob", trace=ladder.of("bob")) as bob:
        ladder.heading("Bob and a program watch Alice, of whom nothing is known yet.")
        subscription = bob.subscribe(ALICE)
        if subscription.answer.status != 200:
            raise SystemExit(f"demo: SUBSCRIBE was answered {subscription.answer.first_line}")
        subscription.notify()
        program = Program(presencectl, core, ladder)
        try:
            program.wait("snapshot|alice")
            ladder.heading("Alice sits down at her desk: her phone publishes, everybody who watches is told.")
            etag = expect_ok(alice.publish(ALICE, pidf(ALICE, "open", "At my desk"), expires=600)).get("sip-etag")
            bob.wait(wanted("At my desk"))
            program.wait("At my desk")

            ladder.heading("She goes into a meeting: the phone changes what it published, by its entity-tag.")
            etag = expect_ok(alice.publish(ALICE, pidf(ALICE, "open", "In a meeting"), etag=etag)).get("sip-etag")
            bob.wait(wanted("In a meeting"))
            program.wait("In a meeting")

            ladder.heading("Nothing changed, the publication is only refreshed: nobody is told.")
            etag = expect_ok(alice.publish(ALICE, etag=etag, expires=600)).get("sip-etag")
            bob.assert_quiet()

            ladder.heading("Alice goes home: the phone removes its publication.")
            expect_ok(alice.publish(ALICE, etag=etag, expires=0))
            subscription.notify()
            program.wait(".")

            ladder.heading("Bob has seen enough.")
            subscription.refresh(0)
            subscription.phone.wait(lambda m: m.is_request and "terminated" in m.get("subscription-state", ""))
        finally:
            program.end()
    print("\nThat was all of it. ./run starts the same system for your own phones and programs.")


def expect_ok(answer):
    if answer.status != 200:
        raise SystemExit(f"demo: expected 200, got {answer.first_line}")
    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sip", required=True, metavar="IP:PORT")
    parser.add_argument("--core", required=True, metavar="IP:PORT")
    parser.add_argument("--presencectl", required=True, metavar="FILE")
    arguments = parser.parse_args()
    host, _, port = arguments.sip.rpartition(":")
    play((host, int(port)), arguments.core, arguments.presencectl)


if __name__ == "__main__":
    main()
