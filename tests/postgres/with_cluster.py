#!/usr/bin/env python3
"""Runs a command beside a PostgreSQL cluster of its own, and takes the cluster away afterwards.

    tests/postgres/with_cluster.py COMMAND [ARGUMENT...]

The cluster listens on a unix socket in a new directory and nowhere else; its connection string is in
PRESENCE_TEST_DSN. Ends with the command's exit code.
"""

import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile


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
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


class Cluster:
    """A running cluster: `dsn` of its superuser's database; settings are lines of postgresql.conf."""

    def __init__(self, settings=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="presence-pg-"))
        self._prefix = as_nobody_important(self.folder)
        self._bin = tools()
        self._run("initdb", "--auth=trust", "--username=presence", "--encoding=UTF8", "--locale=C", "--no-sync",
                  f"--pgdata={self.data}")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write("\n".join(["listen_addresses = ''", f"unix_socket_directories = '{self.folder}'",
                                  "shared_buffers = 64MB", *settings, ""]))
        self.dsn = f"host={self.folder} user=presence dbname=postgres"
        self.start()

    @property
    def data(self):
        return self.folder / "data"

    @property
    def pid(self):
        return int((self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])

    def _run(self, tool, *arguments):
        done = subprocess.run([*self._prefix, self._bin / tool, *arguments], cwd="/", stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{tool}: {done.stdout.decode(errors='replace')}")

    def start(self):
        log = self.folder / "log"
        # pg_ctl leaves its output open to the server, so a pipe would never end.
        with open(self.folder.parent / f"{self.folder.name}.start", "wb") as out:
            done = subprocess.run([*self._prefix, self._bin / "pg_ctl", "start", "-w", "-D", self.data, "-l", log],
                                  cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
        os.unlink(out.name)
        if done.returncode != 0:
            raise RuntimeError(f"pg_ctl start: {log.read_text(errors='replace') if log.exists() else 'no log'}")

    def stop(self, mode="immediate"):
        self._run("pg_ctl", "stop", "-w", "-D", str(self.data), "-m", mode)

    def remove(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    cluster = Cluster(settings=("fsync = off",))  # a crash of the machine is not what these tests are about
    try:
        return subprocess.run(sys.argv[1:], env={**os.environ, "PRESENCE_TEST_DSN": cluster.dsn}, check=False).returncode
    finally:
        cluster.remove()


if __name__ == "__main__":
    sys.exit(main())
