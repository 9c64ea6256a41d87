#!/usr/bin/env python3
"""Breaks what can break, again and again, under one continuous load, and judges what every phone was told.

    tests/soak/soak.py [--rounds 50] [--goals R1,R10] [--modes write-through] [--seed N] [--short]

Prints a line a round and a table at the end; the exit code is 0 only if every goal held. README.md has the goals.
"""

import argparse
import dataclasses
import math
import os
import pathlib
import random
import signal
import statistics
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / name) for name in ("sip", "postgres")]

import goals
import history
from load import Load, Violated
from modes import MODES
from small_disk import CannotMount

FLUSH = 1.0  # seconds, storage.flush_interval
TICK = 0.25  # seconds that a bound may be missed by, since what measures it is a busy program, too


@dataclasses.dataclass(frozen=True)
class Entry:
    name: str
    goal: type
    mode: str
    share: float = 1.0    # of the rounds that are asked for
    is_short: bool = True
    flush: float = FLUSH


ENTRIES = (
    Entry("R1", goals.KillsCore, "write-through"),
    Entry("R2", goals.KillsCore, "db-only"),
    Entry("R3", goals.KillsCore, "write-back"),
    Entry("R3", goals.KillsCore, "write-back", flush=5.0, is_short=False),
    Entry("R4", goals.KillsCore, "memory"),
    Entry("R5", goals.StopsCore, "write-through", is_short=False),
    Entry("R5", goals.StopsCore, "write-back"),
    Entry("R5", goals.StopsCore, "memory", is_short=False),
    Entry("R6", goals.RestartsDatabase, "write-through", share=0.4),
    Entry("R6", goals.RestartsDatabase, "db-only", share=0.4, is_short=False),
    Entry("R6", goals.RestartsDatabase, "write-back", share=0.4, is_short=False),
    Entry("R7", goals.StallsDatabase, "write-through", share=0.2, is_short=False),
    Entry("R7", goals.StallsDatabase, "write-back", share=0.2, is_short=False),
    Entry("R8", goals.CutsCommits, "write-through", share=2.0),
    Entry("R8", goals.CutsCommits, "db-only", share=2.0, is_short=False),
    Entry("R8", goals.CutsCommits, "write-back", share=2.0, is_short=False),
    Entry("R9", goals.RefusesToWrite, "write-through", share=0.2, is_short=False),
    Entry("R9", goals.RefusesToWrite, "write-back", share=0.2, is_short=False),
    Entry("R10", goals.KillsGateway, "write-through"),
    Entry("R11", goals.PartsGateway, "write-through", share=0.1),
    Entry("owner", goals.ReplacesOwner, "write-through", share=0.4, is_short=False),
    Entry("owner", goals.ReplacesOwner, "write-back", share=0.4, is_short=False),
)


class Run:
    """One goal in one mode, round after round."""

    def __init__(self, entry, rounds, options):
        self.entry = entry
        self.mode = MODES[entry.mode]
        self.window = self.mode.window(entry.flush, options.slack)
        self.rounds = rounds
        self.done = 0
        self.stall, self.partition = options.stall, options.partition
        self.slack = options.slack
        self.random = random.Random(f"{options.seed} {self.title}")
        self.core_arguments = ["--set", f"storage.flush_interval={entry.flush:.0f}s"]
        if self.mode.keeps == "nothing":
            self.core_arguments = []
        self.measures = {}
        self.violations = []
        self.load = None
        self.seconds = 0.0

    @property
    def title(self):
        flush = f", flush {self.entry.flush:.0f} s" if self.mode.keeps == "older" else ""
        return f"{self.entry.name} {self.mode.name}{flush}"

    def measure(self, name, value, bound=math.inf):
        self.measures.setdefault(name, []).append(value)
        if value > bound + TICK + self.slack:
            self.fail(name, f"{value:.2f}, and {bound:g} is allowed")

    def fail(self, who, what):
        self.load.judge.fail(history.BOUND, who, what)

    def go(self):
        start = time.monotonic()
        os.environ["PRESENCE_TEST_STORAGE_MODE"] = self.mode.name
        goal = self.entry.goal(self)
        try:
            system = goal.start()
            with Load(system.sip, self.window, goal.shape, self.random.random()) as self.load:
                self.load.await_served()
                self.strike(goal)
                self.end(goal, system)
        except Violated as violated:
            self.violations = violated.violations
        finally:
            goal.close()
            self.seconds = time.monotonic() - start
        if self.violations:
            self.explain(goal)

    def strike(self, goal):
        for number in range(1, self.rounds + 1):
            # At any moment, and with something to lose in every mode.
            self.load.await_answers(50)
            longest = 2 * self.mode.window(self.entry.flush) if self.mode.keeps == "older" else 1.0
            goals.wait(self.random.uniform(0, longest))
            goal.strike(number)
            self.load.raise_violations()
            self.done = number
            print(f"{self.title} {number}/{self.rounds}: " + ", ".join(
                f"{name} {values[-1]:.2f}" for name, values in self.measures.items()), flush=True)

    def end(self, goal, system):
        """What is shown, listed and acknowledged is the same, and so it is in the database."""
        self.load.settle(system)
        if self.mode.keeps == "nothing":
            return
        goal.begin_again(signal.SIGKILL if self.mode.keeps == "all" else signal.SIGTERM)
        self.load.await_steady()
        self.load.compare(system)

    def explain(self, goal):
        print(f"{self.title}: VIOLATED in round {self.done + 1}")
        for violation in self.violations[:20]:
            print(f"  {violation}")
        for process in (goal.system.gateway, goal.system.core):
            print("\n".join(f"  | {line}" for line in process.lines[-15:]), flush=True)


