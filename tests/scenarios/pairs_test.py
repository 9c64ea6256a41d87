"""What kill -9 costs where publications and subscriptions are stored each in a mode of its own.

Runs under tests/postgres/with_cluster.py with PRESENCE_TEST_STORAGE_MODE set.
"""

import unittest

from scenario import STORED_FIRST, Scenario, pidf


class Pair(Scenario):
    """A publication, a subscription and a decision, each of a presentity of its own: what is stored of a presentity
    takes along what was promised of it."""

    @classmethod
    def tearDownClass(cls):
        cls.system.stop()

    def setUp(self):
        self.publisher, self.watcher = self.phone(), self.phone()
        self.published_user, self.watched, self.blocking = (self.new_user() for _ in range(3))
        self.tag = self.published(self.publisher, self.published_user, note="kept")
        self.subscription, self.first = self.subscribed(self.watcher, self.watched)
        self.system.presencectl("watcher", "block", self.blocking, "mallory@example.com")

    def crash(self):
        lines = len(self.system.gateway.lines)
        self.system.crash_core()
        self.system.gateway.wait_for("connected to core", after=lines)

    def assert_kept(self, publication, subscription, decision):
        self.assertEqual(len(self.listed("presentity", self.published_user)), int(publication))
        answer = self.publisher.publish(self.published_user, pidf(self.published_user), etag=self.tag)
        self.assert_status(answer, 200 if publication else 412)
        if subscription:
            self.assertGreater(self.subscription.notify().cseq, self.first.cseq)
        self.assert_status(self.subscription.refresh(600), 200 if subscription else 481)
        answer = self.phone(user="mallory").subscribe(self.blocking).answer
        self.assert_status(answer, 403 if decision else 200)


class AtOnce(Pair):
    """Killed as soon as everything was answered, long before write-back writes."""

    core = ("--set", "storage.flush_interval=5m")

    def test_p21_n10_what_was_stored_first_is_there_and_the_rest_is_not(self):
        self.crash()
        of_publications, of_subscriptions = (mode in STORED_FIRST for mode in self.system.storage_modes)
        self.assert_kept(of_publications, of_subscriptions, decision=of_publications or of_subscriptions)


class Later(Pair):
    """Killed when nothing waits to be written."""

    core = ("--set", "storage.flush_interval=20ms")

    def test_p21_n10_all_but_memory_is_there(self):
        self.eventually(lambda: self.system.core_metrics()["presence_storage_dirty_rows"] == 0)
        self.crash()
        self.assert_kept(*(mode != "memory" for mode in self.system.storage_modes), decision=True)

    def test_what_is_not_kept_any_more_does_not_come_back(self):
        """A life with publications in memory, and then one as before."""
        self.eventually(lambda: self.system.core_metrics()["presence_storage_dirty_rows"] == 0)
        arguments = list(self.system.core_arguments)
        self.system.core_arguments += ["--set", "storage.publications=memory",
                                       "--set", "storage.subscriptions=write-back"]
        self.crash()
        self.eventually(lambda: self.system.core_metrics()["presence_storage_dirty_rows"] == 0)
        self.system.core_arguments = arguments
        self.crash()
        self.assertEqual(self.listed("presentity", self.published_user), [])
        self.assert_status(self.phone(user="mallory").subscribe(self.blocking).answer, 403)


if __name__ == "__main__":
    unittest.main()
