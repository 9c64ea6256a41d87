"""The load of the soak beside a scenario: phones that publish and watch without a pause, whatever happens meanwhile."""

import contextlib
import itertools
import pathlib
import sys

from scenario import SLACK

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "soak"))
from load import Load, Shape
from modes import MODES

FLUSH = 0.02  # seconds: storage.flush_interval of those who use this

_numbers = itertools.count(1)


@contextlib.contextmanager
def continuous(test):
    """with continuous(self) as load: every NOTIFY is judged, and at the end what is shown, listed and acknowledged is
    the same."""
    window = MODES[test.system.storage_mode].window(FLUSH, SLACK)
    shape = Shape(presentities=3, watchers=2, changes=100)
    with Load(test.system.sip, window, shape, prefix=f"load{next(_numbers)}") as load:
        load.await_served()
        yield load
        load.settle(test.system)
