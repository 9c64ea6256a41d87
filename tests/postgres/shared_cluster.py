#!/usr/bin/env python3
"""The PostgreSQL cluster that the tests of one ctest run share, each with databases of its own: a fixture's two ends.

    tests/postgres/shared_cluster.py start|stop

Both are children of ctest. The cluster belongs to its keeper, a process that watches ctest and ends with it, however
that ends; `stop` ends it sooner. PRESENCE_TEST_CLUSTER.PID, with the process id of ctest, holds the connection string
and the keeper's process id: two runs in one build directory have a cluster each.
"""

import os
import select
import signal
import sys

from with_cluster import SETTINGS, Cluster, shared_state

# Scenarios of as many cores as the machine has processors are connected at a time.
CONNECTIONS = "max_connections = 1000"


def await_end(process):
    """Of any process, by its pidfd."""
    ends = select.poll()
    ends.register(process, select.POLLIN)
    ends.poll()


def keep(run, state, report):
    """Starts the cluster, says "ready" or what is wrong, and keeps it until told, or until the run is over."""
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    try:
        cluster = Cluster([*SETTINGS, CONNECTIONS])
    except (RuntimeError, OSError, SystemExit) as error:
        os.write(report, str(error).encode())
        return
    try:
        fresh = state.with_name(state.name + ".new")
        fresh.write_text(f"{cluster.dsn}\n{os.getpid()}\n", encoding="utf-8")
        fresh.rename(state)
        os.write(report, b"ready")
        os.close(report)
        await_end(run)
    finally:
        state.unlink(missing_ok=True)
        cluster.remove()


def start():
    run = os.pidfd_open(os.getppid())
    state = shared_state(os.getppid())
    reports, report = os.pipe()
    if os.fork() == 0:
        try:
            os.close(reports)
            keep(run, state, report)
        finally:
            os._exit(0)
    os.close(report)
    with os.fdopen(reports, encoding="utf-8") as said:
        outcome = said.read()
    return 0 if outcome == "ready" else f"shared_cluster: {outcome or 'the keeper has died'}"


def stop():
    keeper = int(shared_state(os.getppid()).read_text(encoding="utf-8").splitlines()[1])
    process = os.pidfd_open(keeper)
    os.kill(keeper, signal.SIGTERM)
    await_end(process)
    return 0


if __name__ == "__main__":
    actions = {"start": start, "stop": stop}
    sys.exit(actions[sys.argv[1]]() if len(sys.argv) == 2 and sys.argv[1] in actions else __doc__)
