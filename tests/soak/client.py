"""A SIP client that does many things at once: one thread, one socket a client, RFC 3261 retransmissions."""

import collections
import heapq
import itertools
import selectors
import socket
import threading
import time
import uuid

from message import Message, parameter
from phone import Phone

T1, T2 = 0.5, 1.0  # T2 is shorter than RFC 3261's 4 s, so that recovery is that of the servers, not of a pause here
TIMER_F = 32.0


class Loop(threading.Thread):
    """Runs callbacks: of sockets, of time, and of other threads (`call`). The first exception ends it and is kept."""

    def __init__(self):
        super().__init__(daemon=True)
        self.fault = None
        self._selector = selectors.DefaultSelector()
        self._timers = []
        self._order = itertools.count()
        self._calls = collections.deque()
        self._waker, self._wakened = socket.socketpair()
        self._selector.register(self._wakened, selectors.EVENT_READ, lambda: self._wakened.recv(4096))
        self._is_stopping = False

    def reads(self, source, on_readable):
        self._selector.register(source, selectors.EVENT_READ, on_readable)

    def after(self, seconds, callback):
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), callback))

    def call(self, function):
        """Runs it on this thread and returns its result to another one."""
        done = threading.Event()
        result = []

        def run():
            result.append(function())
            done.set()

        self._calls.append(run)
        self._waker.send(b"!")
        while not done.wait(0.5):
            self.raise_fault()
        return result[0]

    def raise_fault(self):
        if self.fault:
            raise RuntimeError("the load broke") from self.fault
        if not self.is_alive():
            raise RuntimeError("the load is over")

    def stop(self):
        self._is_stopping = True
        self._waker.send(b"!")
        self.join()
        self._selector.close()
        self._waker.close()
        self._wakened.close()

    def run(self):
        try:
            while not self._is_stopping:
                self._turn()
        except Exception as fault:  # whoever waits for this thread raises it
            self.fault = fault

    def _turn(self):
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
        while self._calls:
            self._calls.popleft()()
        wait = self._timers[0][0] - time.monotonic() if self._timers else None
        for key, _ in self._selector.select(max(0.0, wait) if wait is not None else None):
            key.data()


class Request:
    """What is asked until there is a final answer, over and over, as the same request."""

    def __init__(self, client, method, uri, headers, body, cseq, call_id, from_tag, user, to, on_answer):
        self.client = client
        self.method = method
        self.print = lambda via: client.phone.request(
            method, uri, headers, body, cseq=cseq, call_id=call_id, from_tag=from_tag, to=to, via=via,
            from_uri=f"sip:{user}@example.com")
        self.on_answer = on_answer
        self.first_asked_at = time.monotonic()
        self.attempt()

    def attempt(self):
        """As a new transaction."""
        self.asked_at = time.monotonic()
        self.branch = self.client.phone.branch()
        self.data = self.print(self.client.phone.via(self.branch))
        self.client.waiting[self.branch] = self
        self._send(self.branch, T1)

    def _send(self, branch, interval):
        if self.client.waiting.get(branch) is not self:
            return
        if time.monotonic() - self.asked_at > TIMER_F:
            del self.client.waiting[branch]
            self.on_answer(self, None)
            return
        self.client.phone.send_bytes(self.data)
        self.client.loop.after(interval, lambda: self._send(branch, min(2 * interval, T2)))

    @property
    def is_waiting(self):
        return self.branch in self.client.waiting

    @property
    def waited(self):
        return time.monotonic() - self.asked_at


class Client:
    """A UDP socket for many users. Answers go to the request of their branch, NOTIFYs to whoever has their Call-ID,
    who says how they are answered."""

    def __init__(self, loop, sip):
        self.loop = loop
        self.phone = Phone(sip, user="soak")
        self.phone.is_answering = False
        self.phone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.waiting = {}
        self.dialogs = {}  # Call-ID -> on_notify(message), which returns the status
        loop.reads(self.phone.socket, self._on_readable)

    def ask(self, method, uri, user, on_answer, headers=(), body="", cseq=1, call_id=None, from_tag=None, to=None):
        if method == "SUBSCRIBE":
            headers = [*headers, ("Contact", f"<sip:{user}@{self.phone.host}:{self.phone.port}>")]
        return Request(self, method, uri, headers, body, cseq, call_id or uuid.uuid4().hex,
                       from_tag or uuid.uuid4().hex[:10], user, to, on_answer)

    def _on_readable(self):
        for _ in range(64):  # and then the others
            try:
                data = self.phone.socket.recv(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # the gateway is dead: that is what the retransmissions are for
            if data.strip():
                self._on_message(Message(data))

    def _on_message(self, message):
        if message.is_request:
            on_notify = self.dialogs.get(message.get("call-id"))
            self.phone.answer(message, on_notify(message) if on_notify else 481)
            self.phone.answers.clear()  # the judge sees repetitions, too
        elif message.status >= 200:
            request = self.waiting.pop(parameter(message.get("via"), "branch"), None)
            if request:
                request.on_answer(request, message)

    def close(self):
        self.phone.close()
