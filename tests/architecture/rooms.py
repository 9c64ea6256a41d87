"""The map of the repository as code: which room may include which, and which library lives where.

ARCHITECTURE.md shows the same table; rooms_test.py compares the two. If the room you need is missing, the map is
wrong: change both in the same commit.
"""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A room may include itself and the rooms named here, nothing else. `server` rooms know everybody.
# `contract` stands for what protoc makes of proto/presence/v1.
ROOMS = {
    "runtime": [],
    "configuration": ["contract"],
    "logging": ["contract"],
    "telemetry": [],
    "presence-core/model": ["runtime"],
    "presence-core/event": ["presence-core/model"],
    "presence-core/packages/xml": ["presence-core/model"],
    "presence-core/packages/presence": [
        "presence-core/event", "presence-core/model", "presence-core/packages/xml"],
    "presence-core/packages/winfo": [
        "presence-core/event", "presence-core/model", "presence-core/packages/xml"],
    "presence-core/packages": [
        "presence-core/event", "presence-core/model", "presence-core/packages/presence",
        "presence-core/packages/winfo", "presence-core/packages/xml"],
    "presence-core/policy": ["presence-core/event", "presence-core/model"],
    "presence-core/storage": ["presence-core/model"],
    "presence-core/storage/memory": ["presence-core/model", "presence-core/storage"],
    "presence-core/storage/write_through": ["presence-core/model", "presence-core/storage"],
    "presence-core/storage/write_back": ["presence-core/model", "presence-core/storage", "runtime"],
    "presence-core/storage/postgres": ["presence-core/model", "presence-core/storage", "runtime"],
    "presence-core/engine": [
        "presence-core/event", "presence-core/model", "presence-core/policy", "presence-core/storage",
        "runtime"],
    "presence-core/rpc": ["presence-core/engine", "presence-core/model", "contract", "runtime"],
    "presence-core/telemetry": ["presence-core/engine", "telemetry"],
    "presence-core/server": ["*"],
    "sip-gateway/sofia": [],
    "sip-gateway/transport": ["sip-gateway/sofia", "runtime"],
    "sip-gateway/transaction": ["sip-gateway/sofia", "sip-gateway/transport", "runtime"],
    "sip-gateway/translate": ["sip-gateway/sofia", "contract"],
    "sip-gateway/locating": ["runtime"],
    "sip-gateway/core_link": ["contract", "runtime"],
    "sip-gateway/auth": ["sip-gateway/transport"],
    "sip-gateway/dialogs": [
        "sip-gateway/locating", "sip-gateway/sofia", "sip-gateway/transaction", "sip-gateway/translate",
        "sip-gateway/transport", "contract"],
    "sip-gateway/server": ["*"],
    "cli/command_line": ["cli", "configuration"],
    "cli/output": ["cli", "cli/command_line", "contract"],
    "cli/documents": [
        "cli/output", "presence-core/packages/presence", "presence-core/packages/xml", "contract"],
    "cli/kamailio": ["cli", "cli/output", "configuration"],
    "cli/kamailio_tables": ["cli/output", "contract"],
    "cli/connection": ["cli", "cli/command_line", "cli/output", "contract"],
    "cli/commands": [
        "cli", "cli/command_line", "cli/connection", "cli/documents", "cli/kamailio", "cli/kamailio_tables",
        "cli/output", "contract", "runtime"],
    "cli": ["cli/command_line", "cli/commands", "cli/connection", "runtime"],
}

# One third-party library, one room (the gateway and the client have a gRPC end of their own).
LIBRARIES = {
    "gRPC": (r"(grpc|grpcpp)/", [
        "presence-core/rpc", "sip-gateway/core_link", "cli/connection", "cli/commands"]),
    "protobuf": (r"google/(protobuf|rpc)/", [
        "presence-core/rpc", "presence-core/server", "sip-gateway/core_link", "sip-gateway/translate",
        "sip-gateway/server", "configuration", "cli/connection", "cli/commands", "cli/output"]),
    "libpqxx and libpq": (r"pqxx/|libpq-fe", ["presence-core/storage/postgres", "cli/kamailio_tables"]),
    "libxml2": (r"(libxml2/)?libxml/", ["presence-core/packages/xml"]),
    "Sofia-SIP": (r"sofia-sip(-[0-9.]+)?/", ["sip-gateway/sofia"]),
    "Boost": (r"boost/", ["sip-gateway/transport"]),
    "c-ares": (r"ares", ["sip-gateway/locating"]),
    "yaml-cpp": (r"yaml-cpp/", ["configuration"]),
    "spdlog": (r"spdlog/", ["logging", "presence-core/server", "sip-gateway/server"]),
    "CLI11": (r"CLI/", [
        "configuration", "presence-core/server", "sip-gateway/server", "cli", "cli/command_line", "cli/commands"]),
    "prometheus-cpp": (r"prometheus/", ["telemetry"]),
    "civetweb": (r"(CivetServer|civetweb)\.h", ["telemetry"]),
    "OpenSSL": (r"openssl/", ["runtime", "presence-core/model", "sip-gateway/transport"]),
}

