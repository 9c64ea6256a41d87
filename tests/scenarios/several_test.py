"""Several cores on one database, all of which serve (storage mode db-only), each with a gateway of its own.

Runs under tests/postgres/with_cluster.py with PRESENCE_TEST_STORAGE_MODE=db-only.
"""

import random
import re
import signal
import unittest

from continuous import continuous
from scenario import Phone, Process, Scenario, System, free_port, pidf


class Edge:
    """A core and the gateway that comes to it first; it knows the other cores, too."""

    def __init__(self, system, name):
        self.system = system
        self.name = name
        self.core = Process([system.bin / "presence-core", "dev", "--listen", "127.0.0.1:0", "--ops-listen",
                             "127.0.0.1:0", *system.core_arguments, "--set", f"storage.node={name}"])
        self.core.wait_for("^ready in ")
        self.address = self.core.wait_for(r"gRPC +([0-9.]+:\d+)").group(1)
        self.gateway = None
        self.sip = ("127.0.0.1", free_port())

    def connect(self, others, group=None):
        cores = [argument for edge in (self, *others) for argument in ("--core", edge.address)]
        self.gateway = Process([self.system.bin / "sip-gateway", "--dev", *cores, "--name", f"gateway-{self.name}",
                                *(("--set", f"group={group}") if group else ()), "--ops-listen", "127.0.0.1:0",
                                "--listen", f"udp:127.0.0.1:{self.sip[1]}",
                                "--listen", f"tcp:127.0.0.1:{self.sip[1]}"])
        self.gateway.wait_for("connected to core")

    def stop(self):
        for process in (self.gateway, self.core):
            if process is not None and process.child.poll() is None:
                process.stop()


class SeveralCores(Scenario):
    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.system = System(core=("--set", "storage.node=first", "--set", "publish.min_expires=1s"))
        self.addCleanup(self.system.stop)
        self.edges = []
        for name in ("second", "third"):
            self.edges.append(Edge(self.system, name))
            self.addCleanup(self.edges[-1].stop)
        self.system.gateway.stop()
        self.system.gateway_arguments += [argument for edge in self.edges for argument in ("--core", edge.address)]
        self.system.start_gateway()
        self.connect(self.edges)

    def connect(self, edges):
        for edge in edges:
            edge.connect([other for other in self.edges if other is not edge])

    def phone_of(self, edge, transport="udp", user="bob"):
        phone = Phone(edge.sip, transport, user)
        self.addCleanup(phone.close)
        return phone

    def on(self, edge, *arguments):
        """presencectl, asking the core of this edge."""
        first, self.system.core_address = self.system.core_address, edge.address
        try:
            return self.system.run_presencectl(*arguments)
        finally:
            self.system.core_address = first

    def test_what_one_core_has_answered_the_others_know_at_once(self):
        user = self.new_user()
        second, third = (self.phone_of(edge, user="alice") for edge in self.edges)
        tag = None
        for number in range(50):
            publishing, asked = (second, self.edges[1]) if number % 2 else (third, self.edges[0])
            tag = self.published(publishing, user, note=f"state {number};", etag=tag)
            self.assertIn(f"state {number};", self.on(asked, "state", "get", user).stdout)
        self.assert_status(self.phone(user="alice").publish(user, pidf(user), etag="no-such"), 412)

    def test_p23_publications_of_one_user_through_three_cores(self):
        user = self.new_user()
        dice = random.Random(23)
        publishing = [self.phone(user="alice"), *(self.phone_of(edge, user="alice") for edge in self.edges)]
        watching = [self.phone(), *(self.phone_of(edge) for edge in self.edges)]
        dialogs = [self.subscribed(phone, user)[0] for phone in watching]
        tag = None
        for number in range(1000):
            tag = self.published(dice.choice(publishing), user, note=f"state {number};", etag=tag)
        for dialog in dialogs:
            shown = []
            while not shown or shown[-1] != 999:
                shown += [int(found) for found in re.findall(r"state (\d+);", dialog.notify().text)]
            self.assertEqual(shown, sorted(set(shown)))

    def test_a_subscription_is_refreshed_and_ended_through_another_core(self):
        user = self.new_user()
        dialog, _ = self.subscribed(self.phone_of(self.edges[0]), user)
        moved = self.phone_of(self.edges[1])
        dialog.phone, dialog.contact = moved, f"<{moved.contact}>"
        self.assert_status(dialog.refresh(600), 200)
        dialog.notify()
        self.published(self.phone(user="alice"), user, note="told there")
        self.assertIn("told there", dialog.notify().text)
        self.assert_status(dialog.refresh(0), 200)
        self.eventually(lambda: not self.subscriptions(user))

    def test_n10_a_gateway_goes_on_at_another_core_when_its_own_is_killed(self):
        with continuous(self) as load:
            load.await_answers(20)
            with load.crash():
                self.system.core.stop(signal.SIGKILL)
                self.system.core_address = self.edges[0].address
            load.await_served()
            load.await_answers(20)

    def test_what_a_dead_core_accepted_expires_at_another(self):
        user = self.new_user()
        dialog, _ = self.subscribed(self.phone_of(self.edges[1]), user)
        self.published(self.phone_of(self.edges[0], user="alice"), user, note="short", expires=3)
        self.assertIn("short", dialog.notify().text)
        self.edges[0].core.stop(signal.SIGKILL)
        self.assertIn("closed", dialog.notify().text)
        self.assertEqual(self.rows(user), [])

    def test_the_gateways_of_a_group_meet_at_one_core(self):
        for edge in self.edges:
            edge.gateway.stop()
        first, second = self.edges
        first.connect([second], group="edge")
        second.connect([first], group="edge")
        user = self.new_user()
        # Each on a connection of its own gateway.
        dialogs = [self.subscribed(self.phone_of(edge, "tcp"), user)[0] for edge in self.edges]
        self.published(self.phone(user="alice"), user, note="to both")
        for dialog in dialogs:
            self.assertIn("to both", dialog.notify().text)
        sessions = self.system.database.run(
            "SELECT core, cardinality(gateways) FROM gateway_session WHERE gateway_group = 'edge'")
        self.assertIn(sessions, ("second|2", "third|2"))

    def test_one_that_wants_the_state_alone_waits(self):
        alone = Process([self.system.bin / "presence-core", "dev", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0",
                         *self.system.core_arguments, "--storage-mode", "write-through",
                         "--set", "storage.node=alone"])
        self.addCleanup(alone.stop)
        alone.wait_for(r"several cores \(db-only\) serves from this database")


if __name__ == "__main__":
    unittest.main()
