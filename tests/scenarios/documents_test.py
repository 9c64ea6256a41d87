"""Hard state, what others change in the database, and lists and orders that are the same in every storage mode and
after kill -9 of the core.

With PRESENCE_TEST_STORAGE_MODE set it runs under tests/postgres/with_cluster.py.
"""

import json
import pathlib
import re
import tempfile
import unittest

from scenario import Scenario, basics, pidf


class Stored(Scenario):
    core = ("--set", "storage.flush_interval=20ms")

    @classmethod
    def tearDownClass(cls):
        cls.system.stop()

    def setUp(self):
        self.eventually(lambda: self.phone().ask("OPTIONS", "sip:example.com").status == 200)

    @property
    def keeps_publications(self):
        return self.system.storage_modes[0] != "memory"

    def await_written(self):
        if self.system.database:
            self.eventually(lambda: self.system.core_metrics()["presence_storage_dirty_rows"] == 0)

    def crash_core(self):
        self.await_written()
        lines = len(self.system.gateway.lines)
        self.system.crash_core()
        self.system.gateway.wait_for("connected to core", after=lines)

    def put(self, user, document, *options, code=0):
        """Stores hard state; returns what presencectl said of it, or nothing if it was refused."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "document.xml"
            path.write_text(document, encoding="utf-8")
            told = self.system.presencectl("rules", "put", user.partition(":")[2], "--file", path, *options,
                                           "-o", "json", code=code)
        return json.loads(told) if told else None

    def documents(self, *options):
        told = self.system.presencectl("rules", "list", *options, "-o", "jsonl")
        return [json.loads(line) for line in told.splitlines()]

    def refresh(self, user, *options):
        return json.loads(self.system.presencectl("refresh-watchers", user.partition(":")[2], *options, "-o", "json"))

    def refresh_hard_state(self, user, name="index"):
        return self.refresh(user, "--kind", "hard-state", "--file-uri", f"http://xcap.example.com/{name}",
                            "--filename", name)

    def state(self, user):
        return self.system.presencectl("state", "get", user, "--raw")


class HardState(Stored):
    def test_o02_it_is_shown_beneath_what_is_published_replaced_and_gone(self):
        phone, user = self.phone(), self.new_user()
        subscription, _ = self.subscribed(phone, user)
        self.put(user, pidf(user, "closed", note="on holiday", tuple_id="hard"))
        self.assertIn("on holiday", subscription.notify().text)
        tag = self.published(self.phone(), user, note="here after all")
        shown = subscription.notify().text
        self.assertLess(shown.index("here after all"), shown.index("on holiday"), "the stronger comes first")
        self.put(user, pidf(user, "closed", note="back on Monday", tuple_id="hard"))
        shown = subscription.notify().text
        self.assertIn("back on Monday", shown)
        self.assertNotIn("on holiday", shown)
        self.assert_status(self.phone().publish(user, etag=tag, expires=0), 200)
        self.assertEqual(basics(subscription.notify().text), ["closed"])
        self.system.presencectl("rules", "delete", user.partition(":")[2])
        self.assertNotIn("back on Monday", subscription.notify().text)

    def test_o02_a_refresh_tells_everybody_again_and_names_the_document(self):
        phone, user = self.phone(), self.new_user()
        self.put(user, pidf(user, note="vacation"), "--name", "vacation")
        subscription, first = self.subscribed(phone, user)
        told = self.refresh_hard_state(user, "vacation")
        self.assertEqual((told["examined"], told["notified"]), (1, 1))
        again = subscription.notify()
        self.assertEqual(again.text, first.text)
        document, = self.documents(user.partition(":")[2])
        self.assertEqual(document["fileUri"], "http://xcap.example.com/vacation")
        # One that is not there is no error: then nothing is shown of it.
        self.assertEqual(self.refresh_hard_state(user, "other")["notified"], 1)
        subscription.notify()

    def test_o02_a_refresh_says_which_field_is_missing(self):
        name = self.new_user().partition(":")[2]
        whole = ["refresh-watchers", name, "--kind", "hard-state", "--file-uri", "http://x/y", "--filename", "index"]
        for field, flag in (("file_uri", "--file-uri"), ("filename", "--filename")):
            at = whole.index(flag)
            done = self.system.run_presencectl(*whole[:at], *whole[at + 2:])
            self.assertIn(f"INVALID_FIELD: {field}", done.stderr)
        self.assertEqual(self.system.refusal(*whole, "--event", "presense"), "UNKNOWN_EVENT")

    def test_an_entity_tag_names_one_content_also_after_a_crash(self):
        user = self.new_user()
        first = self.put(user, pidf(user, note="one"), "--new")
        self.put(user, pidf(user, note="two"), "--new", code=6)
        self.crash_core()
        if not self.keeps_publications:
            self.assertEqual(self.documents(user.partition(":")[2]), [])
            return
        second = self.put(user, pidf(user, note="two"), "--etag", first["etag"])
        self.put(user, pidf(user, note="three"), "--etag", first["etag"], code=6)
        self.assertEqual(second["createTime"][:19], first["createTime"][:19])
        self.assertEqual(self.put(user, pidf(user, note="two"))["etag"], second["etag"], "the same content")
        self.crash_core()
        self.assertIn("two", self.state(user))
        self.system.presencectl("rules", "delete", user.partition(":")[2], "--etag", second["etag"])
        self.crash_core()
        self.assertEqual(self.documents(user.partition(":")[2]), [], "deletions are flushed like rows")

    def test_a_repeated_call_makes_one_change(self):
        user = self.new_user()
        first = self.put(user, pidf(user, note="one"), "--new", "--request-id", "repeat-" + user)
        self.crash_core()
        again = self.put(user, pidf(user, note="one"), "--new", "--request-id", "repeat-" + user)
        self.assertEqual(again["etag"] == first["etag"], self.keeps_publications)

    def test_what_is_not_served_yet_and_what_is_not_valid(self):
        name = self.new_user().partition(":")[2]
        self.assertEqual(self.system.refusal("rules", "get", name, "--kind", "pres-rules"), "NOT_SERVED_YET")
        self.assertEqual(self.system.refusal("rules", "get", name), "PUBLICATION_UNKNOWN")
        self.assertEqual(self.system.refusal("rules", "get", name, "--name", "a/b"), "INVALID_FIELD")
        self.put("sip:" + name, "<presence/>", code=1)
        checked = self.put("sip:" + name, "<presence/>", "--dry-run", code=1)
        self.assertEqual(checked["findings"][0]["code"], "bad-document")

    def test_lists_go_by_owner_and_name(self):
        users = [self.new_user("lister").partition(":")[2] for _ in range(2)]
        for user in reversed(users):
            for name in ("b", "a"):
                self.put("sip:" + user, pidf(user), "--name", name)
        rows = [(row["name"]["owner"], row["name"]["name"]) for row in self.documents()]
        self.assertEqual([row for row in rows if row[0] in users],
                         sorted((user, name) for user in users for name in ("a", "b")))
        self.assertEqual(len(self.documents(users[0])), 2)


class ChangedByOthers(Stored):
    def setUp(self):
        if not self.keeps_publications:
            self.skipTest("nothing is kept that others could change")
        super().setUp()

    def change(self, table, user, text, old):
        name = user.partition(":")[2]
        self.await_written()
        changed = self.system.database.run(
            f"UPDATE {table} SET body = convert_to(replace(convert_from(body, 'UTF8'), '{old}', '{text}'), 'UTF8')"
            f" WHERE presentity = '{name}' RETURNING 1")
        self.assertEqual(changed.splitlines()[0], "1")

    def test_o01_a_publication_that_was_changed_in_the_database_is_shown(self):
        phone, user = self.phone(), self.new_user()
        tag = self.published(phone, user, note="ours")
        subscription, _ = self.subscribed(self.phone(), user)
        self.change("publication", user, "theirs", "ours")
        self.assertIn("ours", self.state(user), "until somebody says so")
        self.assertEqual(self.refresh(user, "--kind", "state")["notified"], 1)
        self.assertIn("theirs", subscription.notify().text)
        self.assertIn("theirs", self.state(user))
        # Its publisher goes on as if nothing had happened.
        self.assert_status(phone.publish(user, etag=tag), 200)
        self.crash_core()
        self.assertIn("theirs", self.state(user))

    def test_o01_one_that_was_deleted_in_the_database_is_gone(self):
        phone, user = self.phone(), self.new_user()
        tag = self.published(phone, user)
        subscription, _ = self.subscribed(self.phone(), user)
        self.await_written()
        self.system.database.run(f"DELETE FROM publication WHERE presentity = '{user.partition(':')[2]}'")
        self.refresh(user, "--kind", "state")
        self.assertEqual(basics(subscription.notify().text), ["closed"])
        self.assert_status(phone.publish(user, pidf(user), etag=tag), 412)

    def test_o02_a_document_that_was_changed_in_the_database_is_shown(self):
        user = self.new_user()
        first = self.put(user, pidf(user, note="ours"))
        subscription, _ = self.subscribed(self.phone(), user)
        self.change("document", user, "theirs", "ours")
        self.refresh_hard_state(user)
        self.assertIn("theirs", subscription.notify().text)
        second, = self.documents(user.partition(":")[2])
        # In db-only a core that looks takes what is stored as it is, and nobody renames it.
        if not self.system.is_shared:
            self.assertNotEqual(second["etag"], first["etag"])
        self.await_written()
        self.system.database.run(f"DELETE FROM document WHERE presentity = '{user.partition(':')[2]}'")
        self.refresh_hard_state(user)
        self.assertNotIn("theirs", subscription.notify().text)

    def test_what_cannot_be_shown_is_refused_and_nothing_changes(self):
        phone, user = self.phone(), self.new_user()
        self.published(phone, user, note="ours")
        self.change("publication", user, "<oops", "<note>ours")
        self.assertEqual(self.system.refusal("refresh-watchers", user, "--kind", "state"), "BAD_DOCUMENT")
        self.assertIn("ours", self.state(user))


class Lists(Stored):
    def test_o04_publications_are_listed_with_every_field_and_filter(self):
        phone, user = self.phone(), self.new_user("listed")
        name = user.partition(":")[2]
        tag = self.published(phone, user, note="one", expires=600)
        self.published(self.phone(), user, note="two", expires=600)
        def shown():
            rows = self.rows(user)
            self.assertEqual(len(rows), 2)
            for row in rows:
                for field in ("presentity", "event", "etag", "expireTime", "receiveTime", "ruid", "document"):
                    self.assertTrue(row.get(field), field)
            self.assertEqual(rows[0]["etag"], tag, "by age")
            self.assertIn("one", rows[0]["document"]["text"])
            brief = self.listed("presentity", user)
            self.assertEqual([row["etag"] for row in brief], [row["etag"] for row in rows])
            self.assertTrue(not any(row.get("document") or row.get("ruid") for row in brief))
            self.assertEqual(len(self.listed("presentity", user, "--limit", "1")), 1)
            self.assertEqual(len(self.listed("presentity", None, "--domain", "example.com", "--event", "presence")),
                             len(self.listed("presentity", None)))
            self.assertEqual(self.listed("presentity", None, "--domain", "example.org"), [])
            return [(row["presentity"], row["etag"], row["expireTime"][:18], row["receiveTime"][:18]) for row in rows]
        before = shown()
        self.assertEqual(before[0][0], name)
        if self.keeps_publications:
            self.crash_core()
            self.assertEqual([row[:2] for row in shown()], [row[:2] for row in before])

    def test_o04_a_list_of_several_pages_has_each_publication_once(self):
        phone = self.phone()
        users = [self.new_user("page") for _ in range(1010)]
        for user in users:
            self.published(phone, user)
        def listed():
            return [row["presentity"] for row in self.listed("presentity", None)
                    if row["presentity"].startswith("page")]
        self.assertEqual(listed(), sorted(user.partition(":")[2] for user in users))
        if self.keeps_publications:
            self.crash_core()
            self.assertEqual(listed(), sorted(user.partition(":")[2] for user in users))


class Cleaned(Stored):
    core = (*Stored.core, "--set", "expiry.sweep_interval=0", "--set", "publish.min_expires=1s",
            "--set", "subscribe.min_expires=1s", "--set", "subscribe.grace=0s")

    def cleanup(self, *options):
        counts = json.loads(self.system.presencectl("cleanup", *options, "-o", "json"))["counts"]
        return {row["kind"].removeprefix("CLEANUP_KIND_"): int(row.get("removed", 0)) for row in counts}

    def test_o03_what_cleanup_counted_is_gone_from_the_database_too(self):
        phone, user = self.phone(), self.new_user()
        self.published(phone, user, expires=1)
        self.put(user, pidf(user, note="stays"))
        self.eventually(lambda: self.cleanup("--dry-run")["PUBLICATIONS"] == 1)
        self.assertEqual(self.cleanup("--kind", "subscriptions"), {"SUBSCRIPTIONS": 0})
        counts = self.cleanup()
        self.assertEqual(set(counts), {"PUBLICATIONS", "SUBSCRIPTIONS", "ANSWER_RECORDS", "WAITING_WATCHERS"})
        self.assertEqual(counts["PUBLICATIONS"], 1)
        self.assertEqual(self.cleanup()["PUBLICATIONS"], 0)
        self.assertIn("stays", self.state(user), "hard state does not expire")
        if self.system.database:
            self.await_written()
            self.assertEqual(self.system.database.run("SELECT count(*) FROM publication"), "0")


class Order(Stored):
    """Tuples come in the order of their publications, strongest first."""

    expected = ["2", "3", "1"]
    core = (*Stored.core, "--set", "compose.order=priority,received")

    def order(self, user):
        return re.findall(r'<(?:\w+:)?tuple id="t(\d)"', self.state(user))

    def test_it_is_that_of_the_configuration_and_the_same_after_a_crash(self):
        user = self.new_user()
        with tempfile.TemporaryDirectory() as folder:
            for number, priority in ((1, 1), (2, 7), (3, 1)):
                path = pathlib.Path(folder) / "document.xml"
                path.write_text(pidf(user, tuple_id=f"t{number}"), encoding="utf-8")
                self.system.presencectl("publish", user, "--file", path, "--priority", str(priority))
        self.assertEqual(self.order(user), self.expected)
        before = self.state(user)
        if self.keeps_publications:
            self.crash_core()
            self.assertEqual(self.state(user), before)


class OrderByTime(Order):
    expected = ["3", "2", "1"]
    core = (*Stored.core, "--set", "compose.order=received")


class OrderByPriority(Order):
    expected = ["2", "3", "1"]  # of two with one priority the one that came later
    core = (*Stored.core, "--set", "compose.order=priority")


if __name__ == "__main__":
    unittest.main()
