"""A stand-in for PostgreSQL 13, which no package source here has: it lets everybody in and answers one query."""

from __future__ import annotations

import socket
import struct
import threading

#: The columns of the engine's query `facts`, as that server would answer them.
FACTS = ("130014", "false", "off", "1", "1", "old", "1", "4242", "u", "false", "UTF8", "UTC", "false", "true", "false")


class OldServer:
    """Listens on a free port; `url` leads there."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """For one client at a time."""
        return f"postgresql://u@127.0.0.1:{self._socket.getsockname()[1]}/old?sslmode=disable&gssencmode=disable"

    def __enter__(self) -> OldServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client:
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        stream = client.makefile("rb")
        stream.read(struct.unpack("!I", stream.read(4))[0] - 4)
        settings = {"server_version": "13.14", "client_encoding": "UTF8", "standard_conforming_strings": "on"}
        words = [_message(b"S", f"{k}\0{v}\0".encode()) for k, v in settings.items()]
        ready = _message(b"Z", b"I")
        client.sendall(
            _message(b"R", bytes(4)) + b"".join(words) + _message(b"K", struct.pack("!II", 4242, 1)) + ready
        )
        while kind := stream.read(1):
            stream.read(struct.unpack("!I", stream.read(4))[0] - 4)
            answers = {b"P": _message(b"1"), b"B": _message(b"2"), b"D": _columns(), b"E": _row(), b"S": ready}
            client.sendall(answers.get(kind, b""))


def _message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _columns() -> bytes:
    one = b"".join(f"c{n}\0".encode() + struct.pack("!IHIHIH", 0, 0, 25, 65535, 0, 0) for n in range(len(FACTS)))
    return _message(b"T", struct.pack("!H", len(FACTS)) + one)


def _row() -> bytes:
    values = b"".join(struct.pack("!I", len(v)) + v.encode() for v in FACTS)
    return _message(b"D", struct.pack("!H", len(FACTS)) + values) + _message(b"C", b"SELECT 1\0")
