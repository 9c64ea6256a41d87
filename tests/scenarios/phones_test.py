"""Programs that others wrote: SIPp and the phone baresip."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from scenario import Process, Scenario, basics, pidf

HERE = pathlib.Path(__file__).resolve().parent


class Sipp(Scenario):
    def play(self, name, user, *options, meanwhile=lambda: None):
        with tempfile.TemporaryDirectory() as folder:
            sipp = subprocess.Popen(
                ["sipp", f"{self.system.sip[0]}:{self.system.sip[1]}", "-sf", HERE / "sipp" / f"{name}.xml",
                 "-s", user.partition(":")[2].partition("@")[0], "-i", "127.0.0.1", "-nostdin", "-timeout", "60s",
                 "-timeout_error", "-trace_err", *options],
                cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            try:
                meanwhile()
                output, _ = sipp.communicate(timeout=90)
            finally:
                sipp.kill()
                sipp.wait()
                sipp.stdout.close()
            errors = "".join(path.read_text(errors="replace") for path in pathlib.Path(folder).glob("*errors.log"))
        self.assertEqual(sipp.returncode, 0, errors or output[-2000:])

    def test_publishes_refreshes_and_removes_over_udp_and_tcp(self):
        for transport in ("u1", "t1"):
            with self.subTest(transport):
                user = self.new_user()
                watcher, _ = self.subscribed(self.phone(), user)
                self.play("publish", user, "-t", transport, "-m", "20", "-r", "20")
                self.assertEqual(self.rows(user), [])
                self.assertEqual(basics(watcher.notify().text)[0], "open")

    def test_subscribes_and_is_notified_of_the_state_and_its_change(self):
        for transport in ("u1", "t1"):
            with self.subTest(transport):
                publisher, user = self.phone(), self.new_user()
                tag = self.published(publisher, user, "open")

                def change(user=user, tag=tag):
                    self.eventually(lambda: [(row["localCseq"], row["notifyInFlight"])
                                             for row in self.subscriptions(user)] == [(1, False)] * 20)
                    self.assert_status(publisher.publish(user, pidf(user, "closed"), etag=tag), 200)
                self.play("subscribe", user, "-t", transport, "-m", "20", "-r", "20", meanwhile=change)
                self.eventually(lambda: self.subscriptions(user) == [])


@unittest.skipUnless(shutil.which("baresip"), "./test installs baresip")
class Baresip(Scenario):
    def start_baresip(self, user, watched):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        home = pathlib.Path(folder.name)
        modules = next(pathlib.Path("/usr/lib").glob("**/baresip/modules"))
        (home / "config").write_text(
            f"sip_listen 127.0.0.1:0\nmodule_path {modules}\nmodule account.so\nmodule g711.so\n"
            "module_app contact.so\nmodule_app presence.so\nmodule_app menu.so\n")
        host, port = self.system.sip
        (home / "accounts").write_text(f'<{user}>;regint=0;pubint=600;outbound="sip:{host}:{port}"\n')
        (home / "contacts").write_text(f'"Watched" <{watched}>;presence=p2p\n')
        # Until it is told what to publish, it publishes <basic>unknown</basic>, which RFC 3863 does not know: 400.
        process = Process(["baresip", "-f", home, "-e", "/presence_online"])
        self.addCleanup(process.stop)
        return process

    def test_publishes_subscribes_and_is_notified(self):
        user, watched = self.new_user("baresip"), self.new_user()
        publisher = self.phone()
        tag = self.published(publisher, watched, "open")
        baresip = self.start_baresip(user, watched)

        # What it publishes reaches a program that watches it.
        watch = Process([self.system.bin / "presencectl", "--server", self.system.core_address, "watch",
                         user.partition(":")[2]])
        self.addCleanup(watch.stop)
        watch.wait_for(r"\bopen\b")
        self.assertEqual(len(self.rows(user)), 1)

        # It says so when the state it is notified of is another than before.
        self.assertTrue(self.becomes(lambda: any("baresip" in row["watcher"] for row in self.subscriptions(watched))))
        publisher.publish(watched, pidf(watched, "closed"), etag=tag)
        baresip.wait_for(r"changed status from .*to .*Offline")

    def becomes(self, holds):
        """Asks the core, a process each time, until it holds or a hundred questions were asked."""
        return any(holds() for _ in range(100))


if __name__ == "__main__":
    unittest.main()
