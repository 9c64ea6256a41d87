"""Who publishes and who watches during a soak. They run on the loop's thread and tell the judge what happens."""

import math
import re
import time
import uuid

import history
from history import Dialog, View, WinfoView
from message import WatcherInfo, address, parameter, pidf

PAUSE = 0.2  # after a 503; phones would wait for the Retry-After, but this one wants to know when service is back
REMOVES_EVERY = 40
STATE = re.compile(rb"state (\d+);")


def states_of(message):
    return frozenset(int(number) for number in STATE.findall(message.body))


class Actor:
    """Asks one thing at a time, and that until it is answered otherwise than 503."""

    def __init__(self, load, client, user):
        self.load, self.judge, self.loop, self.client = load, load.judge, load.loop, client
        self.user = user
        self.uri = f"sip:{user}@example.com"
        self.served = 0.0  # when that was asked for which the last 200 came
        self.refused = 0
        self.refused_at = 0.0
        self.pending = None
        self.slowest = 0.0
        self.is_idle = True
        load.actors.append(self)

    def fail(self, rule, what):
        self.judge.fail(rule, self.name, what)

    def ask(self, method, uri, on_answer, **options):
        self.is_idle = False
        self._ask(method, uri, on_answer, **options)

    def _ask(self, method, uri, on_answer, **options):
        def answered(request, message):
            if message is None:
                self.fail(history.ANSWER, f"{method}: no answer in 32 s")
                return
            self.slowest = max(self.slowest, request.waited)
            if message.status == 503:
                self.refused += 1
                self.refused_at = time.monotonic()
                if not message.get("retry-after"):
                    self.fail(history.ANSWER, f"{method}: 503 without Retry-After")
                self.loop.after(PAUSE, request.attempt)
                return
            if message.status == 200:
                self.served = request.asked_at
            self.is_idle = True
            on_answer(request, message)

        self.pending = self.client.ask(method, uri, self.user, answered, **options)

    def hurry(self):
        """Asks for something, if it asks for nothing now."""

    def take_slowest(self):
        waiting = self.pending.waited if self.pending and self.pending.is_waiting else 0.0
        slowest, self.slowest = max(self.slowest, waiting), 0.0
        return slowest


class Publisher(Actor):
    """Publishes state after state of one presentity, and removes its publication now and then."""

    def __init__(self, load, client, user, pace):
        super().__init__(load, client, user)
        self.name = f"publisher {user}"
        self.publications = history.Publications(load.judge, f"publications of {user}")
        self.pace = pace
        self.tags = {}  # number -> entity-tag
        self.tag = self.doubtful_tag = None
        self.call_id, self.from_tag, self.cseq = uuid.uuid4().hex, uuid.uuid4().hex[:10], 0
        self.changes = self.recovered = 0
        self.is_stopping = self.is_over = False  # stopping: after one more state that is acknowledged
        self.has_crashed = False  # and not found out yet what that cost
        self._turn = 0  # of the timer; an older one is void
        self.publish_after(load.random.uniform(0, pace))

    def publish_after(self, seconds):
        self._turn += 1
        turn = self._turn
        self.loop.after(seconds, lambda: turn == self._turn and self.publish())

    def crashed(self):
        self.has_crashed = True
        if self.is_idle and math.isfinite(self.judge.window):
            self.find_out()

    def publish(self):
        if self.is_over or not self.is_idle:
            return
        removes = bool(self.tag) and (self.publications.asked_last + 1) % REMOVES_EVERY == 0
        number = self.publications.asks(is_removal=removes)
        self.cseq += 1
        headers = [("Event", "presence"), ("Expires", "0" if removes else "600")]
        if self.tag:
            headers.append(("SIP-If-Match", self.tag))
        else:
            # Tuples of its own: one that comes back after a crash must show beside it.
            self.tuple_id = f"t{number}"
        body = "" if removes else pidf(self.uri, note=f"state {number};", tuple_id=self.tuple_id)
        if body:
            headers.append(("Content-Type", "application/pidf+xml"))
        tag = self.tag
        self.ask("PUBLISH", self.uri, lambda request, message: self.published(request, message, number, tag),
                 headers=headers, body=body, cseq=self.cseq, call_id=self.call_id, from_tag=self.from_tag)

    def published(self, request, message, number, tag):
        if message.status == 200:
            self.tags.pop(number - 1000, None)
            self.tag = self.tags[number] = None if self.publications.is_removal(number) else message.get("sip-etag")
            if not self.judge.is_doubtful(request.first_asked_at):
                self.publications.answered(number, time.monotonic())
                self.changes += 1
                self.is_over = self.is_stopping
                if self.has_crashed and tag and tag != self.doubtful_tag and self.judge.window == math.inf:
                    self.fail(history.ANSWER, f"state {number}: 200 although memory has forgotten {tag}")
                self.has_crashed = self.has_crashed and math.isfinite(self.judge.window)
            else:
                self.doubtful_tag = self.tag
        elif message.status == 412:
            self.tag = None
            if not self.has_crashed:
                self.fail(history.LOST, f"state {number} is refused: {tag} of the one before is unknown")
            elif self.judge.window == math.inf:
                self.has_crashed = False
            self.recovered += 1
        else:
            self.fail(history.ANSWER, f"state {number}: {message.first_line}")
            return
        if self.has_crashed and math.isfinite(self.judge.window):
            self.find_out()
        else:
            self.publish_after(self.pace * self.load.random.uniform(0.5, 1.5))

    # ---- After a crash that may cost something: what is there? ----

    def find_out(self):
        """By a fetch: its answer and its NOTIFY come in any order."""
        self._turn += 1
        turn, call_id, came = self._turn, uuid.uuid4().hex, {}

        def proceed():
            if len(came) == 2 and turn == self._turn:
                self.found(came["shown"])

        def shown(message):
            came["shown"] = states_of(message)
            self.loop.after(0, proceed)
            return 200

        def asked(_, message):
            if message.status != 200:
                self.fail(history.ANSWER, f"fetch: {message.first_line}")
            self.is_idle = False  # until the NOTIFY
            came["answer"] = message
            self.loop.after(0, proceed)
            self.loop.after(2.0, lambda: turn == self._turn and self.find_out())

        self.client.dialogs[call_id] = shown
        self.ask("SUBSCRIBE", self.uri, asked, headers=[("Event", "presence"), ("Expires", "0")], call_id=call_id)

    def found(self, shown):
        self._turn += 1
        number = self.publications.found(shown, time.monotonic())
        self.has_crashed = False
        if number in shown and not self.tags.get(number):
            self.fail(history.UNASKED, f"state {number} is there, which was never answered 200")
        self.tag = self.tags.get(number)
        # A removal was lost, and what it had removed is back beside what followed: as a phone that remembers, end it.
        strays = [tag for stray in shown if stray != number and (tag := self.tags.get(stray))]
        self.end(strays)

    def end(self, strays):
        self.is_idle = True
        if not strays:
            self.publish_after(0)
            return
        self.cseq += 1
        self.ask("PUBLISH", self.uri, lambda *_: self.end(strays[1:]), cseq=self.cseq, call_id=self.call_id,
                 from_tag=self.from_tag, headers=[("Event", "presence"), ("Expires", "0"), ("SIP-If-Match", strays[0])])


