"""presencectl migrate kamailio between the two it stands between: the sample scripts are configurations that Kamailio
takes, where it is installed, and what is made of them presence-core and sip-gateway take."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from scenario import binaries

SAMPLE = pathlib.Path(__file__).resolve().parents[1] / "golden" / "kamailio" / "kamailio.cfg"
KAMAILIO = shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin")
DEBIAN = pathlib.Path("/etc/kamailio/kamailio.cfg")


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)


class Migration(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def migrate(self, script, *options):
        return run(binaries() / "presencectl", "migrate", "kamailio", "--cfg", script, "--out-dir", self.folder,
                   *options)

    def assert_our_programs_take_it(self):
        for program in ("presence-core", "sip-gateway"):
            done = run(binaries() / program, "config", "check", "--config", self.folder / f"{program}.yaml")
            self.assertEqual(done.returncode, 0, program + ": " + done.stdout + done.stderr)

    def test_o06_our_programs_take_what_is_made_of_the_sample(self):
        done = self.migrate(SAMPLE)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_our_programs_take_it()

    @unittest.skipUnless(KAMAILIO, "kamailio is not installed")
    def test_kamailio_takes_the_sample(self):
        done = run(KAMAILIO, "-c", "-f", SAMPLE)

        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @unittest.skipUnless(KAMAILIO and DEBIAN.exists(), "Debian's kamailio.cfg is not here")
    def test_reads_the_configuration_that_debian_ships(self):
        without = self.migrate(DEBIAN, "--dry-run")
        done = self.migrate(DEBIAN, "--define", "WITH_MYSQL", "--define", "WITH_PRESENCE", "--domain", "example.com",
                            "-o", "json")

        self.assertEqual(without.returncode, 3, without.stdout + without.stderr)
        self.assertIn("presence is not loaded", without.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = {row["subject"]: row for row in json.loads(done.stdout)["rows"]}
        self.assertEqual(rows["db_url"]["was"], "mysql://kamailio:***@localhost/kamailio")
        self.assertEqual(rows["presence_xml force_active"]["was"], "1")
        self.assertTrue({"handle_publish", "handle_subscribe"} <= rows.keys())
        self.assert_our_programs_take_it()


if __name__ == "__main__":
    unittest.main()
