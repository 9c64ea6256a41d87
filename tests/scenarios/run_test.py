"""./run --storage=postgres from its start to Ctrl-C, and again."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from scenario import Process, binaries

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("presence-core", "sip-gateway", "presencectl")
INTERRUPTED = 130


class RunOnPostgres(unittest.TestCase):
    """A checkout in which everything has been built, by nobody."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="presence-run-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.root.chmod(0o755)  # PostgreSQL runs as a user of its own
        shutil.copy(ROOT / "run", self.root)
        shutil.copytree(ROOT / "deploy", self.root / "deploy")
        build = self.root / "build/release"
        (build / "bin").mkdir(parents=True)
        for program in PROGRAMS:
            (build / "bin" / program).symlink_to(binaries() / program)
        (build / "build.ninja").write_text("".join(f"build {program}: phony\n" for program in PROGRAMS))

    def start(self):
        """Returns once it says how to go on: (process, address of the core)."""
        addresses = [f"--{name}=127.0.0.1:0" for name in ("sip", "core", "ops", "gateway-ops")]
        # Whoever starts the tests may have this signal ignored, which is inherited.
        process = Process(["env", "--default-signal=INT", self.root / "run", "--storage=postgres", "--no-web",
                           *addresses], when_orphaned="TERM")
        self.addCleanup(process.stop)
        process.wait_for("Ctrl-C stops all of it")
        return process, process.wait_for(r"gRPC +([0-9.]+:\d+)").group(1)

    def presencectl(self, core, *arguments):
        return subprocess.run([binaries() / "presencectl", "--server", core, *arguments], check=True,
                              capture_output=True, text=True, timeout=60).stdout

    def test_what_was_published_outlives_the_run(self):
        process, core = self.start()
        self.assertIn("from PostgreSQL under var/postgres", "\n".join(process.lines))
        self.presencectl(core, "publish", "alice@example.com", "--open", "--note", "at my desk")
        self.assertEqual(process.stop(signal.SIGINT), INTERRUPTED)
        self.assertIn("stopped: presence-core sip-gateway", process.lines)
        self.assertFalse((self.root / "var/postgres/data/postmaster.pid").exists())

        process, core = self.start()
        self.assertIn("at my desk", self.presencectl(core, "state", "get", "alice@example.com"))
        self.assertEqual(process.stop(signal.SIGINT), INTERRUPTED)

    def test_a_password_is_said_nowhere(self):
        process, core = self.start()
        self.presencectl(core, "publish", "alice@example.com", "--open")
        there, nowhere = (f"host={host} user=presence dbname=presence password=Kr0k0dil"
                          for host in (self.root / "var/postgres", "/nowhere"))
        standby = Process([binaries() / "presence-core", "dev", "--listen", "127.0.0.1:0", "--ops-listen",
                           "127.0.0.1:0", "--storage", "postgres", "--dsn", there, "--log-level", "debug",
                           "--set", "storage.node=second"])
        self.addCleanup(standby.stop)
        standby.wait_for("waiting until it stops")
        self.assertEqual(process.stop(signal.SIGINT), INTERRUPTED)
        standby.stop()
        refused = subprocess.run([binaries() / "presence-core", "dev", "--storage", "postgres"], capture_output=True,
                                 text=True, timeout=60, check=False,
                                 env={**os.environ, "PRESENCE_CORE_STORAGE_DSN": nowhere})
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("/nowhere", refused.stderr)
        for said in ("\n".join(standby.lines), refused.stdout + refused.stderr):
            self.assertNotIn("Kr0k0dil", said)


if __name__ == "__main__":
    unittest.main()