FORBIDDEN_ROOMS = {"util", "utils", "common", "helper", "helpers", "misc"}
MAX_LINES = 500
SOURCES = ("presence-core", "sip-gateway", "cli", "runtime", "configuration", "logging", "telemetry")

_INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')
_SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|absl::SleepFor|SleepFor|time\.sleep)\s*\(")
_GLOB = re.compile(r"\bfile\s*\(\s*GLOB", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Fault:
    path: str
    line: int
    what: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}"


def room_of(path):
    """The deepest room that holds the file or header `path`, written from the repository root; or None."""
    folder = path.rsplit("/", 1)[0] if "/" in path else ""
    while folder:
        if folder in ROOMS:
            return folder
        folder = folder.rpartition("/")[0]
    return None


def faults_of_source(path, text):
    """What is wrong with one source file of a room."""
    room = room_of(path)
    if room is None:
        yield Fault(path, 1, "is in no room of the map")
        return
    allowed = ROOMS[room]
    for number, line in enumerate(text.splitlines(), 1):
        match = _INCLUDE.match(line)
        if not match:
            continue
        include = match.group(1)
        for library, (pattern, rooms) in LIBRARIES.items():
            if re.match(pattern, include) and room not in rooms:
                yield Fault(path, number, f"{library} ({include}) is not used in {room}")
        if re.match(r"presence/v[0-9]+/", include):
            target = "contract"
        elif include.split("/")[0] in SOURCES:
            target = room_of(include)
            if target is None:
                yield Fault(path, number, f"{include} is in no room of the map")
                continue
        else:
            continue
        if target != room and target not in allowed and "*" not in allowed:
            yield Fault(path, number, f"{room} must not include {target} ({include})")
    yield from faults_of_size(path, text)


def faults_of_size(path, text):
    lines = text.count("\n")
    if lines > MAX_LINES:
        yield Fault(path, lines, f"has {lines} lines; above {MAX_LINES} it is two files")


def faults_of_test(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if _SLEEP.search(line):
            yield Fault(path, number, "a test waits for an event, it does not sleep")
    yield from faults_of_size(path, text)


def faults_of_cmake(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if _GLOB.search(line.split("#")[0]):
            yield Fault(path, number, "sources are listed, never globbed")


def faults_of_tree(root):
    """Everything that is wrong with the repository below `root`."""
    for source in SOURCES:
        for path in sorted((root / source).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_dir() and path.name.lower() in FORBIDDEN_ROOMS:
                yield Fault(name, 0, "a room says what it is for")
            if path.suffix in (".h", ".cc"):
                yield from faults_of_source(name, path.read_text(encoding="utf-8"))
    for path in sorted((root / "tests").rglob("*")):
        if path.suffix in (".h", ".cc", ".py") and "node_modules" not in path.parts:
            if path.resolve() != pathlib.Path(__file__).resolve() and path.name != "rooms_test.py":
                yield from faults_of_test(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
    for path in sorted((root / "proto/presence").rglob("*.proto")):
        yield from faults_of_size(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
    lists = [root / "CMakeLists.txt"]
    for folder in SOURCES + ("cmake", "proto", "tests", "bench"):
        lists += sorted((root / folder).rglob("CMakeLists.txt")) + sorted((root / folder).rglob("*.cmake"))
    for path in lists:
        if path.exists():
            yield from faults_of_cmake(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def table():
    """The map as ARCHITECTURE.md shows it."""
    rows = ["| room | may include |", "|---|---|"]
    for room, allowed in ROOMS.items():
        targets = "everybody" if "*" in allowed else ", ".join(f"`{name}`" for name in allowed) or "nobody"
        rows.append(f"| `{room}` | {targets} |")
    rows += ["", "| library | only in |", "|---|---|"]
    for library, (_, rooms) in LIBRARIES.items():
        rows.append(f"| {library} | {', '.join(f'`{name}`' for name in rooms)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
