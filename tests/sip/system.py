"""Starts presence-core and sip-gateway as processes of their own, on ports that were free, and ends them."""

import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_DEADLINE = 60.0
STOP_DEADLINE = 20.0


def binaries():
    """Where the programs are: PRESENCE_BIN, else the newest build."""
    if "PRESENCE_BIN" in os.environ:
        return pathlib.Path(os.environ["PRESENCE_BIN"])
    for preset in ("dev", "release"):
        folder = ROOT / "build" / preset / "bin"
        if (folder / "sip-gateway").exists():
            return folder
    raise RuntimeError("nothing is built; run ./run --build-only or set PRESENCE_BIN")


class Process:
    """A child whose output is read line by line; lines can be waited for. It gets a signal when the thread that starts
    it dies, so that a test that was killed leaves nothing behind."""

    def __init__(self, arguments, environment=None, when_orphaned="KILL"):
        self.name = pathlib.Path(arguments[0]).name
        self.lines = []
        self.changed = threading.Condition()
        self.is_over = False
        self.child = subprocess.Popen(["setpriv", f"--pdeathsig={when_orphaned}", *(str(a) for a in arguments)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      text=True, errors="replace", env={**os.environ, **(environment or {})})
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.is_over = True
            self.changed.notify_all()

    def wait_for(self, pattern, seconds=START_DEADLINE, after=0):
        """The match in the first line that has one, of those after the first `after` lines."""
        def found():
            for line in self.lines[after:]:
                match = re.search(pattern, line)
                if match:
                    return match
            return None
        with self.changed:
            self.changed.wait_for(lambda: found() or self.is_over, seconds)
            match = found()
        if not match:
            raise AssertionError(f"{self.name} did not say {pattern!r}:\n" + "\n".join(self.lines))
        return match

    def stop(self, number=signal.SIGTERM):
        """Returns the exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        return self.await_end()

    def await_end(self):
        """Returns the exit code."""
        try:
            code = self.child.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f"{self.name} did not end:\n" + "\n".join(self.lines)) from None
        self.reader.join(STOP_DEADLINE)
        self.child.stdout.close()
        return code


def free_port(host="127.0.0.1"):
    """A port that the kernel had free for TCP and UDP both a moment ago."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(100):
        with socket.socket(family, socket.SOCK_STREAM) as tcp, socket.socket(family, socket.SOCK_DGRAM) as udp:
            tcp.bind((host, 0))
            try:
                udp.bind((host, tcp.getsockname()[1]))
            except OSError:
                continue
            return tcp.getsockname()[1]
    raise RuntimeError("no free port")


def metrics_of(ops_address):
    with urllib.request.urlopen(f"http://{ops_address}/metrics", timeout=START_DEADLINE) as page:
        lines = page.read().decode("utf-8").splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


class Database:
    """An empty database in the cluster of tests/postgres/with_cluster.py, with the schema of these programs."""

    def __init__(self, programs):
        self.name = f"scenario_{uuid.uuid4().hex}"
        self.cluster = os.environ["PRESENCE_TEST_DSN"]
        self.dsn = " ".join([*(word for word in shlex.split(self.cluster) if not word.startswith("dbname=")),
                             f"dbname={self.name}"])
        self.run(f"CREATE DATABASE {self.name}", self.cluster)
        subprocess.run([programs / "presence-core", "migrate", "up", "--dsn", self.dsn], check=True,
                       stdout=subprocess.DEVNULL)

    def run(self, sql, dsn=None):
        """What psql prints for it, columns parted by |."""
        done = subprocess.run(["psql", "-d", dsn or self.dsn, "-AtX", "-v", "ON_ERROR_STOP=1", "-c", sql], check=True,
                              env={**os.environ, "PGOPTIONS": "-c search_path=presence"}, capture_output=True, text=True)
        return done.stdout.strip()

    def drop(self):
        self.run(f"DROP DATABASE {self.name} WITH (FORCE)", self.cluster)


# In these an answer waits for the database, so what was answered is there; in write-back it is soon, in memory never.
STORED_FIRST = ("write-through", "db-only")


class System:
    """One core and one gateway, in the storage mode that PRESENCE_TEST_STORAGE_MODE says, or in the two that it
    says as "PUBLICATIONS/SUBSCRIPTIONS". SIP is on a port that was free, unless `sip_port` names one."""

    def __init__(self, core=(), gateway=(), host="127.0.0.1", dev=True, sip_port=None):
        self.host = host
        self.bin = binaries()
        self.folder = tempfile.TemporaryDirectory()
        self.storage_mode = os.environ.get("PRESENCE_TEST_STORAGE_MODE", "memory")
        publications, _, subscriptions = self.storage_mode.partition("/")
        self.storage_modes = (publications, subscriptions or publications)
        self.is_stored_first = all(mode in STORED_FIRST for mode in self.storage_modes)
        # Then no core owns the state: readers are told nothing that the database does not confirm, and no core
        # knows what the dialogs of all of them have heard.
        self.is_shared = self.storage_mode == "db-only"
        self.database = None if self.storage_mode == "memory" else Database(self.bin)
        self.core_arguments = list(core)
        if self.database:
            self.core_arguments += ["--storage", "postgres", "--dsn", self.database.dsn,
                                    *self._mode_arguments(publications, subscriptions)]
        self.gateway_arguments = list(gateway)
        self.is_dev = dev
        self.core = self.gateway = None
        self.start_core("127.0.0.1:0")
        self.sip = (host, sip_port or free_port(host))
        self.start_gateway()

    @staticmethod
    def _mode_arguments(publications, subscriptions):
        if not subscriptions:
            return ["--storage-mode", publications]
        return ["--set", f"storage.publications={publications}", "--set", f"storage.subscriptions={subscriptions}"]

    def start_core(self, listen):
        mode = ["dev"] if self.is_dev else []
        self.core = Process([self.bin / "presence-core", *mode, "--listen", listen,
                             "--ops-listen", "127.0.0.1:0", *self.core_arguments])
        self.core.wait_for(r"^ready in ")
        self.core_address = self.core.wait_for(r"gRPC +([0-9.]+:\d+)").group(1)
        self.ops_address = self.core.wait_for(r"http://([0-9.]+:\d+)").group(1)

    def crash_core(self):
        """kill -9, and another start on the same address with the same arguments."""
        self.core.stop(signal.SIGKILL)
        self.start_core(self.core_address)

    def crash_gateway(self):
        self.gateway.stop(signal.SIGKILL)
        self.start_gateway()

    def start_gateway(self):
        where = f"[{self.host}]:{self.sip[1]}" if ":" in self.host else f"{self.host}:{self.sip[1]}"
        mode = ["--dev"] if self.is_dev else []
        self.gateway = Process([self.bin / "sip-gateway", *mode, "--core", self.core_address, "--name", "scenario",
                                "--ops-listen", "127.0.0.1:0",
                                "--listen", f"udp:{where}", "--listen", f"tcp:{where}", *self.gateway_arguments])
        self.gateway_ops_address = self.gateway.wait_for(r"ops http://(\S+)").group(1)
        self.gateway.wait_for(r"connected to core")

    def run_presencectl(self, *arguments):
        return subprocess.run([self.bin / "presencectl", "--server", self.core_address, *arguments],
                              capture_output=True, text=True, timeout=60, check=False)

    def presencectl(self, *arguments, code=0):
        """Runs presencectl against this core; returns what it printed."""
        done = self.run_presencectl(*arguments)
        if code is not None and done.returncode != code:
            raise AssertionError(f"presencectl {arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def refusal(self, *arguments):
        """The ErrorReason with which the core refuses it; nothing if presencectl did, or nobody."""
        reason = re.search(r"^presencectl: ([A-Z_]+): ", self.run_presencectl(*arguments).stderr, re.MULTILINE)
        return reason and reason.group(1)

    def gateway_metrics(self):
        """Every sample of the gateway's /metrics: {"name{label=...}": value}."""
        return metrics_of(self.gateway_ops_address)

    def core_metrics(self):
        return metrics_of(self.ops_address)

    def stop(self):
        codes = [process.stop() for process in (self.gateway, self.core) if process]
        self.folder.cleanup()
        if self.database:
            self.database.drop()
        return codes
