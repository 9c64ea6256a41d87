"""A way between a gateway and its core that a test can take away."""

import selectors
import socket
import threading


class Proxy:
    """Listens on a port of its own and passes everything on to `target` and back. While it is silent, everything stays
    on its way, as with a network that drops packets; while it is cut, connections break and none can be made."""

    def __init__(self, target):
        host, _, port = target.rpartition(":")
        self.target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:{}".format(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._open = threading.Event()  # not set: silent
        self._open.set()
        self._is_cut = self._is_closed = False
        self._ends = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def be_silent(self):
        self._open.clear()

    def cut(self):
        with self._lock:
            self._is_cut = True
            for end in self._ends:
                _shut(end)

    def heal(self):
        with self._lock:
            self._is_cut = False
        self._open.set()

    def close(self):
        self._is_closed = True
        self.cut()
        self._open.set()
        _shut(self._listener)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        self._open.wait()
        with self._lock:
            is_refused = self._is_cut
        try:
            server = None if is_refused else socket.create_connection(self.target)
        except OSError:
            server = None
        if server is None:
            client.close()
            return
        with self._lock:
            self._ends |= {client, server}
        try:
            self._pass(client, server)
        except OSError:
            pass
        with self._lock:
            self._ends -= {client, server}
        client.close()
        server.close()

    def _pass(self, client, server):
        with selectors.DefaultSelector() as both:
            both.register(client, selectors.EVENT_READ, server)
            both.register(server, selectors.EVENT_READ, client)
            while not self._is_closed:
                for key, _ in both.select():
                    self._open.wait()
                    data = key.fileobj.recv(1 << 16)
                    if not data:
                        return
                    key.data.sendall(data)


def _shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
