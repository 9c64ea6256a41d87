"""A way to a PostgreSQL server that can be cut, also so that the answer to a COMMIT gets lost."""

import pathlib
import socket
import threading


class CommitCutter:
    """Listens on a TCP port and passes everything to the server's unix socket and back. Of connections on which
    changes are committed (they have prepared the fence) one COMMIT can be cut: `lose("answer")` lets the server
    commit and loses its answer, `lose("commit")` loses the COMMIT itself. Either way the connection is gone.
    `folder` is where the server has its socket."""

    def __init__(self, folder):
        self._server = str(pathlib.Path(folder) / ".s.PGSQL.5432")
        self._changed = threading.Condition()
        self._ends = []
        self._what = None
        self._cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.dsn = f"host=127.0.0.1 port={self._listener.getsockname()[1]} user=presence dbname=postgres"
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, what, seconds=10.0):
        """Cuts the next COMMIT; returns when that has happened."""
        with self._changed:
            before = self._cuts
            self._what = what
            if not self._changed.wait_for(lambda: self._cuts > before, seconds):
                raise AssertionError(f"no COMMIT came within {seconds} s")

    def close(self):
        """Ends every connection, and takes no more."""
        _shut(self._listener)  # accept() returns
        self._listener.close()
        for end in list(self._ends):
            _shut(end)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._server)
            except OSError:
                client.close()
                server.close()
                continue
            self._ends += [client, server]
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client, server):
        state = {"commits": False, "loses_answer": False}
        back = threading.Thread(target=self._pass_back, args=(client, server, state), daemon=True)
        back.start()
        try:
            while data := client.recv(1 << 16):
                state["commits"] = state["commits"] or b"fence" in data
                # Simple queries come alone, and whole: 'Q', a length, the text.
                if state["commits"] and data[:1] == b"Q" and b"COMMIT" in data:
                    with self._changed:
                        what, self._what = self._what, None
                    if what == "commit":
                        self._count()
                        break
                    state["loses_answer"] = what == "answer"
                server.sendall(data)
        except OSError:
            pass
        for end in (server, client):
            _shut(end)
        back.join()
        client.close()
        server.close()

    def _pass_back(self, client, server, state):
        try:
            while data := server.recv(1 << 16):
                if state["loses_answer"]:
                    self._count()
                    break
                client.sendall(data)
        except OSError:
            pass
        for end in (server, client):
            _shut(end)

    def _count(self):
        with self._changed:
            self._cuts += 1
            self._changed.notify_all()


def _shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
