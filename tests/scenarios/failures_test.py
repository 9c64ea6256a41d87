"""The database fails under load, in every way there is a name for, and comes back.

Brings a PostgreSQL cluster of its own; PRESENCE_TEST_STORAGE_MODE says the mode.
"""

import itertools
import os
import pathlib
import re
import signal
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request
import uuid

from scenario import Scenario, Silence, pidf

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "postgres"))
from commit_cutter import CommitCutter
from small_disk import CannotMount, SmallDisk
from with_cluster import Cluster

# How long anybody may wait for an answer while the database says nothing: the time-outs of a call and of a new
# connection, and what a busy machine takes.
BOUND = 12.0


class Publisher(threading.Thread):
    """Publishes one state after the other, and each until it is answered otherwise than 503: the same request, on a
    way of its own."""

    def __init__(self, phone, user):
        super().__init__()
        self.phone, self.user = phone, user
        self.stopping = threading.Event()
        self.answered = 0   # the newest state that was answered 200
        self.refused = 0
        self.slowest = 0.0
        self.fault = None

    def run(self):
        call, tag, etag = uuid.uuid4().hex, uuid.uuid4().hex[:10], None
        for number in itertools.count(1):
            answer = self.publish(number, etag, call_id=call, from_tag=tag, cseq=number)
            if answer is None:
                return
            if answer.status != 200:
                self.fault = f"state {number}: {answer}"
                return
            etag = answer.get("sip-etag")
            self.answered = number

    def publish(self, number, etag, **dialog):
        while not self.stopping.is_set():
            start = time.monotonic()
            try:
                answer = self.phone.publish(self.user, pidf(self.user, note=f"state {number};"), etag=etag, **dialog)
            except Silence:
                self.fault = f"state {number}: no answer"
                return None
            self.slowest = max(self.slowest, time.monotonic() - start)
            if answer.status != 503:
                return answer
            self.refused += 1
            if not answer.get("retry-after"):
                return answer
        return None


def status_of(ops_address, path):
    """Status and text of a page for operators."""
    try:
        with urllib.request.urlopen(f"http://{ops_address}{path}", timeout=BOUND) as page:
            return page.status, page.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Failures(Scenario):
    core = ("--set", "storage.statement_timeout=1s", "--set", "storage.flush_interval=50ms")

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.remove)
        os.environ["PRESENCE_TEST_DSN"] = cls.way_to(cls.cluster)
        super().setUpClass()

    @classmethod
    def way_to(cls, cluster):
        return cluster.dsn

    @classmethod
    def tearDownClass(cls):
        cls.system.stop()

    def setUp(self):
        self.waits = self.system.is_stored_first
        self.publishers = [Publisher(self.phone(), self.new_user()) for _ in range(4)]
        for publisher in self.publishers:
            publisher.start()
        self.addCleanup(self.stop_publishers)
        self.assert_goes_on()

    def stop_publishers(self):
        for publisher in self.publishers:
            publisher.stopping.set()
        for publisher in self.publishers:
            publisher.join()

    def eventually(self, holds):
        def holds_or_fails():
            for publisher in self.publishers:
                self.assertIsNone(publisher.fault)
            return holds()
        super().eventually(holds_or_fails)

    def refusal_of_a_program(self):
        return self.system.refusal("publish", "other@example.com", "--open", "--timeout", "30s")

    def assert_goes_on(self):
        """Every publisher is served."""
        before = [publisher.answered for publisher in self.publishers]
        self.eventually(lambda: all(p.answered > b + 2 for p, b in zip(self.publishers, before)))

    def assert_answers_meanwhile(self):
        """What is refused is refused in time and with a word of when to try again; reads go on, but in
        db-only."""
        user = self.publishers[0].user
        before = self.publishers[0].refused
        if self.waits:
            start = time.monotonic()
            self.assertEqual(self.refusal_of_a_program(), "STORAGE_UNAVAILABLE")
            self.assertLess(time.monotonic() - start, BOUND)
            self.eventually(lambda: self.publishers[0].refused > before)
        else:
            self.assert_goes_on()
        start = time.monotonic()
        if self.system.is_shared:
            # A database that can still be read is asked; from one that cannot nobody is told anything.
            self.assertIn(self.system.refusal("state", "get", user), (None, "STORAGE_UNAVAILABLE"))
            self.assertLess(time.monotonic() - start, BOUND)
        else:
            self.assertIn("state ", self.system.presencectl("state", "get", user))
            self.assertLess(time.monotonic() - start, 2.0)

    def assert_nothing_was_lost(self):
        """Each publisher has one publication, of the state that it was told or asked for last; in memory, and in the
        database after kill -9."""
        self.assert_goes_on()
        self.stop_publishers()
        self.eventually(lambda: self.system.core_metrics()["presence_storage_dirty_rows"] == 0)
        for when in ("in memory", "in the database"):
            for publisher in self.publishers:
                self.assertLess(publisher.slowest, BOUND)
                self.assertEqual(len(self.listed("presentity", publisher.user)), 1, when)
                state = self.system.presencectl("state", "get", publisher.user)
                shown = int(re.search(r"state (\d+);", state).group(1))
                # The last one may have been stored although nobody waited for its answer any more.
                self.assertIn(shown, (publisher.answered, publisher.answered + 1), when)
            lines = len(self.system.gateway.lines)
            self.system.crash_core()
            self.system.gateway.wait_for("connected to core", after=lines)


