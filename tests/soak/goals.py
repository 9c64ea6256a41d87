"""What breaks, how, and what must hold: a class a goal. The names are those of the goal table, see README.md."""

import contextlib
import math
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

from load import Shape

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "postgres"))
from commit_cutter import CommitCutter
from message import pidf
from phone import Phone
from proxy import Proxy
from small_disk import SmallDisk
from system import Process, System
from with_cluster import Cluster


def wait(seconds):
    """A fault lasts; nobody waits for an event."""
    threading.Event().wait(seconds)


class Goal:
    """One system under one load. `strike` does one round of harm; the runner asks before and after whether everybody
    is served, and at the end compares what is shown, listed, stored and acknowledged."""

    title = ""
    shape = Shape()
    core = ()
    gateway = ()

    def __init__(self, run):
        self.run = run
        self.stack = contextlib.ExitStack()

    def start(self):
        """The system."""
        if self.run.mode.name != "memory":
            os.environ["PRESENCE_TEST_DSN"] = self.dsn()
        self.system = self.new_system(core=self.run.core_arguments + list(self.core), gateway=self.gateway)
        self.stack.callback(self.system.stop)
        return self.system

    new_system = System

    def dsn(self):
        self.cluster = Cluster()
        self.stack.callback(self.cluster.remove)
        return self.cluster.dsn

    def strike(self, number):
        raise NotImplementedError

    def begin_again(self, number):
        """From what is stored."""
        self.system.core.stop(number)
        self.system.start_core(self.system.core_address)

    def close(self):
        self.stack.close()

    # ---- What strikes are made of ----

    def restart_core(self):
        start = time.monotonic()
        self.system.start_core(self.system.core_address)
        self.run.measure("ready after", time.monotonic() - start)

    def crash_core(self):
        with self.run.load.crash():
            self.system.core.stop(signal.SIGKILL)
        self.restart_core()

    def signal_all(self, processes, number):
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def assert_reads(self):
        """Reads are served, in time."""
        start = time.monotonic()
        done = self.system.run_presencectl("state", "get", self.run.load.publishers[0].uri, "--timeout", "5s")
        if done.returncode != 0:
            self.run.fail("reads go on", done.stderr.strip())
        self.run.measure("read", time.monotonic() - start, bound=2.0)

    def assert_ends_at_its_deadline(self, seconds=3.0):
        start = time.monotonic()
        done = self.system.run_presencectl("publish", "stray@example.com", "--open", "--timeout", f"{seconds:.0f}s")
        if self.run.mode.waits and done.returncode == 0 and time.monotonic() - start > seconds:
            self.run.fail("a call", "succeeds after its deadline")
        self.run.measure("call", time.monotonic() - start, bound=seconds + 0.5)

    def memory_of_core(self):
        status = pathlib.Path(f"/proc/{self.system.core.child.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


class KillsCore(Goal):
    """kill -9 of the core at a random moment."""

    title = "kill -9 of the core"

    def start(self):
        system = super().start()
        if self.run.window == math.inf:
            system.core.wait_for("memory only, everything is lost on exit")
        return system

    def strike(self, number):
        self.crash_core()
        self.run.measure("served after", self.run.load.await_served())


class StopsCore(Goal):
    """SIGTERM: nothing is lost but in memory."""

    title = "SIGTERM of the core"

    def strike(self, number):
        with self.run.load.crash() if self.run.window == math.inf else contextlib.nullcontext():
            start = time.monotonic()
            code = self.system.core.stop()
            self.run.measure("exit after", time.monotonic() - start, bound=5.0)
            if code != 0:
                self.run.fail("a clean stop", f"ends with {code}")
        self.restart_core()
        self.run.measure("served after", self.run.load.await_served())


class RestartsDatabase(Goal):
    """pg_ctl stop -m immediate, some time without, and a start."""

    title = "PostgreSQL restarts, -m immediate"

    def strike(self, number):
        self.cluster.stop("immediate")
        wait(self.run.random.uniform(0, 2))
        self.cluster.start()
        self.run.measure("back after", self.run.load.await_served(), bound=3.0)


class StallsDatabase(Goal):
    """SIGSTOP of the whole server, and a lock on a table, in turn."""

    title = "PostgreSQL stalls: SIGSTOP, a lock on a table"
    core = ("--set", "storage.statement_timeout=1s")

    def strike(self, number):
        before = self.memory_of_core()
        with (self.stopped_server if number % 2 else self.locked_table)():
            end = time.monotonic() + self.run.stall
            self.assert_ends_at_its_deadline()
            while time.monotonic() < end:
                self.assert_reads()
                wait(0.5)
        self.run.measure("back after", self.run.load.await_served())
        self.run.measure("answer", self.run.load.take_slowest(), bound=12.0)
        self.run.measure("MiB more", self.memory_of_core() - before, bound=64.0)

    @contextlib.contextmanager
    def stopped_server(self):
        processes = self.cluster.processes()
        self.signal_all(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal_all(processes, signal.SIGCONT)

    @contextlib.contextmanager
    def locked_table(self):
        with subprocess.Popen(["psql", "-d", self.system.database.dsn, "-AtqX"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as psql:
            psql.stdin.write("BEGIN;\nLOCK TABLE presence.publication IN ACCESS EXCLUSIVE MODE;\n\\echo locked\n")
            psql.stdin.flush()
            if psql.stdout.readline() != "locked\n":
                raise RuntimeError("the table cannot be locked")
            try:
                yield
            finally:
                psql.stdin.close()


class CutsCommits(Goal):
    """The connection goes while a COMMIT, or the answer to it, is on its way."""

    title = "COMMIT or its answer lost"

    def dsn(self):
        super().dsn()
        self.cutter = CommitCutter(self.cluster.folder)
        self.stack.callback(self.cutter.close)
        return self.cutter.dsn

    def strike(self, number):
        self.cutter.lose("answer" if number % 2 else "commit")
        self.run.measure("served after", self.run.load.await_served())


class RefusesToWrite(Goal):
    """The disk of the tables is full, and the server is read-only, in turn."""

    title = "PostgreSQL with a full disk, read-only"

    def dsn(self):
        super().dsn()
        self.disk = SmallDisk(self.cluster)
        self.stack.callback(self.disk.remove)
        return self.cluster.dsn

    def strike(self, number):
        with (self.full_disk if number % 2 else self.read_only)():
            self.assert_reads()
            if self.run.mode.waits:
                before = self.run.load.refused
                self.run.load.wait_until(lambda: [] if self.run.load.refused > before else ["a 503"],
                                         "changes are refused")
            else:
                self.run.load.await_served()
        self.run.measure("back after", self.run.load.await_served())

    @contextlib.contextmanager
    def full_disk(self):
        self.disk.fill()
        try:
            with Phone(self.system.sip, user="big") as phone:
                failed = self.failures()
                # Pages that are there are used up first.
                for number in range(1000):
                    if self.failures() > failed:
                        break
                    user = f"sip:big{os.urandom(4).hex()}@example.com"
                    phone.publish(user, pidf(user, note=os.urandom(10000).hex()))
                else:
                    raise RuntimeError("the disk does not get full")
            yield
        finally:
            self.disk.make_room()

    def failures(self):
        return self.system.core_metrics()["presence_storage_failed_total"]

    @contextlib.contextmanager
    def read_only(self):
        self.set_read_only("SET default_transaction_read_only = on")
        try:
            yield
        finally:
            self.set_read_only("RESET default_transaction_read_only")

    def set_read_only(self, how):
        database = self.system.database
        database.run(f"ALTER SYSTEM {how}", database.cluster)
        database.run("SELECT pg_reload_conf()", database.cluster)


class KillsGateway(Goal):
    """kill -9 of the gateway; its dialogs live in the core."""

    title = "kill -9 of the gateway"
    shape = Shape(presentities=100, watchers=10, changes=100, refresh=20, churns=False, owners=False)

    def strike(self, number):
        self.system.gateway.stop(signal.SIGKILL)
        wait(self.run.random.uniform(0, 1))
        self.system.start_gateway()
        start = time.monotonic()
        load = self.run.load
        load.wait_until(lambda: [] if load.told_since(start) else ["a NOTIFY"], "NOTIFYs go on")
        self.run.measure("first NOTIFY after", time.monotonic() - start, bound=2.0)
        self.run.measure("served after", load.await_served(since=start))


class ThroughProxy(System):
    """The gateway reaches its core through a proxy."""

    def start_gateway(self):
        self.proxy = Proxy(self.core_address)
        core, self.core_address = self.core_address, self.proxy.address
        try:
            super().start_gateway()
        finally:
            self.core_address = core

    def stop(self):
        self.proxy.close()
        return super().stop()


class PartsGateway(Goal):
    """Gateway and core cannot reach each other: packets vanish, and connections are refused, in turn."""

    title = "partition between gateway and core"
    new_system = ThroughProxy
    # Nobody who only wants to know is in the way of those who measure.
    shape = Shape(changes=200)

    def strike(self, number):
        load, proxy = self.run.load, self.system.proxy
        load.take_slowest()
        start = time.monotonic()
        (proxy.be_silent if number % 2 else proxy.cut)()
        wait(self.run.partition * (6 if number % 5 == 4 else 1))
        self.run.measure("answer", load.take_slowest(), bound=2.0)
        if not load.refused_since(start):
            self.run.fail("a partition", "nobody was answered 503")
        proxy.heal()
        self.run.measure("equal after", load.await_served() + load.await_shown(), bound=5.0)


class ReplacesOwner(Goal):
    """Two cores: the owner stands still (SIGSTOP) until the other has taken over, or is killed, in turn."""

    title = "SIGSTOP and kill -9 of an owner, another core stands by"
    core = ("--set", "storage.node=one")

    def start(self):
        system = super().start()
        self.addresses = {"one": system.core_address}
        self.owner, self.cores = "one", {"one": system.core}
        self.stand_by("two")
        system.gateway.stop()
        system.gateway_arguments += ["--core", self.addresses["two"]]
        system.start_gateway()
        self.stack.callback(lambda: [core.stop() for core in self.cores.values() if core is not system.core])
        return system

    def stand_by(self, node):
        arguments = [argument.replace("storage.node=one", f"storage.node={node}")
                     for argument in self.system.core_arguments]
        core = Process([self.system.bin / "presence-core", "dev", "--listen", self.addresses.get(node, "127.0.0.1:0"),
                        "--ops-listen", "127.0.0.1:0", *arguments])
        self.cores[node] = core
        self.addresses[node] = core.wait_for(r"Calls to (\S+) go on").group(1)

    def strike(self, number):
        old, new = self.owner, "two" if self.owner == "one" else "one"
        start = time.monotonic()
        with self.run.load.crash():
            self.cores[old].child.send_signal(signal.SIGSTOP if number % 2 else signal.SIGKILL)
            self.cores[new].wait_for("^ready in ")
        self.run.measure("taken over after", time.monotonic() - start, bound=5.0)
        self.succeed(new)
        self.run.measure("served after", self.run.load.await_served())
        if number % 2:
            self.cores[old].child.send_signal(signal.SIGCONT)
            self.cores[old].wait_for("stopping at once")
        self.cores[old].stop(signal.SIGKILL)
        self.stand_by(old)

    def succeed(self, new):
        self.owner, self.system.core, self.system.core_address = new, self.cores[new], self.addresses[new]
        self.system.ops_address = self.system.core.wait_for(r"ops on http://(\S+)").group(1)

    def begin_again(self, number):
        new = "two" if self.owner == "one" else "one"
        self.cores[self.owner].stop(number)
        self.cores[new].wait_for("^ready in ")
        self.succeed(new)
