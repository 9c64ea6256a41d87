#!/usr/bin/env python3
"""Runs a command beside a PostgreSQL cluster, whose connection string is in PRESENCE_TEST_DSN.

    tests/postgres/with_cluster.py COMMAND [ARGUMENT...]

By hand the cluster is the command's own and goes when it ends. A test of a ctest run shares that of the run
(shared_cluster.py); PRESENCE_TEST_CLUSTER says where to ask for it. Ends with the command's exit code.
"""

import fcntl
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FOLDERS = "presence-cluster-"
START_DEADLINE = 60.0
# A crash of the machine is not what these tests are about.
SETTINGS = ("fsync = off", "full_page_writes = off")


def tools():
    """The folder of the newest installed server."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not found:
        sys.exit("with_cluster: install the package postgresql")
    return found[-1].parent


def as_nobody_important(folder):
    """PostgreSQL refuses to run as root: the words that run a command as its own user instead."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def remove_what_was_left():
    """The folders of those that were killed; their servers went with them."""
    for folder in pathlib.Path(tempfile.gettempdir()).glob(FOLDERS + "*"):
        try:
            with open(folder / "owner", "rb") as owner:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # A young one may be about to be locked, or its server about to end.
                if time.time() - os.fstat(owner.fileno()).st_mtime > 600:
                    shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass


class Cluster:
    """A running cluster: `dsn` of its superuser's database; settings are lines of postgresql.conf. It listens on a
    unix socket in a new directory and nowhere else. The server is a child of the thread that starts it, and dies with
    it whatever that dies of."""

    def __init__(self, settings=SETTINGS):
        remove_what_was_left()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=FOLDERS))
        self._owner = open(self.folder / "owner", "wb")
        fcntl.flock(self._owner, fcntl.LOCK_EX)
        self._user = as_nobody_important(self.folder)
        self._bin = tools()
        self._server = None
        try:
            self._initialize(settings)
            self.start()
        except BaseException:
            self.remove()
            raise

    @property
    def data(self):
        return self.folder / "data"

    @property
    def dsn(self):
        return f"host={self.folder} user=presence dbname=postgres"

    @property
    def pid(self):
        return self._server.pid

    def processes(self):
        """The server's, all of them."""
        children = subprocess.run(["pgrep", "-P", str(self.pid)], check=True, capture_output=True, text=True)
        return [self.pid, *map(int, children.stdout.split())]

    def _initialize(self, settings):
        done = subprocess.run(["setpriv", *self._user, "--pdeathsig=KILL", self._bin / "initdb", "--auth=trust",
                               "--username=presence", "--encoding=UTF8", "--locale=C", "--no-sync",
                               f"--pgdata={self.data}"],
                              cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"initdb: {done.stdout.decode(errors='replace')}")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write("\n".join(["listen_addresses = ''", f"unix_socket_directories = '{self.folder}'",
                                  "shared_buffers = 64MB", *settings, ""]))

    def start(self):
        # SIGQUIT ends it at once, with all its backends.
        with open(self.folder / "log", "ab") as log:
            self._server = subprocess.Popen(["setpriv", *self._user, "--pdeathsig=QUIT", self._bin / "postgres", "-D",
                                             self.data], cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + START_DEADLINE
        while not self._is_ready():
            if self._has_ended_within(0.02) or time.monotonic() > end:
                raise RuntimeError(f"postgres: {(self.folder / 'log').read_text(errors='replace')}")

    def _has_ended_within(self, seconds):
        try:
            self._server.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _is_ready(self):
        try:
            status = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(status) > 7 and status[0] == str(self.pid) and status[7].strip() == "ready"

    def stop(self, mode="immediate"):
        self._server.send_signal(signal.SIGQUIT if mode == "immediate" else signal.SIGINT)
        self._server.wait(START_DEADLINE)

    def remove(self):
        try:
            if self._server is not None and self._server.poll() is None:
                self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._owner.close()


def shared_state(of_run):
    """The file that tells of the cluster of a ctest run, by its process id."""
    return pathlib.Path(f"{os.environ['PRESENCE_TEST_CLUSTER']}.{of_run}")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if "PRESENCE_TEST_CLUSTER" in os.environ:
        dsn = shared_state(os.getppid()).read_text(encoding="utf-8").splitlines()[0]
        os.execvpe(sys.argv[1], sys.argv[1:], {**os.environ, "PRESENCE_TEST_DSN": dsn})
    cluster = Cluster()
    try:
        return subprocess.run(sys.argv[1:], env={**os.environ, "PRESENCE_TEST_DSN": cluster.dsn}, check=False).returncode
    finally:
        cluster.remove()


if __name__ == "__main__":
    sys.exit(main())