class Stalls(Failures):
    """SIGSTOP: connections stay, and nothing is answered."""

    def backends(self):
        database = self.system.database
        return [int(pid) for pid in database.run(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'presence-core'", database.cluster).split()]

    def signal_all(self, processes, number):
        for process in processes:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def stop(self, processes):
        self.addCleanup(self.signal_all, processes, signal.SIGCONT)
        self.signal_all(processes, signal.SIGSTOP)

    def test_p20_a_server_that_is_stopped(self):
        stopped = self.cluster.processes()
        self.stop(stopped)
        self.assert_answers_meanwhile()
        self.signal_all(stopped, signal.SIGCONT)
        self.assert_nothing_was_lost()

    def test_p20_backends_that_are_stopped_with_their_locks(self):
        stopped = self.backends()
        self.stop(stopped)
        # New connections may be served, or wait for locks of the old ones: nobody waits longer than the bound.
        start = time.monotonic()
        self.assertIn(self.refusal_of_a_program(), (None, "STORAGE_UNAVAILABLE"))
        self.assertLess(time.monotonic() - start, BOUND)
        self.signal_all(stopped, signal.SIGCONT)
        self.assert_nothing_was_lost()

    def test_a_core_that_is_told_to_stop_meanwhile_stops(self):
        stopped = self.cluster.processes()
        self.stop(stopped)
        self.assertEqual(self.system.core.stop(), 0)
        self.signal_all(stopped, signal.SIGCONT)
        lines = len(self.system.gateway.lines)
        self.system.start_core(self.system.core_address)
        self.system.gateway.wait_for("connected to core", after=lines)


class Refusals(Failures):
    """The server is there and says no."""

    def test_p20_a_restart(self):
        self.cluster.stop("fast")
        self.assert_answers_meanwhile()
        self.cluster.start()
        self.assert_nothing_was_lost()

    def test_p20_a_crash_of_the_server(self):
        self.cluster.stop("immediate")
        self.cluster.start()
        self.assert_nothing_was_lost()

    def test_o04_a_core_that_stops_meanwhile_says_so(self):
        self.cluster.stop("fast")
        self.assert_answers_meanwhile()
        self.stop_publishers()
        core, ops = self.system.core, self.system.ops_address
        core.child.send_signal(signal.SIGTERM)
        if not self.waits:
            # What was promised is still to be written, and whoever looks is told.
            self.eventually(lambda: status_of(ops, "/ready") == (503, "stopping\n"))
            self.assertIn("presence_storage_dirty_rows ", status_of(ops, "/metrics")[1])
            self.assertGreater(self.system.core_metrics()["presence_storage_dirty_rows"], 0)
        self.cluster.start()
        self.assertEqual(core.await_end(), 0)
        lines = len(self.system.gateway.lines)
        self.system.start_core(self.system.core_address)
        self.system.gateway.wait_for("connected to core", after=lines)
        self.assert_works()

    def test_p20_a_server_that_is_read_only(self):
        database = self.system.database
        database.run("ALTER SYSTEM SET default_transaction_read_only = on", database.cluster)
        database.run("SELECT pg_reload_conf()", database.cluster)
        try:
            self.assert_answers_meanwhile()
        finally:
            database.run("ALTER SYSTEM RESET default_transaction_read_only", database.cluster)
            database.run("SELECT pg_reload_conf()", database.cluster)
        self.assert_nothing_was_lost()


class LostAnswers(Failures):
    """COMMIT is on its way, and the connection goes."""

    @classmethod
    def way_to(cls, cluster):
        cls.cutter = CommitCutter(cluster.folder)
        cls.addClassCleanup(cls.cutter.close)
        return cls.cutter.dsn

    def test_p20_p21_the_answer_to_a_commit_is_lost(self):
        for _ in range(5):
            self.cutter.lose("answer")
            self.assert_goes_on()
        self.assert_nothing_was_lost()

    def test_p20_p21_a_commit_is_lost(self):
        for _ in range(5):
            self.cutter.lose("commit")
            self.assert_goes_on()
        self.assert_nothing_was_lost()


class FullDisk(Failures):
    """The tables are in a file system of a few megabytes."""

    @classmethod
    def setUpClass(cls):
        try:
            super().setUpClass()
        except CannotMount as why:
            raise unittest.SkipTest(str(why)) from None

    @classmethod
    def way_to(cls, cluster):
        cls.disk = SmallDisk(cluster)
        cls.addClassCleanup(cls.disk.remove)
        return cluster.dsn

    def test_p20_a_disk_that_is_full(self):
        self.disk.fill()
        phone = self.phone()
        def is_full():
            user = self.new_user("big")
            phone.publish(user, pidf(user, note=os.urandom(10000).hex()))
            return self.system.core_metrics()["presence_storage_failed_total"] > 0
        self.eventually(is_full)
        self.assert_answers_meanwhile()
        self.disk.make_room()
        self.assert_nothing_was_lost()


if __name__ == "__main__":
    unittest.main()
