"""What the scenarios share: one running system a class, phones that are closed, and users of their own."""

import itertools
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "sip"))
from message import Message, address, parameter, pidf  # noqa: F401  (for the scenarios)
from phone import PATIENCE, QUIET, Phone, Silence  # noqa: F401
from system import Process, System, binaries, free_port  # noqa: F401

_users = itertools.count(1)


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

    def rows(self, user):
        """What ListPresentities has of the user."""
        name = user.partition(":")[2]
        lines = self.system.presencectl("presentity", "list", name, "--full", "-o", "jsonl", code=None)
        return [line for line in lines.splitlines() if line]

    def subscriptions(self, user):
        name = user.partition(":")[2]
        lines = self.system.presencectl("subscription", "list", name, "-o", "jsonl", code=None)
        return [line for line in lines.splitlines() if line]

    def assert_status(self, answer, status):
        self.assertEqual(answer.status, status, f"\n{answer}")

    def assert_works(self):
        """An ordinary PUBLISH is served."""
        user = self.new_user("well")
        self.published(self.phone(user="well"), user)


def basics(document):
    """The basic states a document shows, in order."""
    return re.findall(r"<(?:\w+:)?basic>(\w+)<", document)
