"""Moving here from a real Kamailio with PostgreSQL: phones that subscribed and published there go on here, with the
tags, CSeq and entity-tags they have. Runs beside tests/postgres/with_cluster.py."""

import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import uuid

from scenario import PATIENCE, Phone, Process, Silence, System, WatcherInfo, binaries, free_port, parameter, pidf

KAMAILIO = shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin")
SCHEMA = pathlib.Path("/usr/share/kamailio/postgres")
SCRIPT = """#!KAMAILIO
debug=-1
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
alias="example.com"
listen=udp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "db_postgres.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
modparam("presence|presence_xml", "db_url", "postgres://presence:unused@/{database}")
modparam("presence", "server_address", "sip:127.0.0.1:{port}")
modparam("presence_xml", "force_active", 1)
modparam("presence_xml", "disable_bla", 1)
modparam("presence_xml", "disable_xcapdiff", 1)
request_route {{
    if (is_method("PUBLISH|SUBSCRIBE")) {{
        if (!t_newtran()) {{ sl_reply_error(); exit; }}
        if (is_method("PUBLISH")) handle_publish(); else handle_subscribe();
        t_release();
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""


def psql(dsn, *arguments):
    done = subprocess.run(["psql", "-d", dsn, "-qAtX", "-v", "ON_ERROR_STOP=1", *map(str, arguments)], check=False,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout.strip()


class Kamailio:
    """A running Kamailio, its script and its database."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.script = pathlib.Path(self.folder.name) / "kamailio.cfg"
        self.cluster = os.environ["PRESENCE_TEST_DSN"]
        self.database = f"kamailio_{uuid.uuid4().hex}"
        words = [word for word in shlex.split(self.cluster) if not word.startswith("dbname=")]
        self.dsn = " ".join([*words, f"dbname={self.database}"])
        self.socket_folder = next(word for word in words if word.startswith("host=")).partition("=")[2]
        psql(self.cluster, "-c", f"CREATE DATABASE {self.database}")
        for name in ("standard", "presence"):
            psql(self.dsn, "-f", SCHEMA / f"{name}-create.sql")
        self.sip = ("127.0.0.1", free_port())
        self.script.write_text(SCRIPT.format(port=self.sip[1], database=self.database), encoding="utf-8")
        self.process = Process([KAMAILIO, "-DD", "-E", "-m", "64", "-M", "8", "-f", self.script,
                                "-Y", self.folder.name, "-w", self.folder.name],
                               environment={"PGHOST": self.socket_folder})
        self.wait_until_it_answers()

    def wait_until_it_answers(self):
        end = time.monotonic() + PATIENCE
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.bind(("127.0.0.1", 0))
            asker.settimeout(0.2)
            asker.connect(self.sip)
            question = (f"OPTIONS sip:{self.sip[0]} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{asker.getsockname()[1]}"
                        ";branch=z9hG4bKup\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: up\r\n"
                        "CSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\nContent-Length: 0\r\n\r\n").encode()
            while time.monotonic() < end:
                try:
                    asker.send(question)
                    asker.recv(4096)
                    return
                except OSError:
                    continue
        raise AssertionError("kamailio does not answer:\n" + "\n".join(self.process.lines[-20:]))

    def stop(self):
        """In good order: it writes what it has not written yet."""
        self.process.stop(signal.SIGTERM)

    def service_file(self):
        """As libpq knows it by "service=kamailio"."""
        path = pathlib.Path(self.folder.name) / "pg_service.conf"
        path.write_text(f"[kamailio]\nhost={self.socket_folder}\nuser=presence\ndbname={self.database}\n",
                        encoding="utf-8")
        return {**os.environ, "PGSERVICEFILE": str(path)}

    def remove(self):
        if self.process.child.poll() is None:
            self.stop()
        psql(self.cluster, "-c", f"DROP DATABASE {self.database} WITH (FORCE)")
        self.folder.cleanup()


def cseq_of(message):
    return int(message.get("cseq").split()[0])


def drain(phone, call_id):
    """The NOTIFYs of a dialog that have come or come soon."""
    came = []
    while True:
        try:
            came.append(phone.notify(call_id, 1.0))
        except Silence:
            return came


@unittest.skipUnless(KAMAILIO and SCHEMA.exists() and "PRESENCE_TEST_DSN" in os.environ,
                     "kamailio or a PostgreSQL cluster is not here")
