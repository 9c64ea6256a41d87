"""One phone that publishes a new state as soon as the last is answered, and one that watches: what a history of it
must look like whatever happens to core, gateway and database meanwhile."""

import re
import threading
import time

from scenario import PATIENCE, Silence, pidf


class Continuous:
    """Publishes and watches from its beginning to its end: with Continuous(test) as load: ..."""

    def __init__(self, test):
        self.test = test
        self.user = test.new_user()
        self.watcher, self.publisher = test.phone(), test.phone(user="carol")
        self.subscription, first = test.subscribed(self.watcher, self.user)
        # What write-back has not written yet a crash may take, and this is to outlive it.
        test.eventually(lambda: test.system.core_metrics()["presence_storage_dirty_rows"] == 0)
        self.notifies = [first]
        self.answered = []  # the numbers of the states that got 200
        self.stopping = threading.Event()
        self.publishing = threading.Thread(target=self._publish)
        self.watching = threading.Thread(target=self._watch)

    def __enter__(self):
        self.publishing.start()
        self.watching.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.publishing.join()
        self.watching.join()

    def await_answers(self, count):
        """Until so many more have been answered with 200."""
        before = len(self.answered)
        self.test.eventually(lambda: len(self.answered) >= before + count)

    def _publish(self):
        tag, number = None, 0
        while not self.stopping.is_set():
            number += 1
            try:
                answer = self.publisher.publish(self.user, pidf(self.user, note=f"state {number};"), etag=tag)
            except Silence:
                continue
            if answer.status == 200:
                tag = answer.get("sip-etag")
                self.answered.append(number)
            elif answer.status == 412:
                tag = None

    def _watch(self):
        end = None  # once nothing more is published: until when the last state may still come
        while end is None or (not self.shows_the_last() and time.monotonic() < end):
            if end is None and not self.publishing.is_alive():
                end = time.monotonic() + PATIENCE
            try:
                self.notifies.append(self.subscription.notify(seconds=0.5))
            except Silence:
                pass

    def shows_the_last(self):
        return f"state {self.answered[-1]};" in self.notifies[-1].text

    def check(self):
        """After the end: the final state arrived, CSeq never repeats or falls, and no state comes after a newer one,
        but in write-back, which may show an older one once after a crash. A NOTIFY whose answer was lost comes again
        as it was."""
        self.test.assertTrue(self.shows_the_last(), f"{self.answered[-1]}: {self.notifies[-1]}")
        for earlier, later in zip(self.notifies, self.notifies[1:]):
            if later.get("via") != earlier.get("via"):
                self.test.assertGreater(later.cseq, earlier.cseq)
        if self.test.system.is_stored_first:
            states = [int(number) for notify in self.notifies
                      for number in re.findall(r"state (\d+);", notify.text)]
            self.test.assertEqual(states, sorted(states))
