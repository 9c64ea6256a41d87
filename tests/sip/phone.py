"""A SIP user agent on a real socket, which does what its test says and waits with deadlines."""

import itertools
import select
import socket
import time
import uuid

from message import Message, address

# How long a test waits for what must come, and for what must not. The first is long because machines are slow;
# it costs nothing where all is well.
PATIENCE = 10.0
QUIET = 0.4


class Silence(AssertionError):
    """What was waited for did not come."""


class Phone:
    """One socket, UDP or TCP, IPv4 or IPv6. Answers NOTIFY with `notify_status` unless told not to."""

    def __init__(self, server, transport="udp", user="bob", trace=None, connection=None):
        self.server = server
        self.transport = transport
        self.user = user
        self.trace = trace
        self.is_answering = True
        self.notify_status = 200
        self.notify_headers = []
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        if connection:
            self.socket = connection
        elif transport == "udp":
            self.socket = socket.socket(family, socket.SOCK_DGRAM)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.socket.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        else:
            self.socket = socket.create_connection(server, timeout=PATIENCE)
        self.buffer = b""
        self.inbox = []  # came, but was not what was waited for
        self.answers = {}  # by the Via of the request
        self.is_closed_by_peer = False
        host, port = self.socket.getsockname()[:2]
        self.host = f"[{host}]" if ":" in host else host
        self.port = port

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def listen(self):
        """Takes TCP connections where this phone has its UDP socket."""
        return Listener(self.server, self.user, self.socket.getsockname()[:2])

    @property
    def contact(self):
        transport = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{self.user}@{self.host}:{self.port}{transport}"

    # ---- Sending ----

    def send_bytes(self, data):
        if self.trace:
            self.trace("->", data)
        if self.transport == "udp":
            self.socket.sendto(data, self.server)
        else:
            self.socket.sendall(data)

    def branch(self):
        return "z9hG4bK" + uuid.uuid4().hex[:16]

    def via(self, branch=None):
        return f"SIP/2.0/{self.transport.upper()} {self.host}:{self.port};branch={branch or self.branch()};rport"

    def print(self, method, uri, headers, body=b""):
        """A request as bytes. Headers are (name, value) pairs, in order."""
        if isinstance(body, str):
            body = body.encode("utf-8")
        lines = [f"{method} {uri} SIP/2.0"] + [f"{name}: {value}" for name, value in headers]
        return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body

    def request(self, method, uri, headers=(), body="", cseq=1, call_id=None, from_uri=None, from_tag=None, to=None,
                via=None, has_length=True):
        """A whole request; `headers` are added to those every request has."""
        if isinstance(body, str):
            body = body.encode("utf-8")
        from_uri = from_uri or f"sip:{self.user}@example.com"
        every = [("Via", via or self.via()), ("Max-Forwards", "70"),
                 ("From", f"<{from_uri}>;tag={from_tag or uuid.uuid4().hex[:10]}"),
                 ("To", to or f"<{uri}>"), ("Call-ID", call_id or uuid.uuid4().hex),
                 ("CSeq", f"{cseq} {method}")]
        length = [("Content-Length", str(len(body)))] if has_length else []
        return self.print(method, uri, every + list(headers) + length, body)

    def ask(self, method, uri, headers=(), body="", **options):
        """Sends a request and returns its final response."""
        data = self.request(method, uri, headers, body, **options)
        return self.ask_bytes(data)

    def ask_bytes(self, data):
        sent = Message(data.partition(b"\r\n\r\n")[0].replace(b"Content-Length", b"X-Length") + b"\r\n\r\n")
        self.send_bytes(data)
        return self.response(sent.get("call-id"), sent.get("cseq"))

    def response(self, call_id, cseq):
        return self.wait(lambda m: not m.is_request and m.status >= 200 and m.get("call-id") == call_id
                         and m.get("cseq") == cseq)

    def publish(self, uri, document="", etag=None, expires=None, event="presence",
                content_type="application/pidf+xml", headers=(), **options):
        own = [("Event", event)] if event else []
        if expires is not None:
            own.append(("Expires", str(expires)))
        if etag is not None:
            own.append(("SIP-If-Match", etag))
        if document and content_type:
            own.append(("Content-Type", content_type))
        return self.ask("PUBLISH", uri, own + list(headers), document, **options)

    def subscribe(self, uri, expires=600, event="presence", headers=(), contact=None, **options):
        """An initial SUBSCRIBE. Returns a Subscription whatever the answer is."""
        return Subscription(self, uri, expires, event, headers, contact, options)

    def answer(self, request, status=200, headers=()):
        lines = [f"SIP/2.0 {status} Answer"]
        lines += [f"Via: {value}" for value in request.all("via")]
        to = request.get("to")
        lines += [f"From: {request.get('from')}", f"To: {to}", f"Call-ID: {request.get('call-id')}",
                  f"CSeq: {request.get('cseq')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        lines.append("Content-Length: 0")
        answer = "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n"
        self.answers[request.get("via")] = answer
        self.send_bytes(answer)

    # ---- Receiving ----

    def read(self, seconds):
        """The next message, or None after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            message = self.framed()
            if message:
                return message
            left = end - time.monotonic()
            if left <= 0 or self.is_closed_by_peer or not select.select([self.socket], [], [], left)[0]:
                return None
            if self.transport == "udp":
                data = self.socket.recv(65536)
                message = self.received(data) if data.strip() else None
                if message:
                    return message
            else:
                data = self.socket.recv(65536)
                self.is_closed_by_peer = not data
                self.buffer += data

    def framed(self):
        if self.transport == "udp":
            return None
        self.buffer = self.buffer.lstrip(b"\r\n")
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() in (b"content-length", b"l"):
                length = int(value)
        if len(rest) < length:
            return None
        self.buffer = rest[length:]
        return self.received(head + separator + rest[:length])

    def received(self, data):
        """The message; nothing for a request that was answered and came again: RFC 3261 section 17.2.2."""
        message = Message(data)
        if self.trace:
            self.trace("<-", data)
        if self.transport == "udp" and message.is_request and (answer := self.answers.get(message.get("via"))):
            self.send_bytes(answer)
            return None
        if message.is_request and message.method == "NOTIFY" and self.is_answering:
            self.answer(message, self.notify_status, self.notify_headers)
        return message

    def wait(self, wanted, seconds=PATIENCE):
        """The first message for which `wanted` holds, of those that came or come within `seconds`."""
        for index, message in enumerate(self.inbox):
            if wanted(message):
                return self.inbox.pop(index)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            message = self.read(left)
            if message is None:
                break
            if wanted(message):
                return message
            self.inbox.append(message)
        raise Silence(f"nothing of the kind within {seconds} s; came: {self.inbox}")

    def notify(self, call_id=None, seconds=PATIENCE):
        return self.wait(lambda m: m.is_request and m.method == "NOTIFY"
                         and (call_id is None or m.get("call-id") == call_id), seconds)

    def assert_quiet(self, seconds=QUIET):
        """No request comes. What came before counts, too."""
        try:
            request = self.wait(lambda m: m.is_request, seconds)
        except Silence:
            return
        raise AssertionError(f"nothing was due, but there came\n{request}")

    def wait_for_close(self, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not self.is_closed_by_peer and (left := end - time.monotonic()) > 0:
            message = self.read(left)
            if message:
                self.inbox.append(message)
        return self.is_closed_by_peer


class Listener:
    """Where a phone takes connections. Each becomes a Phone of its own."""

    def __init__(self, server, user="bob", where=("127.0.0.1", 0)):
        self.server = server
        self.user = user
        self.socket = socket.create_server(where)
        self.socket.settimeout(PATIENCE)

    @property
    def contact(self):
        host, port = self.socket.getsockname()[:2]
        return f"sip:{self.user}@{host}:{port};transport=tcp"

    def accept(self):
        connection, _ = self.socket.accept()
        return Phone(self.server, "tcp", self.user, connection=connection)

    def has_callers(self):
        """Whether somebody has connected who was not accepted yet."""
        return bool(select.select([self.socket], [], [], 0)[0])

    def close(self):
        self.socket.close()


class Subscription:
    """The watcher's half of a dialog."""

    def __init__(self, phone, uri, expires, event, headers, contact, options):
        self.phone = phone
        self.uri = uri
        self.event = event
        self.call_id = options.pop("call_id", None) or uuid.uuid4().hex
        self.from_tag = options.pop("from_tag", None) or uuid.uuid4().hex[:10]
        self.options = options
        self.cseq = itertools.count(options.pop("cseq", 1))
        self.contact = f"<{phone.contact}>" if contact is None else contact
        self.to = None
        self.target = uri
        self.answer = self.send(expires, headers)
        if self.answer.status < 300:
            self.to = self.answer.get("to")
            self.target = address(self.answer.get("contact"))

    def send(self, expires, headers=(), event=None, **options):
        own = []
        if event is None:
            event = self.event
        if event:
            own.append(("Event", event))
        if expires is not None:
            own.append(("Expires", str(expires)))
        if self.contact:
            own.append(("Contact", self.contact))
        cseq = options.pop("cseq", None) or next(self.cseq)
        return self.phone.ask("SUBSCRIBE", self.target, own + list(headers), cseq=cseq, call_id=self.call_id,
                              from_tag=self.from_tag, to=self.to, **{**self.options, **options})

    refresh = send

    def notify(self, seconds=PATIENCE):
        return self.phone.notify(self.call_id, seconds)
