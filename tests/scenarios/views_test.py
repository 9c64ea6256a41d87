"""Programs that read Kamailio's tables read the views, and see what is there while the core serves.

Runs under tests/postgres/with_cluster.py with PRESENCE_TEST_STORAGE_MODE set.
"""

import subprocess
import time
import unittest

from scenario import Scenario, pidf


class Views(Scenario):
    core = ("--set", "storage.flush_interval=20ms", "--set", "policy.unknown_watcher=pending")

    def setUp(self):
        self.keeps_publications, self.keeps_subscriptions = (mode != "memory" for mode in self.system.storage_modes)
        self.user = self.new_user()
        self.name = self.user.removeprefix("sip:").partition("@")[0]

    def seen(self, columns, view, where):
        """What psql shows a reader who knows Kamailio's layout: a list of rows, each a list of texts."""
        rows = self.system.database.run(f"SELECT {columns} FROM {view} WHERE {where} ORDER BY 1")
        return [row.split("|") for row in rows.splitlines()]

    def publications(self, columns="etag"):
        return self.seen(columns, "presentity", f"username = '{self.name}' AND domain = 'example.com'")

    def subscriptions_seen(self, columns="status"):
        return self.seen(columns, "active_watchers", f"presentity_uri = '{self.user}'")

    def watchers_seen(self):
        return self.seen("watcher_username, status, reason", "watchers", f"presentity_uri = '{self.user}'")

    def test_a_publication_from_its_first_publish_to_its_end(self):
        if not self.keeps_publications:
            self.skipTest("publications are not stored")
        phone = self.phone()
        tag = self.published(phone, self.user, note="here", expires=600)
        self.eventually(lambda: self.publications() == [[tag]])
        [[event, expires, received, sender, body]] = self.publications(
            "event, expires, received_time, sender, encode(body, 'hex')")
        self.assertEqual((event, bytes.fromhex(body).decode()), ("presence", pidf(self.user, note="here")))
        [row] = self.rows(self.user)
        self.assertEqual(sender, row.get("sender", ""))
        self.assertAlmostEqual(int(expires) - 600, time.time(), delta=30)
        self.assertAlmostEqual(int(received), time.time(), delta=30)
        answer = phone.publish(self.user, etag=tag, expires=600)
        self.eventually(lambda: self.publications() == [[answer.get("sip-etag")]])
        phone.publish(self.user, etag=answer.get("sip-etag"), expires=0)
        self.eventually(lambda: self.publications() == [])

    def test_a_subscription_that_waits_is_approved_and_ends(self):
        if not self.keeps_subscriptions:
            self.skipTest("subscriptions are not stored")
        phone = self.phone(user="bob")
        subscription, notify = self.subscribed(phone, self.user, expires=600)
        self.eventually(lambda: self.subscriptions_seen() == [["2"]])
        self.assertEqual(self.watchers_seen(), [["bob", "2", ""]])
        [[callid, to_tag, from_tag, event, expires, cseq, user, to_user, contact]] = self.subscriptions_seen(
            "callid, to_tag, from_tag, event, expires, local_cseq, watcher_username, to_user, contact")
        self.assertEqual((callid, event, user, to_user), (notify.get("call-id"), "presence", "bob", self.name))
        self.assertIn(f"tag={to_tag}", notify.get("from"))
        self.assertIn(f"tag={from_tag}", notify.get("to"))
        self.assertTrue(notify.uri.startswith(contact.partition(";")[0]), (notify.uri, contact))
        self.assertAlmostEqual(int(expires) - 600, time.time(), delta=30)
        self.assertGreaterEqual(int(cseq), notify.cseq)
        self.system.presencectl("watcher", "approve", self.user, "bob@example.com")
        subscription.notify()
        self.eventually(lambda: self.subscriptions_seen() == [["1"]])
        self.assertEqual(self.watchers_seen(), [["bob", "1", ""]])
        subscription.refresh(0)
        subscription.notify()
        self.eventually(lambda: self.subscriptions_seen() == [])
        self.assertEqual(self.watchers_seen(), [["bob", "1", ""]], "it is still approved")

    def test_a_watcher_that_was_blocked(self):
        self.system.presencectl("watcher", "block", self.user, "mallory@example.com")
        self.eventually(lambda: self.watchers_seen() == [["mallory", "3", "rejected"]])

    def test_whoever_wrote_into_the_table_is_told_what_to_call_and_that_is_seen_and_told(self):
        phone = self.phone(user="carol")
        self.system.presencectl("watcher", "approve", self.user, "carol@example.com")
        subscription, _ = self.subscribed(phone, self.user)
        with self.assertRaises(subprocess.CalledProcessError) as refused:
            self.system.database.run("INSERT INTO presentity (username, domain, event, etag, expires, received_time, body,"
                                     f" sender) VALUES ('{self.name}', 'example.com', 'presence', 'e', 1, 1, '', '')")
        self.assertIn("the view presentity is for reading", refused.exception.stderr)
        self.assertIn("HINT:  Call Publish", refused.exception.stderr)
        self.system.presencectl("publish", self.user, "--open", "--note", "from a program")
        self.assertIn("from a program", subscription.notify().text)
        if self.keeps_publications:
            self.eventually(lambda: len(self.publications()) == 1)

    def test_o06_the_names_are_configured(self):
        names = "SELECT string_agg(schemaname || '.' || viewname, ' ' ORDER BY schemaname, viewname) FROM pg_views" \
                " WHERE schemaname IN ('presence', 'public')"
        def restarted(*settings):
            self.system.core.stop()
            before, self.system.core_arguments = self.system.core_arguments, [*self.system.core_arguments, *settings]
            lines = len(self.system.gateway.lines)
            try:
                self.system.start_core(self.system.core_address)
            finally:
                self.system.core_arguments = before
            self.system.gateway.wait_for("connected to core", after=lines)
            return self.system.database.run(names)
        self.assertEqual(self.system.database.run(names),
                         "presence.active_watchers presence.presentity presence.watchers")
        self.assertEqual(restarted("--set", "storage.views.presentity=public.presentity", "--set",
                                   "storage.views.watchers=none"),
                         "presence.active_watchers public.presentity")
        self.assertEqual(restarted(), "presence.active_watchers presence.presentity presence.watchers")

    def test_o06_a_name_that_is_taken_is_refused_at_the_start(self):
        self.system.database.run("CREATE TABLE public.taken (id integer)")
        done = subprocess.run([self.system.bin / "presence-core", "migrate", "up", "--dsn", self.system.database.dsn,
                               "--set", "storage.views.watchers=public.taken"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 8, done.stderr)
        self.assertIn("storage.views.watchers", done.stderr)
        self.assertIn("public.taken", done.stderr)


if __name__ == "__main__":
    unittest.main()
