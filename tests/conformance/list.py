#!/usr/bin/env python3
"""docs/conformance.md: the checklist, and below each line the tests that name its id.

The page is the checklist; this script only keeps the lists of tests in it.
  tests/conformance/list.py           says whether the page is as the tests are; exit code 1 if not
  tests/conformance/list.py --write   brings it up to date
  tests/conformance/list.py --missing prints the ids that no test names
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "conformance.md"
ITEM = re.compile(r"^- ([A-Z]\d\d) ")
TESTS = "  - Tests: "
NONE = "none yet"

# In comments and names: P08, [P08], P08_..., and test_p08_ in Python. Ranges such as P01-P03 name all of them.
_UPPER = re.compile(r"(?<![A-Za-z0-9])([A-Z])(\d\d)(?:-\1(\d\d))?(?![A-Za-z0-9])")
_PYTHON = re.compile(r"def test_((?:[a-z]\d\d_)+)")


def ids_in(path, text):
    """The ids a test file names."""
    found = set()
    for letter, first, last in _UPPER.findall(text):
        for number in range(int(first), int(last or first) + 1):
            found.add(f"{letter}{number:02}")
    if path.suffix == ".py":
        for names in _PYTHON.findall(text):
            found.update(name.upper() for name in names.split("_") if name)
    return found


def test_files():
    for pattern in ("tests/unit/**/*_test.cc", "tests/conformance/**/*.h", "tests/conformance/**/*_test.cc",
                    "tests/simulation/**/*.cc", "tests/scenarios/*_test.py", "web-gateway/*_test.go"):
        yield from sorted(ROOT.glob(pattern))


def tests_by_id():
    by_id = {}
    for path in test_files():
        for name in ids_in(path, path.read_text(encoding="utf-8")):
            by_id.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    return by_id


def render(page, by_id):
    """The page with its lists of tests made anew."""
    lines = []
    for line in page.splitlines():
        if line.startswith(TESTS):
            continue
        lines.append(line)
        match = ITEM.match(line)
        if match:
            files = by_id.get(match.group(1), [])
            lines.append(TESTS + (", ".join(f"`{name}`" for name in files) or NONE))
    return "\n".join(lines) + "\n"


def main():
    page = PAGE.read_text(encoding="utf-8")
    by_id = tests_by_id()
    fresh = render(page, by_id)
    if "--missing" in sys.argv:
        print(" ".join(name for name in re.findall(r"^- ([A-Z]\d\d) ", page, re.M) if name not in by_id))
    elif "--write" in sys.argv:
        PAGE.write_text(fresh, encoding="utf-8")
    elif fresh != page:
        print("docs/conformance.md is not as the tests are: run tests/conformance/list.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