def table(runs):
    lines = ["| goal | what | mode | rounds | changes | NOTIFYs | 503 | violations | worst (median) | s |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for run in runs:
        load = run.load
        worst = [f"{name} {max(values):.2f} ({statistics.median(values):.2f})" for name, values in run.measures.items()]
        if run.window and math.isfinite(run.window) and load.judge.crashes:
            worst.append(f"oldest change lost {max(load.judge.losses, default=0):.2f} ({len(load.judge.losses)} times)")
        if run.window == math.inf:
            worst.append(f"{load.recovered} times 412 or 481")
        lines.append(f"| {run.entry.name} | {run.entry.goal.title} | {run.mode.name}"
                     f"{f', flush {run.entry.flush:.0f} s' if run.mode.keeps == 'older' else ''} "
                     f"| {run.done} of {run.rounds} "
                     f"| {load.changes} | {load.judge.notifies} | {load.refused} | {len(run.violations)} "
                     f"| {'; '.join(worst)} | {run.seconds:.0f} |")
    return "\n".join(lines)


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50, help="of R1; others do their share of them")
    parser.add_argument("--goals", help="some only, as R1,R10,owner")
    parser.add_argument("--modes", help="some storage modes only")
    parser.add_argument("--seed", default=str(time.time_ns() % 1_000_000))
    parser.add_argument("--short", action="store_true", help="a selection with short faults")
    parser.add_argument("--stall", type=float, default=30.0, help="seconds that PostgreSQL stalls")
    parser.add_argument("--partition", type=float, default=10.0,
                        help="seconds of a partition; every fifth lasts six times as long")
    parser.add_argument("--slack", type=float, default=0.0, help="seconds that a busy machine may take beyond a bound")
    options = parser.parse_args(arguments)
    if options.short:
        options.stall, options.partition = min(options.stall, 4.0), min(options.partition, 3.0)
    return options


def chosen(options):
    names, modes = (set(filter(None, (given or "").split(","))) for given in (options.goals, options.modes))
    for unknown in (names - {entry.name for entry in ENTRIES}) | (modes - MODES.keys()):
        sys.exit(f"soak: there is no {unknown}")
    return [entry for entry in ENTRIES if (not names or entry.name in names) and (not modes or entry.mode in modes)
            and (entry.is_short or names or not options.short)]


def main(arguments):
    options = options_of(arguments)
    # Whatever ends this ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    runs = []
    print(f"seed {options.seed}", flush=True)
    try:
        for entry in chosen(options):
            run = Run(entry, max(1, round(options.rounds * entry.share)), options)
            try:
                run.go()
            except CannotMount as why:
                print(f"{run.title}: skipped, {why}", flush=True)
                continue
            runs.append(run)
    finally:
        print(table([run for run in runs if run.load]), flush=True)
    return 1 if any(run.violations for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
