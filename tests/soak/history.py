"""Judges what phones were told while things broke: RFC 6665 dialogs, document versions, and what was promised.

No I/O and no clock: the actors of load.py report what happened and when; history_test.py lies to it in every way it
must find. A presentity's states are numbered in the order in which they were asked for; 0 is the nothing before the
first, and a removal is a number, too.
"""

import bisect
import collections
import dataclasses
import math

CSEQ = "CSeq strictly grows"
AFTER_END = "nothing follows a terminated NOTIFY"
OLDER = "no state older than one already shown or promised"
UNASKED = "only what somebody published is shown"
VERSION = "versions step by one; after a gap the document is full"
LOST = "what was acknowledged is there"
ANSWER = "requests are answered, and in one of the ways that are allowed"
LAST = "the last state shown is the stored one"
BOUND = "in time"

EMPTY = frozenset()  # what a document without any state shows


@dataclasses.dataclass(frozen=True)
class Violation:
    rule: str
    who: str
    what: str

    def __str__(self):
        return f"{self.who}: {self.what} ({self.rule})"


@dataclasses.dataclass
class Crash:
    at: float               # before the process was killed
    back: float = math.inf  # before the next one could answer


class Judge:
    """Collects violations. `window` is what the storage mode says a crash may cost: changes younger than so many
    seconds; 0 is nothing, infinity everything."""

    def __init__(self, window=0.0):
        self.window = window
        self.crashes = []
        self.violations = []
        self.notifies = 0
        self.repeated = 0
        self.losses = []  # ages at the crash, in seconds, of the oldest change that each publisher lost
        self._publications = []

    def fail(self, rule, who, what):
        self.violations.append(Violation(rule, who, what))

    def crash_begins(self, at):
        self.crashes.append(Crash(at))

    def crash_ends(self, back):
        """The old process is dead and the new one has said nothing yet."""
        crash = self.crashes[-1]
        crash.back = back
        for publications in self._publications:
            publications.lose_what_is_younger(crash.at - self.window)

    def is_doubtful(self, asked_at):
        """Whether the answer to a request of then may come from a process that is dead by now, and be void."""
        return self.window > 0 and any(asked_at <= crash.back for crash in self.crashes)

    def may_be_lost(self, asked_at, answered_at):
        """Whether a crash may have cost what was asked and answered then."""
        return self.window > 0 and any(asked_at <= crash.back and answered_at > crash.at - self.window
                                       for crash in self.crashes)


class Publications:
    """What one presentity was asked to show, and what of it was acknowledged. One publisher, so one order."""

    def __init__(self, judge, who):
        self.judge = judge
        self.who = who
        self.kept = []  # by crash: the number that it must have left at least
        self._empty = [0]  # numbers that show nothing, in order
        self._asked = 0
        self._answered = [(-math.inf, 0)]  # (when, number), in order
        self._younger = []  # those that the last crash may have cost
        judge._publications.append(self)

    @property
    def floor(self):
        """The newest that was acknowledged and not lost since: what a new watcher sees at least."""
        return self._answered[-1][1]

    @property
    def asked_last(self):
        return self._asked

    def asks(self, is_removal=False):
        """The number of the next state."""
        self._asked += 1
        if is_removal:
            self._empty.append(self._asked)
        return self._asked

    def answered(self, number, at):
        if number != self._answered[-1][1]:
            self._answered.append((at, number))

    def lose_what_is_younger(self, than):
        index = max(1, bisect.bisect_right(self._answered, (than, math.inf)))
        self._younger = self._answered[index:]
        del self._answered[index:]
        self.kept.append(self.floor)

    def is_removal(self, number):
        return number in self._empty[-64:]

    def number_of(self, shown, floor):
        """The number of a document that shows these: of an empty one the oldest that is not below `floor`, if any."""
        if shown:
            return max(shown)
        index = bisect.bisect_left(self._empty, floor)
        return self._empty[index] if index < len(self._empty) else self._empty[-1]

    def is_known(self, shown):
        return all(0 < number <= self._asked and not self.is_removal(number) for number in shown)

    def found(self, shown, at):
        """What the database had after the last crash; returns its number."""
        number = max(shown, default=self._empty[-1])  # all removals leave the same: the last counts
        if number < self.floor:
            self.judge.fail(LOST, self.who, f"{number} was left, {self.floor} was acknowledged long before")
        lost = [when for when, younger in self._younger if younger > number]
        if lost:
            self.judge.losses.append(self.judge.crashes[-1].at - min(lost))
        self._younger = []
        if number >= self.floor:
            self.answered(number, at)
        return number


