"""What a process must not start with: it ends with exit code 8 and names the key, the value and what is allowed."""

import pathlib
import subprocess
import tempfile
import unittest

from scenario import binaries

BAD_CONFIGURATION = 8


class RefusedStart(unittest.TestCase):
    def assert_refused(self, program, arguments, *said):
        done = subprocess.run([binaries() / program, *arguments], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, BAD_CONFIGURATION, done.stdout + done.stderr)
        for words in said:
            self.assertIn(words, done.stderr)
        self.assertEqual(done.stdout, "", "it was on its way")

    def assert_core_refused(self, settings, *said):
        flags = [flag for setting in settings for flag in ("--set", setting)]
        self.assert_refused("presence-core", ["dev", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", *flags],
                            *said)

    def assert_gateway_refused(self, settings, *said):
        flags = [flag for setting in settings for flag in ("--set", setting)]
        self.assert_refused("sip-gateway", ["--dev", "--core", "127.0.0.1:1", "--listen", "udp:127.0.0.1:0",
                                            "--ops-listen", "127.0.0.1:0", *flags], *said)

    def test_a_core_whose_lifetimes_contradict_each_other(self):
        for section in ("publish", "subscribe"):
            with self.subTest(section):
                self.assert_core_refused([f"{section}.min_expires=2h", f"{section}.max_expires=1h"],
                                         f"{section}.min_expires 2h is longer than {section}.max_expires 1h")

    def test_a_core_whose_lifetimes_contradict_those_of_an_event_package(self):
        # presence grants a minute to a day.
        for section in ("publish", "subscribe"):
            with self.subTest(section):
                self.assert_core_refused([f"{section}.min_expires=25h"],
                                         f"{section}.min_expires: 25h", "package presence", "0s to 24h")
                self.assert_core_refused([f"{section}.max_expires=30s"],
                                         f"{section}.max_expires: 30s", "package presence", "1m to 30d")
                self.assert_core_refused([f"{section}.default_expires=25h"],
                                         f"{section}.default_expires: 25h", "package presence", "1m to 24h")

    def test_a_core_whose_file_contradicts_itself_for_one_package(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "core.yaml"
            path.write_text("publish:\n  packages:\n    presence:\n      min_expires: 25h\n", encoding="utf-8")
            self.assert_refused("presence-core", ["dev", "--config", path, "--listen", "127.0.0.1:0"],
                                "publish.packages.presence.min_expires: 25h", "0s to 24h")

    def test_a_gateway_whose_timers_contradict_each_other(self):
        self.assert_gateway_refused(["sip.t1=2s", "sip.t2=1s"], "sip.t1 2s is longer than sip.t2 1s")

    def test_a_value_out_of_range(self):
        self.assert_core_refused(["publish.max_expires=31d"],
                                 'publish.max_expires is "31d": out of range; allowed: 1s to 30d')
        self.assert_gateway_refused(["sip.t1=1h"], 'sip.t1 is "1h": out of range; allowed: 10ms to 10s')

    def test_o06_an_unknown_key(self):
        self.assert_core_refused(["publish.min_expire=1h"], "publish.min_expire", "publish.min_expires")
        self.assert_gateway_refused(["sip.t3=1s"], "sip.t3")


if __name__ == "__main__":
    unittest.main()
