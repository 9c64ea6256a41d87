"""The load of a soak: publishers that never pause and watchers whose every NOTIFY is judged, on one thread."""

import contextlib
import dataclasses
import json
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "sip"))

import history
from actors import STATE, Owner, Publisher, Watcher
from client import Client, Loop
from history import Judge

POLL = 0.02
PATIENCE = 40.0  # until everybody is served again, whatever was wrong; goals have bounds of their own


@dataclasses.dataclass(frozen=True)
class Shape:
    presentities: int = 16
    watchers: int = 2        # of each
    changes: float = 500.0   # a second, of all
    refresh: float = 2.0     # seconds between the SUBSCRIBEs of a watcher
    clients: int = 8
    churns: bool = True      # whether watchers end their subscriptions now and then
    owners: bool = True      # whether each presentity watches its watchers


class Load:
    """with Load(system.sip, window) as load: ... load.settle(system)"""

    def __init__(self, sip, window=0.0, shape=Shape(), seed=1, prefix=""):
        self.random = random.Random(seed)
        self.judge = Judge(window)
        self.shape = shape
        self.loop = Loop()
        self.actors = []
        clients = [Client(self.loop, sip) for _ in range(min(shape.clients, shape.presentities))]
        self.clients = clients
        pace = shape.presentities / shape.changes
        users = [f"{prefix}p{number}" for number in range(shape.presentities)]
        self.publishers = [Publisher(self, clients[index % len(clients)], user, pace)
                           for index, user in enumerate(users)]
        self.publications = {publisher.user: publisher.publications for publisher in self.publishers}
        self.watchers = [Watcher(self, clients[(index + number) % len(clients)], f"{user}w{number}", user, shape.churns)
                         for index, user in enumerate(users) for number in range(shape.watchers)]
        self.owners = [Owner(self, clients[index % len(clients)], user)
                       for index, user in enumerate(users) if shape.owners]

    def __enter__(self):
        self.loop.start()
        return self

    def __exit__(self, *_):
        self.loop.stop()
        for client in self.clients:
            client.close()

    # ---- What a test does with it ----

    @contextlib.contextmanager
    def crash(self):
        """Inside, a core is killed: with the end of the block nothing of it is left, and the next one says what the
        storage mode has kept."""
        at = time.monotonic()
        self.loop.call(lambda: self.judge.crash_begins(at))
        yield

        def end():
            self.judge.crash_ends(time.monotonic())
            if self.judge.window:
                for publisher in self.publishers:
                    publisher.crashed()
        self.loop.call(end)

    def wait_until(self, holds, what, seconds=PATIENCE):
        """Seconds it took; a violation if it does not come true."""
        start = time.monotonic()
        while True:
            missing = self.loop.call(holds)
            if not missing:
                return time.monotonic() - start
            self.raise_violations()
            if time.monotonic() - start > seconds:
                refused = f"; {self.refused} times 503 so far" if self.refused else ""
                late = f"not within {seconds:.0f} s: {missing}{refused}"
                raise Violated([history.Violation(history.BOUND, what, late)])
            threading.Event().wait(POLL)

    def await_served(self, since=None, seconds=PATIENCE):
        """Until everybody has got 200 for what was asked since then."""
        since = since or time.monotonic()

        def late():
            actors = [actor for actor in self._active() if actor.served < since]
            for actor in actors:
                actor.hurry()
            return _few(actor.name for actor in actors)
        return self.wait_until(late, "everybody is served", seconds)

    def await_shown(self, seconds=PATIENCE):
        """Until each watcher was shown what is acknowledged by now, or something newer."""
        floors = self.loop.call(lambda: {user: publications.floor for user, publications in self.publications.items()})
        return self.wait_until(lambda: _few(w.name for w in self.watchers
                                            if w.shown is None or w.shown < floors[w.presentity]),
                               "what was acknowledged is shown", seconds)

    def await_answers(self, count):
        """Until so many more changes were acknowledged."""
        before = self.changes
        return self.wait_until(lambda: [] if self.changes >= before + count else [f"{self.changes - before} were"],
                               f"{count} changes are answered")

    def raise_violations(self):
        self.loop.raise_fault()
        if self.judge.violations:
            raise Violated(self.judge.violations)

    @property
    def changes(self):
        return sum(publisher.changes for publisher in self.publishers)

    @property
    def refused(self):
        return sum(actor.refused for actor in self.actors)

    @property
    def recovered(self):
        return sum(actor.recovered for actor in self.publishers + self.watchers + self.owners)

    def told_since(self, when):
        """How many watchers got a NOTIFY since then."""
        return sum(watcher.told_at > when for watcher in self.watchers)

    def refused_since(self, when):
        return any(actor.refused_at > when for actor in self.actors)

    def take_slowest(self):
        """The longest that anybody waited for an answer since the last time this was asked, or waits now."""
        return self.loop.call(lambda: max(actor.take_slowest() for actor in self.actors))

    # ---- The end ----

    def settle(self, system):
        """Publishes no more, and compares what was shown last, what the core lists, and what was acknowledged."""
        def stop():
            for actor in self.actors:
                actor.is_stopping = True
        self.loop.call(stop)
        self.wait_until(lambda: _few(publisher.name for publisher in self.publishers if not publisher.is_over),
                        "publishers have published their last")
        self.await_steady()
        self.compare(system)

    def await_steady(self):
        """Nobody asks for anything new, and everybody was shown the last state."""
        self.await_served()
        self.wait_until(lambda: _few(f"{w.name} was shown {w.shown}, not {self.publications[w.presentity].asked_last}"
                                     for w in self.watchers
                                     if not w.is_subscribed or w.shown != self.publications[w.presentity].asked_last),
                        "the last state is shown")
        self.wait_until(lambda: _few(f"{owner.name} was shown {owner.view.watchers}" for owner in self.owners
                                     if owner.view.watchers != self._watchers_of(owner.presentity)),
                        "watcher information agrees with who watches")

    def compare(self, system):
        self.wait_until(lambda: _few(self._differences(system)), "what the core lists is what was acknowledged", 10.0)
        self.raise_violations()

    def _watchers_of(self, presentity):
        return sorted(watcher.uri for watcher in self.watchers if watcher.presentity == presentity)

    def _active(self):
        return self.watchers + self.owners + [publisher for publisher in self.publishers if not publisher.is_over]

    def _differences(self, system):
        stored = {}
        for row in _rows(system, "presentity", "--full"):
            if (user := row["presentity"].partition("@")[0]) in self.publications:
                stored.setdefault(user, []).extend(map(int, STATE.findall(row["document"]["text"].encode())))
        for user, publications in self.publications.items():
            last = publications.asked_last
            expected = [] if publications.is_removal(last) else [last]
            if stored.get(user, []) != expected:
                yield f"{user}: {stored.get(user, [])} is stored, {expected} was acknowledged"
        listed = {row["callId"] for row in _rows(system, "subscription") if row["state"].endswith("ACTIVE")
                  and row["presentity"].partition("@")[0] in self.publications}
        live = {watcher.call_id: watcher.name for watcher in self.watchers + self.owners}
        for call_id in live.keys() - listed:
            yield f"the subscription of {live[call_id]} is not there"
        if listed - live.keys():
            yield f"{len(listed - live.keys())} subscriptions are there that were ended"


class Violated(AssertionError):
    def __init__(self, violations):
        super().__init__("\n".join(map(str, violations[:10])))
        self.violations = violations


def _rows(system, noun, *options):
    return [json.loads(line) for line in system.presencectl(noun, "list", "-o", "jsonl", *options).splitlines()]


def _few(names):
    found = list(names)
    return found[:3] + ([f"and {len(found) - 3} more"] if len(found) > 3 else [])