class Watcher(Actor):
    """Subscribes, refreshes, ends its subscription now and then and begins anew."""

    event = "presence"

    def __init__(self, load, client, user, presentity, churns):
        super().__init__(load, client, user)
        self.presentity = presentity
        self.name = f"watcher {user}"
        self.churns = churns
        self.recovered = 0
        self.told_at = 0.0
        self.is_stopping = False
        self._turn = 0  # of the timer; an older one is void
        self.view = self.new_view()
        self.is_subscribed = False
        self.loop.after(load.random.uniform(0, 0.5), self.begin)

    def new_view(self):
        return View(self.load.publications[self.presentity], f"{self.name} of {self.presentity}")

    # ---- The dialog ----

    def begin(self):
        self.call_id, self.from_tag, self.cseq = uuid.uuid4().hex, uuid.uuid4().hex[:10], 0
        self.target, self.to = f"sip:{self.presentity}@example.com", None
        self.is_subscribed = False
        self.is_ending = False
        dialog = Dialog(self.judge, f"{self.name} of {self.presentity}, {self.call_id}")
        view = self.begin_view()
        self.client.dialogs[self.call_id] = lambda message: self.notified(dialog, view, message)
        self.subscribe(600)

    def begin_view(self):
        self.view.begin()
        return self.view

    def subscribe(self, expires):
        self.cseq += 1
        self._turn += 1
        self.is_ending = expires == 0
        self.ask("SUBSCRIBE", self.target, self.subscribed, cseq=self.cseq, call_id=self.call_id,
                 from_tag=self.from_tag, to=self.to,
                 headers=[("Event", self.event), ("Expires", str(expires))])

    def subscribed(self, request, message):
        if message.status == 200:
            if not self.is_subscribed:
                self.is_subscribed = True
                self.subscribed_at = request.first_asked_at, time.monotonic()
            self.to, self.target = message.get("to"), address(message.get("contact"))
            if self.is_ending:
                self.is_subscribed = False
                self.loop.after(self.load.random.uniform(0, 0.2), self.begin)
                return
        elif message.status == 481 and self.to:
            if not self.judge.may_be_lost(*self.subscribed_at):
                self.fail(history.LOST, f"dialog {self.call_id} is unknown at its SUBSCRIBE {self.cseq}")
            self.recovered += 1
            self.begin()
            return
        else:
            self.fail(history.ANSWER, f"SUBSCRIBE: {message.first_line}")
        self._turn += 1
        turn = self._turn
        pause = self.load.shape.refresh * self.load.random.uniform(0.5, 1.5)
        self.loop.after(pause, lambda: turn == self._turn and self.refresh())

    def refresh(self):
        if not self.is_idle or not self.is_subscribed:
            return
        ends = self.churns and not self.is_stopping and self.load.random.random() < 0.1
        self.subscribe(0 if ends else 600)

    def hurry(self):
        self.refresh()

    # ---- What it is told ----

    def notified(self, dialog, view, message):
        now = time.monotonic()
        state = message.get("subscription-state", "")
        is_terminated = state.startswith("terminated")
        is_new = dialog.takes(parameter(message.get("via"), "branch"), message.cseq, message.body, is_terminated, now)
        is_current = message.get("call-id") == self.call_id
        if is_new and is_current:
            self.told_at = now
            if message.body:
                self.show(view, message, now)
        # One that this watcher has given up may have come back after a crash.
        return 200 if is_current or is_terminated else 481

    def show(self, view, message, now):
        view.show(states_of(message), now)

    @property
    def shown(self):
        return self.view.shown


class Owner(Watcher):
    """Watches who watches: presence.winfo of its own presentity."""

    event = "presence.winfo"

    def __init__(self, load, client, user):
        super().__init__(load, client, user, user, churns=False)
        self.name = f"winfo {user}"

    def new_view(self):
        return WinfoView(self.judge, f"winfo of {self.presentity}")

    def begin_view(self):
        self.view = self.new_view()
        return self.view

    def show(self, view, message, now):
        info = WatcherInfo(message.text)
        view.show(info.version, info.state == "full", [(w["id"], w["uri"], w["status"]) for w in info.watchers])
