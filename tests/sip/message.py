"""SIP messages as the scenarios write and read them: text in, text out, nothing repaired."""

import re

COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
           "c": "content-type", "o": "event", "u": "allow-events", "k": "supported", "e": "content-encoding"}


class Message:
    """A request or response that came from the wire. Header names are lower case; order is kept."""

    def __init__(self, data):
        head, separator, self.body = data.partition(b"\r\n\r\n")
        if not separator:
            raise ValueError(f"no end of the header: {data!r}")
        # RFC 3261 section 7.3.1: a line that begins with space goes on from the one before.
        lines = re.sub("\r\n[ \t]+", " ", head.decode("utf-8")).split("\r\n")
        self.first_line = lines[0]
        self.headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"no colon: {line!r}")
            name = name.strip().lower()
            self.headers.append((COMPACT.get(name, name), value.strip()))
        length = self.get("content-length")
        if length is not None and int(length) != len(self.body):
            raise ValueError(f"Content-Length {length}, body of {len(self.body)} bytes")
        self.data = data
        self.source = None

    @property
    def is_request(self):
        return not self.first_line.startswith("SIP/2.0 ")

    @property
    def status(self):
        return int(self.first_line.split(" ")[1])

    @property
    def method(self):
        return self.first_line.split(" ")[0]

    @property
    def uri(self):
        return self.first_line.split(" ")[1]

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def tokens(self, name):
        """The elements of a comma-separated header, from all its lines."""
        return [token.strip() for value in self.all(name) for token in value.split(",") if token.strip()]

    @property
    def cseq(self):
        return int(self.get("cseq").split()[0])

    @property
    def to_tag(self):
        return parameter(self.get("to"), "tag")

    @property
    def text(self):
        return self.body.decode("utf-8")

    def __repr__(self):
        return self.data.decode("utf-8", "replace")


def parameter(value, name):
    """The value of `;name=` in a header, or None."""
    for part in value.rpartition(">")[2].split(";") if ">" in value else value.split(";")[1:]:
        key, _, text = part.strip().partition("=")
        if key.lower() == name:
            return text
    return None


def address(value):
    """The URI inside `<` and `>`."""
    return value.partition("<")[2].partition(">")[0]


def pidf(entity, basic="open", note="", tuple_id="t1", extra=""):
    """A presence document of one tuple."""
    note = f"<note>{note}</note>" if note else ""
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="{entity}">'
            f'<tuple id="{tuple_id}"><status><basic>{basic}</basic></status>{note}{extra}</tuple></presence>')


class WatcherInfo:
    """A document of RFC 3858."""

    def __init__(self, text):
        self.state = re.search(r'<watcherinfo\b[^>]*\bstate="(\w+)"', text).group(1)
        self.version = int(re.search(r'<watcherinfo\b[^>]*\bversion="(\d+)"', text).group(1))
        self.watchers = [{**dict(re.findall(r'([\w-]+)="([^"]*)"', attributes)), "uri": uri}
                         for attributes, uri in re.findall(r"<watcher\s([^>]*)>([^<]*)<", text)]

    @property
    def part(self):
        return self.state, self.version

    @property
    def told(self):
        """(watcher, status, event) of each element."""
        return [(w["uri"], w["status"], w["event"]) for w in self.watchers]

    @property
    def ids(self):
        return sorted(w["id"] for w in self.watchers)
