"""What the storage modes promise."""

import dataclasses
import math

FLUSH_TAKES = 0.5  # seconds


@dataclasses.dataclass(frozen=True)
class Mode:
    name: str
    keeps: str           # what of the acknowledged a crash must leave: all, older (than the flush interval), nothing
    waits: bool = False  # whether a change waits for the database

    def window(self, flush, slack=0.0):
        """How young that must be, in seconds, what a crash may cost."""
        return {"all": 0.0, "older": flush + FLUSH_TAKES + slack, "nothing": math.inf}[self.keeps]


MODES = {mode.name: mode for mode in (Mode("memory", keeps="nothing"), Mode("write-back", keeps="older"),
                                      Mode("write-through", keeps="all", waits=True),
                                      Mode("db-only", keeps="all", waits=True))}
