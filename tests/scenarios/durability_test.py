"""What was answered outlives kill -9 of everything, in the storage modes that promise it.

Runs under tests/postgres/with_cluster.py with PRESENCE_TEST_STORAGE_MODE set.
"""

import signal
import time
import unittest

from continuous import FLUSH, continuous
from scenario import Scenario, Silence, pidf


class Durability(Scenario):
    # Write-back promises what is older than this.
    core = ("--set", f"storage.flush_interval={FLUSH * 1000:.0f}ms")

    @classmethod
    def tearDownClass(cls):
        cls.system.stop()

    def setUp(self):
        # A test before may have left the gateway looking for its core.
        self.eventually(lambda: self.phone().ask("OPTIONS", "sip:example.com").status == 200)

    def is_written(self):
        metrics = self.system.core_metrics()
        return metrics["presence_storage_dirty_rows"] == 0

    def crash_core(self):
        self.eventually(self.is_written)
        lines = len(self.system.gateway.lines)
        self.system.crash_core()
        self.system.gateway.wait_for("connected to core", after=lines)

    def test_p21_a_publication_its_tag_and_its_lifetime_outlive_the_core(self):
        phone, user = self.phone(), self.new_user()
        tag = self.published(phone, user, note="before", expires=600)
        self.crash_core()
        self.assertIn("before", self.system.presencectl("state", "get", user))
        answer = phone.publish(user, pidf(user, note="after"), etag=tag)
        self.assert_status(answer, 200)
        self.assertEqual(len(self.listed("presentity", user)), 1)

    def test_p21_a_repeated_publish_gets_the_first_answer_and_leaves_one_publication(self):
        phone, user = self.phone(), self.new_user()
        request = phone.request("PUBLISH", user, [("Event", "presence"), ("Content-Type", "application/pidf+xml")],
                                pidf(user))
        first = phone.ask_bytes(request)
        self.assert_status(first, 200)
        self.eventually(self.is_written)
        # The gateway must not know the answer either.
        self.system.crash_core()
        self.system.crash_gateway()
        again = phone.ask_bytes(request)
        self.assert_status(again, 200)
        self.assertEqual(again.get("sip-etag"), first.get("sip-etag"))
        self.assertEqual(len(self.listed("presentity", user)), 1)

    def test_a_removed_publication_stays_removed(self):
        phone, user = self.phone(), self.new_user()
        tag = self.published(phone, user)
        self.assert_status(phone.publish(user, etag=tag, expires=0), 200)
        self.crash_core()
        self.assertEqual(self.listed("presentity", user), [])
        self.assert_status(phone.publish(user, pidf(user), etag=tag), 412)

    def test_n10_a_dialog_goes_on_with_its_tags_and_a_rising_cseq(self):
        phone, user = self.phone(), self.new_user()
        tag = self.published(phone, user, note="one")
        subscription, first = self.subscribed(phone, user)
        self.crash_core()
        self.assert_status(self.phone().publish(user, pidf(user, note="two"), etag=tag), 200)
        told = [first]
        while "two" not in told[-1].text:  # it may have missed the one before
            told.append(subscription.notify())
            self.assertGreater(told[-1].cseq, told[-2].cseq)
        self.assert_status(subscription.refresh(600), 200)

    def knew_all(self, user):
        """Whether it is written down that every watcher knew all it was owed."""
        name = user.partition(":")[2]
        return self.system.database.run(f"SELECT settled_seq = seq FROM resource WHERE presentity = '{name}'") == "t"

    def test_n10_after_a_crash_only_those_are_told_again_who_may_have_missed_something(self):
        if self.system.is_shared:
            self.skipTest("in db-only everybody is told again")
        content, mute, publisher = self.phone(user="carol"), self.phone(user="dave"), self.phone()
        quiet, loud = self.new_user(), self.new_user()
        tag = self.published(publisher, loud)
        self.subscribed(content, quiet)
        subscription, _ = self.subscribed(mute, loud)
        self.eventually(lambda: self.knew_all(quiet) and self.knew_all(loud))
        mute.is_answering = False
        self.assert_status(publisher.publish(loud, pidf(loud, note="missed"), etag=tag), 200)
        missed = subscription.notify()
        self.crash_core()
        mute.is_answering = True
        again = missed
        while again.cseq == missed.cseq:  # the gateway may still repeat that one
            again = subscription.notify()
        self.assertIn("missed", again.text)
        self.assertGreater(again.cseq, missed.cseq + 1)
        if self.system.is_stored_first:
            content.assert_quiet()
        else:
            content.notify()  # write-back may have shown it what the crash has lost
            content.assert_quiet()

    def test_n10_after_a_clean_stop_nobody_is_told_again(self):
        if self.system.is_shared:
            self.skipTest("in db-only everybody is told again")
        phone, user = self.phone(), self.new_user()
        tag = self.published(phone, user, note="one")
        subscription, first = self.subscribed(phone, user)
        self.eventually(lambda: self.knew_all(user))
        lines = len(self.system.gateway.lines)
        self.system.core.stop()
        self.system.start_core(self.system.core_address)
        self.system.gateway.wait_for("connected to core", after=lines)
        phone.assert_quiet()
        self.assert_status(phone.publish(user, pidf(user, note="two"), etag=tag), 200)
        notify = subscription.notify()
        self.assertIn("two", notify.text)
        self.assertGreater(notify.cseq, first.cseq)

    def test_n10_who_was_shown_what_the_database_refused_is_told_again(self):
        """Also after a clean stop, although it was written down that they knew everything."""
        phone, user = self.phone(), self.new_user()
        database = self.system.database
        database.run("ALTER TABLE publication ADD CONSTRAINT no_such_note"
                     " CHECK (position('unwanted' IN convert_from(body, 'UTF8')) = 0)")
        self.addCleanup(database.run, "ALTER TABLE publication DROP CONSTRAINT no_such_note")
        tag = self.published(phone, user, note="wanted")
        subscription, _ = self.subscribed(phone, user)
        self.eventually(self.is_written)
        answer = phone.publish(user, pidf(user, note="unwanted"), etag=tag)
        if self.system.is_stored_first:
            self.assert_status(answer, 500)  # to try again would be in vain
            phone.assert_quiet()
            return
        self.assert_status(answer, 200)
        self.assertIn("unwanted", subscription.notify().text)
        self.eventually(lambda: self.system.core_metrics()["presence_storage_refused_total"] > 0)
        self.eventually(lambda: self.knew_all(user))
        lines = len(self.system.gateway.lines)
        self.system.core.stop()
        self.system.start_core(self.system.core_address)
        self.system.gateway.wait_for("connected to core", after=lines)
        self.assertIn(">wanted<", subscription.notify().text)

    def test_an_ended_subscription_stays_ended(self):
        phone, user = self.phone(), self.new_user()
        subscription, _ = self.subscribed(phone, user)
        self.assert_status(subscription.refresh(0), 200)
        subscription.notify()
        self.crash_core()
        self.published(self.phone(), user)
        try:
            # The core may not have heard that its last NOTIFY was answered.
            while True:
                self.assertIn("terminated", subscription.notify(seconds=1).get("subscription-state"))
        except Silence:
            pass
        self.assert_status(subscription.refresh(600), 481)

    def test_what_the_owner_decided_about_a_watcher_outlives_the_core(self):
        user = self.new_user()
        self.system.presencectl("watcher", "block", user, "mallory@example.com")
        self.crash_core()
        self.assert_status(self.phone(user="mallory").subscribe(user).answer, 403)

    def test_r1_n10_nothing_answered_is_lost_while_the_core_is_killed_again_and_again(self):
        with continuous(self) as load:
            for _ in range(5):
                load.await_answers(20)
                with load.crash():
                    self.system.core.stop(signal.SIGKILL)
                self.system.start_core(self.system.core_address)
                load.await_served()

    def test_p20_a_database_that_is_away_is_503_and_leaves_nothing_of_the_request(self):
        phone, user, other = self.phone(), self.new_user(), self.new_user()
        self.published(phone, user, note="before")
        database = self.system.database
        self.addCleanup(lambda: database.run(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true", database.cluster))
        database.run(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false", database.cluster)
        database.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'",
                     database.cluster)
        answer = phone.publish(other, pidf(other))
        if self.system.is_stored_first:
            self.assert_status(answer, 503)
            self.assertTrue(answer.get("retry-after"))
        else:
            self.assert_status(answer, 200)
        # Beyond the end of the lease, too, which nobody else can take meanwhile.
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if self.system.is_shared:
                self.assertEqual(self.system.refusal("state", "get", user), "STORAGE_UNAVAILABLE")
            else:
                self.assertIn("before", self.system.presencectl("state", "get", user), "reads go on")
        database.run(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true", database.cluster)
        # Without a restart, and with no trace of what failed.
        if self.system.is_stored_first:
            self.eventually(lambda: phone.publish(other, pidf(other)).status == 200)
        else:
            self.crash_core()
        self.assertEqual(len(self.listed("presentity", other)), 1)


if __name__ == "__main__":
    unittest.main()
