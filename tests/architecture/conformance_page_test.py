"""docs/conformance.md tells the truth about which tests name which id."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "conformance"))
import list as conformance


class ThePage(unittest.TestCase):
    def test_is_as_the_tests_are(self):
        page = conformance.PAGE.read_text(encoding="utf-8")
        self.assertEqual(page, conformance.render(page, conformance.tests_by_id()),
                         "run tests/conformance/list.py --write")

    def test_has_each_id_once(self):
        ids = [match.group(1) for match in map(conformance.ITEM.match, conformance.PAGE.read_text().splitlines())
               if match]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertGreater(len(ids), 80)


class AnId(unittest.TestCase):
    def ids(self, name, text):
        return conformance.ids_in(pathlib.Path(name), text)

    def test_is_found_in_comments_ranges_and_python_names(self):
        self.assertEqual(self.ids("a_test.cc", "// P08: tokens\n// S01-S03"), {"P08", "S01", "S02", "S03"})
        self.assertEqual(self.ids("a_test.py", "def test_p06_p07_a_tag(self):"), {"P06", "P07"})

    def test_is_not_found_inside_other_words(self):
        self.assertEqual(self.ids("a_test.cc", "HTTP01 P081 z9hG4bKP08x p08"), set())

    def test_that_a_page_lists_wrongly_is_corrected(self):
        page = "- P08 M text\n  - Tests: `old_test.cc`\n- P09 M text\n"
        self.assertEqual(conformance.render(page, {"P08": ["new_test.cc"]}),
                         "- P08 M text\n  - Tests: `new_test.cc`\n- P09 M text\n  - Tests: none yet\n")


if __name__ == "__main__":
    unittest.main()
