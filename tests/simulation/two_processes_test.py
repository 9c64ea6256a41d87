#!/usr/bin/env python3
"""The same seeds go the same way in two processes, byte by byte.

In one process the order of a hash table repeats itself, and a simulation that depends on it looks sound: its failures then
cannot be shown again. The second process starts with another environment, so that its memory lies elsewhere, too.
"""

import os
import subprocess
import sys


def fingerprints(simulate: str, extra: str) -> list[str]:
    run = subprocess.run(
        [simulate, "--seeds", "60", "--fingerprints", "yes"],
        env=os.environ | {"PADDING": extra},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [line for line in run.stdout.splitlines() if line.startswith("seed ")]


def main() -> int:
    first = fingerprints(sys.argv[1], "")
    second = fingerprints(sys.argv[1], "x" * 5000)
    different = [f"{a}, then {b}" for a, b in zip(first, second) if a != b]
    if len(first) != 60 or len(second) != 60:
        print(f"60 seeds gave {len(first)} and {len(second)} fingerprints")
        return 1
    if len(set(first)) < 60:
        print("two seeds have one fingerprint: it does not see what happens")
        return 1
    print("\n".join(different) or "60 seeds went the same way twice")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
