"""Two cores on one database: one owns the state, the other waits for its turn.

Runs under tests/postgres/with_cluster.py with PRESENCE_TEST_STORAGE_MODE set.
"""

import pathlib
import re
import signal
import sys
import time
import unittest
import urllib.error
import urllib.request

from continuous import FLUSH, continuous
from scenario import Process, Scenario, System

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "postgres"))
from commit_cutter import CommitCutter


class TwoCores(Scenario):
    """`first` serves, `second` stands by, and the gateway knows both. A system a test, for each ends one."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.system = System(core=("--set", "storage.node=first",
                                   "--set", f"storage.flush_interval={FLUSH * 1000:.0f}ms"))
        self.addCleanup(self.system.stop)
        self.prepare_first()
        self.first = self.system.core
        self.addCleanup(self.first.stop)
        self.second = Process([self.system.bin / "presence-core", "dev", "--listen", "127.0.0.1:0",
                               "--ops-listen", "127.0.0.1:0", *self.system.core_arguments,
                               "--set", "storage.node=second"])
        self.addCleanup(self.second.stop)
        waiting = self.second.wait_for(
            r"first serves from this database; waiting until it stops. Calls to (\S+) go on to it at (\S+)")
        self.address, owner = waiting.groups()
        self.assertEqual(owner, self.system.core_address)
        self.ops_address = self.second.wait_for(r"ops on http://(\S+)").group(1)
        self.system.gateway.stop()
        self.system.gateway_arguments += ["--core", self.address]
        self.system.start_gateway()

    def prepare_first(self):
        """Before the second core comes."""

    def on_second(self, *arguments):
        """presencectl, asking the second core."""
        first, self.system.core_address = self.system.core_address, self.address
        try:
            return self.system.run_presencectl(*arguments)
        finally:
            self.system.core_address = first

    def await_succession(self, since, seconds):
        self.second.wait_for("^ready in ")
        self.assertLess(time.monotonic() - since, seconds)
        self.system.core, self.system.core_address = self.second, self.address


class Succession(TwoCores):
    def test_calls_to_the_one_that_waits_are_served_by_the_owner(self):
        done = self.on_second("publish", "alice@example.com", "--open", "--note", "by the second")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("by the second", self.system.presencectl("state", "get", "alice@example.com"))
        # What the owner refuses is refused in its words.
        args = ("publish", "alice@example.com", "--open", "--event", "no-such")
        self.assertEqual(self.on_second(*args).stderr, self.system.run_presencectl(*args).stderr)

    def test_the_one_that_waits_sends_streams_away_and_is_not_ready(self):
        done = self.on_second("watch", "alice@example.com")
        self.assertIn("CORE_UNREACHABLE", done.stderr)
        self.assertIn(f"first at {self.system.core_address} owns the state", done.stderr)
        with self.assertRaises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(f"http://{self.ops_address}/ready", timeout=20)
        self.assertEqual(refusal.exception.code, 503)
        self.assertIn(b"standing by", refusal.exception.read())

    def test_the_one_that_waits_stops_when_told(self):
        self.assertEqual(self.second.stop(), 0)

    def test_n10_a_gateway_follows_when_the_owner_dies_and_nothing_answered_is_lost(self):
        with continuous(self) as load:
            load.await_answers(20)
            with load.crash():
                died = time.monotonic()
                self.first.stop(signal.SIGKILL)
                self.await_succession(died, 8.0)  # four seconds of lease, and what a busy machine takes
            load.await_served()

    def test_an_owner_that_stood_still_neither_commits_nor_instructs(self):
        with continuous(self) as load:
            load.await_answers(20)
            with load.crash():
                stopped = time.monotonic()
                self.addCleanup(self.first.child.send_signal, signal.SIGCONT)
                self.first.child.send_signal(signal.SIGSTOP)
                self.await_succession(stopped, 8.0)
            load.await_served()
            self.first.child.send_signal(signal.SIGCONT)
            self.first.wait_for("stopping at once")
            self.assertEqual(self.first.await_end(), 1)
            load.await_answers(20)
        database = self.system.database
        self.assertEqual(database.run("SELECT DISTINCT node FROM lease"), "second")

    def test_one_that_cannot_load_the_state_gives_the_lease_back_and_tries_again(self):
        self.system.presencectl("publish", "alice@example.com", "--open", "--note", "kept")
        self.eventually(lambda: self.system.core_metrics()["presence_storage_dirty_rows"] == 0)
        database = self.system.database
        database.run("ALTER TABLE tombstone RENAME TO away")
        self.first.stop(signal.SIGKILL)
        self.second.wait_for("the state cannot be loaded, trying again in 1s: .*tombstone")
        self.assertEqual(database.run("SELECT bool_and(expires_at = 'epoch') FROM lease"), "t")
        database.run("ALTER TABLE away RENAME TO tombstone")
        self.second.wait_for("^ready in ")
        self.assertIn("kept", self.on_second("state", "get", "alice@example.com").stdout)

    def test_an_owner_that_was_overtaken_ends_by_itself(self):
        self.system.database.run("UPDATE lease SET epoch = epoch + 1, node = 'second'")
        self.first.wait_for("stopping at once")
        self.assertEqual(self.first.await_end(), 1)

    def test_an_owner_that_is_awaited_falls_silent_when_it_is_cut_off(self):
        self.system.presencectl("publish", "alice@example.com", "--open", "--note", "kept")
        database = self.system.database
        database.run(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false", database.cluster)
        database.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'",
                     database.cluster)
        self.eventually(lambda: self.system.refusal("state", "get", "alice@example.com") == "STORAGE_UNAVAILABLE")
        database.run(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true", database.cluster)
        # Whoever is first: the one that was cut off goes on, or the one that waits takes over.
        self.eventually(lambda: "kept" in self.on_second("state", "get", "alice@example.com").stdout)


class OwnerCutOff(TwoCores):
    """The first core has a way to the database that a test can cut; the second goes there directly."""

    def prepare_first(self):
        dsn, direct = self.system.database.dsn, list(self.system.core_arguments)
        self.way = CommitCutter(re.search(r"host=(\S+)", dsn).group(1))
        self.addCleanup(self.way.close)
        way = self.way.dsn.replace("dbname=postgres", f"dbname={self.system.database.name}")
        self.system.core.stop()
        self.system.core_arguments = [way if argument == dsn else argument for argument in direct]
        self.system.start_core(self.system.core_address)
        self.system.core_arguments = direct

    def test_an_idle_gateway_follows_when_the_owner_alone_is_cut_off(self):
        watcher = self.phone()
        subscription, first = self.subscribed(watcher, user := self.new_user())
        self.eventually(lambda: self.system.core_metrics()["presence_storage_dirty_rows"] == 0)
        lines = len(self.system.gateway.lines)
        cut = time.monotonic()
        self.way.close()
        self.await_succession(cut, 8.0)
        # Nobody asks it for anything, and the connection to the first is as well as ever.
        self.system.gateway.wait_for(f"connected to core .* at {re.escape(self.address)}", after=lines)
        self.system.presencectl("publish", user, "--open", "--note", "by the second")
        notify = subscription.notify()
        while "by the second" not in notify.text:  # what it may have missed
            notify = subscription.notify()
        self.assertGreater(notify.cseq, first.cseq)


if __name__ == "__main__":
    unittest.main()