class MigrationTest(unittest.TestCase):
    def setUp(self):
        self.kamailio = Kamailio()
        self.addCleanup(self.kamailio.remove)

    def phone(self, user):
        phone = Phone(self.kamailio.sip, user=user)
        self.addCleanup(phone.close)
        return phone

    def take_over(self, publications=0):
        """Kamailio stops, once it has written what it has answered, and our programs start at its address."""
        end = time.monotonic() + PATIENCE
        while int(psql(self.kamailio.dsn, "-c", "SELECT count(*) FROM presentity")) < publications:
            self.assertLess(time.monotonic(), end, "Kamailio has written nothing")
        self.kamailio.stop()
        system = System(sip_port=self.kamailio.sip[1])
        self.addCleanup(system.stop)
        return system

    def migrate(self, system, *options, code=0):
        """What became of each part: imported, imported before, skipped, refused."""
        out = system.presencectl("migrate", "kamailio", "--cfg", self.kamailio.script, "--db", self.kamailio.dsn,
                                 "--gateway", "scenario", "-o", "json", *options, code=code)
        tables = json.loads(out)["tables"]
        return {part["what"]: (part["imported"], part["imported_before"], part["skipped"], part["refused"])
                for part in tables["parts"]}, tables

    def listed(self, system, *words):
        return [json.loads(line) for line in system.presencectl(*words, "-o", "jsonl").splitlines()]

    def test_o06_phones_go_on_where_they_were_at_kamailio(self):
        bob, alice = self.phone("bob"), self.phone("alice")
        published = alice.publish("sip:alice@example.com", pidf("sip:alice@example.com", "open"), expires=600)
        self.assertEqual(published.status, 200, published)
        subscription = bob.subscribe("sip:alice@example.com")
        self.assertLess(subscription.answer.status, 300, subscription.answer)
        self.assertLess(subscription.refresh(600).status, 300)
        told = drain(bob, subscription.call_id)
        self.assertTrue(told, "Kamailio sent no NOTIFY")
        system = self.take_over(publications=1)

        counts, _ = self.migrate(system)
        refreshed = subscription.refresh(600)
        notify = subscription.notify()
        modified = alice.publish("sip:alice@example.com", pidf("sip:alice@example.com", "closed"), expires=600,
                                 etag=published.get("sip-etag"))
        changed = subscription.notify()

        self.assertEqual(counts["publications"], (1, 0, 0, 0))
        self.assertEqual(counts["dialogs"], (1, 0, 0, 0))
        self.assertEqual(refreshed.status, 200, refreshed)
        self.assertEqual(refreshed.get("to"), subscription.to)
        self.assertGreater(cseq_of(notify), max(cseq_of(m) for m in told))
        self.assertEqual(parameter(notify.get("from"), "tag"), parameter(subscription.to, "tag"))
        self.assertIn("open", notify.text)
        self.assertEqual(modified.status, 200, modified)
        self.assertIn("closed", changed.text)
        self.assertEqual(cseq_of(changed), cseq_of(notify) + 1)

        # She has another entity-tag by now, and what Kamailio has is old.
        again, _ = self.migrate(system)
        self.assertEqual(again["publications"], (0, 1, 0, 0))
        self.assertEqual(again["dialogs"], (0, 1, 0, 0))
        self.assertEqual([row["etag"] for row in self.listed(system, "presentity", "list")], [modified.get("sip-etag")])
        self.goes_on_after_crashes(system, subscription)
        drain(bob, subscription.call_id)  # a gateway that is new may have been told again
        self.assertEqual(subscription.send(0).status, 200)
        self.assertRegex(subscription.notify().get("subscription-state"), "^terminated")
        self.assertEqual(subscription.refresh(600).status, 481)
        if system.storage_modes[1] == "write-through":  # else the crash may have taken what was taken
            self.assertEqual(self.migrate(system)[0]["dialogs"], (0, 1, 0, 0))
            self.assertEqual(self.listed(system, "subscription", "list"), [])

    def goes_on_after_crashes(self, system, subscription):
        system.crash_gateway()
        self.assertEqual(subscription.refresh(600).status, 200)
        last = cseq_of(subscription.notify())
        if system.storage_modes[1] != "write-through":
            return
        said = len(system.gateway.lines)
        system.crash_core()
        system.gateway.wait_for(r"connected to core", after=said)
        refreshed = subscription.refresh(600)
        self.assertEqual(refreshed.status, 200, refreshed)
        self.assertGreater(cseq_of(subscription.notify()), last)

    def test_winfo_goes_on_above_the_versions_of_kamailio(self):
        alice, bob = self.phone("alice"), self.phone("bob")
        winfo = alice.subscribe("sip:alice@example.com", event="presence.winfo")
        self.assertLess(winfo.answer.status, 300, winfo.answer)
        self.assertLess(bob.subscribe("sip:alice@example.com").answer.status, 300)
        told = [WatcherInfo(message.text).version for message in drain(alice, winfo.call_id)]
        self.assertGreater(max(told), 0, "Kamailio told nobody of the watcher")
        system = self.take_over()

        self.migrate(system)
        first = WatcherInfo(winfo.notify().text)
        # Bob's dialog may have come in after hers.
        watchers = first.told or WatcherInfo(winfo.notify().text).told

        self.assertGreater(first.version, max(told))
        self.assertEqual(first.state, "full")
        self.assertEqual([uri for uri, _, _ in watchers], ["sip:bob@example.com"])

    def test_rows_that_cannot_be_taken_are_named_and_stop_nothing(self):
        alice = self.phone("alice")
        self.assertEqual(alice.publish("sip:alice@example.com", pidf("sip:alice@example.com", "open")).status, 200)
        system = self.take_over(publications=1)
        later = int(time.time()) + 600
        psql(self.kamailio.dsn, "-c", f"""
            INSERT INTO presentity (username, domain, event, etag, expires, received_time, body, sender) VALUES
              ('bob', 'example.com', 'presence', 'e1', {later}, 0, 'no XML', ''),
              ('bob', 'example.com', 'presence', 'two words', {later}, 0, 'x', ''),
              ('bob', 'example.com', 'dialog', 'e2', {later}, 0, '<dialog-info/>', ''),
              ('old', 'example.com', 'presence', 'e3', 1, 0, '{pidf("sip:old@example.com", "open")}', '');
            INSERT INTO watchers (presentity_uri, watcher_username, watcher_domain, event, status, reason,
                                  inserted_time) VALUES
              ('sip:alice@example.com', 'eve', 'example.com', 'presence', 3, 'rejected', 0),
              ('sip:alice@example.com', 'dan', 'example.com', 'presence', 2, '', 0);
            INSERT INTO xcap (username, domain, doc, doc_type, etag, source, doc_uri, port) VALUES
              ('alice', 'example.com', '<ruleset/>', 2, 'x', 0, '/pres-rules/users/sip:alice@example.com/index', 0),
              ('bob', 'example.com', '<list/>', 4, 'x', 0, '/resource-lists/users/sip:bob@example.com/index', 0)""")

        asked, _ = self.migrate(system, "--dry-run", code=1)
        nothing_yet = system.presencectl("presentity", "list", "-o", "jsonl")
        done, tables = self.migrate(system, code=1)

        self.assertEqual(nothing_yet, "")
        self.assertEqual(asked, done)
        self.assertEqual(done["publications"], (1, 0, 1, 3))
        self.assertEqual(done["decided"], (1, 0, 0, 0))
        self.assertEqual(done["waiting"], (1, 0, 0, 0))
        self.assertEqual([(row["auid"], row["documents"]) for row in tables["xcap"]],
                         [("pres-rules", 1), ("resource-lists", 1)])
        for row in tables["xcap"]:
            self.assertTrue(row["why"], row)
        why = " / ".join(row["why"] for row in tables["refused"])
        for reason in ("BAD_DOCUMENT", "INVALID_FIELD", "UNKNOWN_EVENT"):
            self.assertIn(reason, why)
        states = {row["watcher"]: row["state"] for row in map(
            json.loads, system.presencectl("watcher", "list", "alice@example.com", "-o", "jsonl").splitlines())}
        self.assertEqual(states["eve@example.com"], "SUBSCRIPTION_STATE_TERMINATED")
        self.assertEqual(states["dan@example.com"], "SUBSCRIPTION_STATE_WAITING")

    def test_hard_state_comes_along(self):
        system = self.take_over()
        folder = "/xcap-root/pidf-manipulation/users/sip:alice@example.com"
        away, here = (pidf("sip:alice@example.com", basic).replace("'", "''") for basic in ("closed", "open"))
        psql(self.kamailio.dsn, "-c", f"""
            INSERT INTO xcap (username, domain, doc, doc_type, etag, source, doc_uri, port) VALUES
              ('alice', 'example.com', '{away}', 16, 'x', 0, '{folder}/index', 0),
              ('alice', 'example.com', 'no XML', 16, 'x', 0, '{folder}/broken', 0),
              ('alice', 'example.com', '{away}', 16, 'x', 0, '{folder}/deeper/index', 0);
            INSERT INTO presentity (username, domain, event, etag, expires, received_time, body, sender) VALUES
              ('bob', 'example.com', 'presence', 'desk', -1, 0, '{here}', '')""")

        done, tables = self.migrate(system, code=1)
        system.presencectl("rules", "delete", "bob@example.com", "--name", "desk")
        again, _ = self.migrate(system, code=1)

        self.assertEqual(done["documents"], (1, 0, 0, 2))
        self.assertEqual(done["publications"], (1, 0, 0, 0))
        self.assertEqual([row["why"].split(":")[0] for row in tables["refused"]], ["BAD_DOCUMENT", "INVALID_FIELD"])
        self.assertEqual(again["documents"], (0, 1, 0, 2))
        self.assertEqual(again["publications"], (0, 1, 0, 0))
        self.assertEqual([row["name"]["owner"] for row in self.listed(system, "rules", "list")], ["alice@example.com"])
        self.assertIn("closed", system.presencectl("state", "get", "alice@example.com", "-o", "json"))

    def test_thousands_of_real_rows_come_in(self):
        system = self.take_over()
        body = pidf("sip:u@example.com", "open").replace("</presence>", f"<note>{'x' * 700}</note></presence>")
        later = int(time.time()) + 600
        psql(self.kamailio.dsn, "-c", f"""
            INSERT INTO presentity (username, domain, event, etag, expires, received_time, body, sender)
              SELECT 'u' || n, 'example.com', 'presence', 'etag' || n, {later}, 0, '{body}'::bytea, ''
              FROM generate_series(1, 2000) AS n""")

        done, _ = self.migrate(system)
        again, _ = self.migrate(system)

        self.assertEqual(done["publications"], (2000, 0, 0, 0))
        self.assertEqual(again["publications"], (0, 2000, 0, 0))

    def test_tables_are_found_in_the_schema_that_the_script_names(self):
        system = self.take_over()
        psql(self.kamailio.dsn, "-c", f"""
            CREATE SCHEMA kept; ALTER TABLE presentity SET SCHEMA kept;
            INSERT INTO kept.presentity (username, domain, event, etag, expires, received_time, body, sender) VALUES
              ('bob', 'example.com', 'presence', 'e1', {int(time.time()) + 600}, 0,
               '{pidf("sip:bob@example.com", "open")}', '')""")
        with self.kamailio.script.open("a", encoding="utf-8") as script:
            script.write('modparam("presence", "presentity_table", "kept.presentity")\n')

        done, _ = self.migrate(system)

        self.assertEqual(done["publications"], (1, 0, 0, 0))

    def test_a_database_without_the_tables_is_refused(self):
        system = self.take_over()

        done = system.run_presencectl("migrate", "kamailio", "--cfg", self.kamailio.script, "--db",
                                      self.kamailio.dsn.replace(self.kamailio.database, "template1"))

        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("none of Kamailio's tables: active_watchers, presentity, watchers, xcap", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_examples_of_the_help_page_work(self):
        system = self.take_over()
        page = system.presencectl("migrate", "kamailio", "--help")
        examples = [line.split()[1:] for line in page.splitlines() if line.startswith("  presencectl ")
                    and " --db " in line]
        self.assertEqual(len(examples), 2, page)
        for words in examples:
            done = subprocess.run([binaries() / "presencectl", "--server", system.core_address, *words],
                                  cwd=self.kamailio.folder.name, env=self.kamailio.service_file(),
                                  capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, f"{words}\n{done.stdout}{done.stderr}")
            self.assertIn("dialogs", done.stdout)

    def test_no_password_is_ever_shown(self):
        system = self.take_over()
        for dsn in ("postgresql://k:geheim@127.0.0.1:1/k", "postgresql://k:geheim@[/k", "host=x password=geheim geheim",
                    "geheim"):
            done = system.run_presencectl("migrate", "kamailio", "--cfg", self.kamailio.script, "--db", dsn)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("geheim", done.stdout + done.stderr, dsn)


if __name__ == "__main__":
    unittest.main()
