"""A name server for one machine: answers from a table over UDP, as RFC 1035 has it."""

import socket
import struct
import threading

A, SOA, SRV, NAPTR = 1, 6, 33, 35
IN = 1
NO_SUCH_NAME = 3
SOON = 0  # TTL: nothing is to be remembered, so a changed table counts at once


def name_bytes(name):
    labels = [label.encode("ascii") for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def text_bytes(text):
    return bytes([len(text)]) + text.encode("ascii")


class NameServer:
    """Serves what is in `records`: {(name, type): [the record's data as bytes]}."""

    def __init__(self):
        self.records = {}
        self.questions = []  # (name, type), in the order they came
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self.socket.getsockname())
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        # A datagram of nothing ends the thread, which a close from outside would not.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()

    def host(self, name, ip="127.0.0.1"):
        self.records[(name, A)] = [socket.inet_aton(ip)]

    def service(self, name, *targets):
        """`targets` are (priority, port, host), for SRV; each host gets an address of its own here."""
        self.records[(name, SRV)] = [struct.pack("!HHH", priority, 0, port) + name_bytes(host)
                                     for priority, port, host in targets]
        for _, _, host in targets:
            self.host(host)

    def pointers(self, name, *services):
        """`services` are (order, "SIP+D2U", replacement), for NAPTR."""
        self.records[(name, NAPTR)] = [
            struct.pack("!HH", order, 10) + text_bytes("s") + text_bytes(service) + text_bytes("") + name_bytes(to)
            for order, service, to in services]

    def _serve(self):
        while True:
            question, sender = self.socket.recvfrom(4096)
            if not question:
                return
            self.socket.sendto(self._answer(question), sender)

    def _answer(self, message):
        number, = struct.unpack_from("!H", message)
        labels, at = [], 12
        while message[at]:
            labels.append(message[at + 1:at + 1 + message[at]].decode("ascii").lower())
            at += 1 + message[at]
        name = ".".join(labels)
        kind, = struct.unpack_from("!H", message, at + 1)
        asked = message[12:at + 5]
        self.questions.append((name, kind))
        found = self.records.get((name, kind), [])
        # RFC 2308 section 2: a name without this type is no error, a name without any type is.
        code = 0 if any(known == name for known, _ in list(self.records)) else NO_SUCH_NAME
        answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, IN, SOON, len(data)) + data for data in found)
        nobody = name_bytes("") + name_bytes("") + struct.pack("!IIIII", 1, 1, 1, 1, SOON)
        authority = b"" if found else b"\0" + struct.pack("!HHIH", SOA, IN, SOON, len(nobody)) + nobody
        flags = 0x8180 | code
        return (struct.pack("!HHHHHH", number, flags, 1, len(found), 0 if found else 1, 0) + asked + answers
                + authority)
