"""What the scenarios share: one running system a class, phones that are closed, and users of their own."""

import itertools
import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "sip"))
from message import Message, WatcherInfo, address, parameter, pidf  # noqa: F401  (for the scenarios)
from name_server import NameServer  # noqa: F401
from phone import PATIENCE, QUIET, Listener, Phone, Silence  # noqa: F401
from system import STORED_FIRST, Process, System, binaries, free_port  # noqa: F401

_users = itertools.count(1)

# Added to the bounds the checklist promises: what a busy machine may take. That the bound itself is kept is
# shown on a clock that tests move: tests/unit/presence-core/engine.
SLACK = 1.5


class Scenario(unittest.TestCase):
    """Starts a system for the class; `core` and `gateway` are further arguments of the two."""

    core = ()
    gateway = ()
    host = "127.0.0.1"
    dev = True

    @classmethod
    def setUpClass(cls):
        cls.system = System(core=cls.core, gateway=cls.gateway, host=cls.host, dev=cls.dev)

    @classmethod
    def tearDownClass(cls):
        # A sanitizer's report and a crash both show in the exit code.
        codes = cls.system.stop()
        if codes != [0, 0]:
            raise AssertionError(f"gateway and core ended with {codes}:\n"
                                 + "\n".join(cls.system.gateway.lines[-20:] + cls.system.core.lines[-20:]))

    def phone(self, transport="udp", user="bob", **options):
        phone = Phone(self.system.sip, transport, user, **options)
        self.addCleanup(phone.close)
        return phone

    def listener(self, **options):
        listener = Listener(self.system.sip, **options)
        self.addCleanup(listener.close)
        return listener

    def accepted(self, listener):
        phone = listener.accept()
        self.addCleanup(phone.close)
        return phone

    def phone_of_both_transports(self):
        """A phone on UDP and the listener on the same port of TCP."""
        for _ in range(100):
            phone = self.phone()
            try:
                listener = phone.listen()
            except OSError:
                continue
            self.addCleanup(listener.close)
            return phone, listener
        raise RuntimeError("no port that is free for both")

    def new_user(self, name="alice"):
        """A presentity that no other test has touched."""
        return f"sip:{name}{next(_users)}@example.com"

    def published(self, phone, user, basic="open", note="", **options):
        """Publishes and returns the entity-tag."""
        answer = phone.publish(user, pidf(user, basic, note), **options)
        self.assertEqual(answer.status, 200, answer)
        return answer.get("sip-etag")

    def subscribed(self, phone, user, **options):
        """Subscribes, takes the first NOTIFY, returns (subscription, NOTIFY)."""
        subscription = phone.subscribe(user, **options)
        self.assertEqual(subscription.answer.status, 200, subscription.answer)
        return subscription, subscription.notify()

    def listed(self, noun, user, *options):
        """What presencectl lists, over gRPC; of everybody if `user` is None."""
        name = [user.partition(":")[2]] if user else []
        lines = self.system.presencectl(noun, "list", *name, *options, "-o", "jsonl")
        return [json.loads(line) for line in lines.splitlines()]

    def rows(self, user=None):
        """The publications."""
        return self.listed("presentity", user, "--full")

    def subscriptions(self, user=None):
        return self.listed("subscription", user)

    def eventually(self, holds):
        """Asks again until it holds; each question takes a process, so nothing spins."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if holds():
                return
        self.fail("did not come true")

    def assert_status(self, answer, status):
        self.assertEqual(answer.status, status, f"\n{answer}")

    def assert_works(self):
        """An ordinary PUBLISH is served."""
        user = self.new_user("well")
        self.published(self.phone(user="well"), user)


def basics(document):
    """The basic states a document shows, in order."""
    return re.findall(r"<(?:\w+:)?basic>(\w+)<", document)