class Dialog:
    """The NOTIFYs of one dialog, whatever they show."""

    def __init__(self, judge, who):
        self.judge = judge
        self.who = who
        self.cseq = 0
        self.ended_at = None
        self._seen = collections.OrderedDict()  # branch -> (CSeq, body)

    def takes(self, branch, cseq, body, is_terminated, at):
        """Whether this is a new NOTIFY; else it is a repetition of one that was answered."""
        self.judge.notifies += 1
        if branch in self._seen:
            self.judge.repeated += 1
            if self._seen[branch] != (cseq, body):
                self.judge.fail(CSEQ, self.who, f"two NOTIFYs in one transaction, CSeq {self._seen[branch][0]}, {cseq}")
            return False
        self._seen[branch] = (cseq, body)
        if len(self._seen) > 64:
            self._seen.popitem(last=False)
        if cseq <= self.cseq:
            self.judge.fail(CSEQ, self.who, f"CSeq {cseq} after {self.cseq}")
        self.cseq = max(self.cseq, cseq)
        if is_terminated:
            self.ended_at = at
        elif self.ended_at is not None and not self.judge.may_be_lost(self.ended_at, self.ended_at):
            self.judge.fail(AFTER_END, self.who, f"CSeq {cseq} goes on after the end")
        return True


class View:
    """What one watcher of a presentity was shown, over all its dialogs."""

    def __init__(self, publications, who):
        self.publications = publications
        self.judge = publications.judge
        self.who = who
        self.floor = 0
        self.shown = None
        self._forgiven = 0  # crashes whose one older state was shown, or can be shown no more

    def begin(self):
        """A new dialog is asked for."""
        self.floor = max(self.floor, self.publications.floor)

    def show(self, shown, at):
        """A NOTIFY that is no repetition shows these numbers."""
        if not self.publications.is_known(shown):
            self.judge.fail(UNASKED, self.who, f"shows {sorted(shown)}, {self.publications.asked_last} were asked for")
            return
        number = self.publications.number_of(shown, self.floor)
        if number < self.floor:
            number = self._after_crash(shown, number, at)
        self.shown = self.floor = number

    def _after_crash(self, shown, number, at):
        kept = self.publications.kept
        last = len(kept)
        if last > self._forgiven and self.judge.window > 0 and at > self.judge.crashes[last - 1].at:
            self._forgiven = last
            number = self.publications.number_of(shown, kept[-1])
            if number >= kept[-1]:
                return number
            self.judge.fail(OLDER, self.who, f"shows {number} after a crash that must have left {kept[-1]}")
            return number
        self.judge.fail(OLDER, self.who, f"shows {number} after {self.floor}")
        return number


class WinfoView:
    """The watcher information of one dialog: RFC 3858 documents, merged."""

    def __init__(self, judge, who):
        self.judge = judge
        self.who = who
        self.version = None
        self.table = {}  # id -> (uri, status)

    def show(self, version, is_full, watchers):
        """`watchers` are (id, uri, status)."""
        if self.version is None:
            if not is_full:
                self.judge.fail(VERSION, self.who, f"begins with a partial document of version {version}")
        elif version <= self.version:
            self.judge.fail(VERSION, self.who, f"version {version} after {self.version}")
        elif version > self.version + 1 and not is_full:
            self.judge.fail(VERSION, self.who, f"partial version {version} after {self.version}")
        self.version = version
        if is_full:
            self.table = {}
        for watcher, uri, status in watchers:
            if status == "terminated":
                self.table.pop(watcher, None)
            else:
                self.table[watcher] = (uri, status)

    @property
    def watchers(self):
        return sorted(uri for uri, _ in self.table.values())
