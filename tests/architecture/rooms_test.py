"""The repository keeps to its map, and this test would notice if it did not."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rooms


class TheRepository(unittest.TestCase):
    def test_keeps_to_the_map(self):
        faults = [str(fault) for fault in rooms.faults_of_tree(rooms.ROOT)]
        self.assertEqual(faults, [], "\n" + "\n".join(faults))

    def test_has_every_room_of_the_map(self):
        for room in rooms.ROOMS:
            self.assertTrue((rooms.ROOT / room).is_dir(), room)

    def test_shows_the_map_in_its_description(self):
        page = (rooms.ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
        self.assertIn(rooms.table(), page, "ARCHITECTURE.md: paste what tests/architecture/rooms.py prints")

    def test_has_no_circle_of_rooms(self):
        def reach(room, seen):
            for target in rooms.ROOMS.get(room, []):
                if target not in seen and target != "*":
                    seen.add(target)
                    reach(target, seen)
            return seen

        # cli/environment.h and cli/exit_code.h are the words all of the client shares.
        for room in rooms.ROOMS:
            if not room.startswith("cli"):
                self.assertNotIn(room, reach(room, set()))


class APlantedFault(unittest.TestCase):
    def faults(self, path, text):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / path).parent.mkdir(parents=True)
            (root / path).write_text(text, encoding="utf-8")
            return [fault.what for fault in rooms.faults_of_tree(root)]

    def test_against_an_arrow_is_found(self):
        faults = self.faults("presence-core/model/etag.cc", '#include "presence-core/engine/engine.h"\n')
        self.assertEqual(len(faults), 1)
        self.assertIn("presence-core/model must not include presence-core/engine", faults[0])

    def test_between_adapters_is_found(self):
        self.assertTrue(self.faults("presence-core/rpc/convert.cc", '#include "presence-core/telemetry/x.h"\n'))

    def test_of_the_contract_in_the_engine_is_found(self):
        self.assertTrue(self.faults("presence-core/engine/x.cc", '#include "presence/v1/types.pb.h"\n'))

    def test_of_a_library_outside_its_room_is_found(self):
        for include in ("<grpcpp/grpcpp.h>", "<libxml/parser.h>", "<sofia-sip/sip.h>", "<boost/asio.hpp>",
                        "<ares.h>", "<yaml-cpp/yaml.h>", "<spdlog/spdlog.h>", "<pqxx/pqxx>",
                        "<prometheus/registry.h>", "<CivetServer.h>"):
            with self.subTest(include):
                self.assertTrue(self.faults("presence-core/engine/x.cc", f"#include {include}\n"))

    def test_in_the_name_of_a_room_is_found(self):
        self.assertIn("a room says what it is for", self.faults("cli/util/x.txt", ""))

    def test_of_a_file_without_a_room_is_found(self):
        self.assertEqual(self.faults("presence-core/misplaced.cc", ""), ["is in no room of the map"])

    def test_of_a_long_file_is_found(self):
        self.assertTrue(self.faults("runtime/x.cc", "\n" * 501))
        self.assertEqual(self.faults("runtime/x.cc", "\n" * 500), [])
        self.assertTrue(self.faults("tests/unit/x_test.cc", "\n" * 501))

    def test_of_a_sleeping_test_is_found(self):
        self.assertTrue(self.faults("tests/unit/x_test.cc", "std::this_thread::sleep_for(1s);\n"))
        self.assertTrue(self.faults("tests/scenarios/x_test.py", "time.sleep(1)\n"))

    def test_of_a_globbed_source_is_found(self):
        self.assertTrue(self.faults("runtime/CMakeLists.txt", "file(GLOB sources *.cc)\n"))

    def test_is_not_seen_where_there_is_none(self):
        self.assertEqual(self.faults("presence-core/engine/x.cc", '#include "presence-core/model/etag.h"\n'), [])


if __name__ == "__main__":
    unittest.main()
