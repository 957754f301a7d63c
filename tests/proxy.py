"""A TCP proxy in this process that adds delay, cuts, swallows answers or holds, for fault tests."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65536
Way = Literal["client", "server"]  # who sent the bytes


@dataclass
class Link:
    """One proxied connection. `index` counts from 0 in order of arrival."""

    index: int
    client: socket.socket
    server: socket.socket
    round_trips: int = 0
    mute: bool = False  # swallow what the server sends
    closed: bool = False
    last: Way = "server"
    tail: bytes = b""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def cut(self) -> None:
        """Reset both sides, as a network that goes away does."""
        self.closed = True
        for side in (self.client, self.server):
            # A reset instead of an orderly end: no byte that is still under way arrives.
            with contextlib.suppress(OSError):
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                side.close()


@dataclass
class Cut:
    """Cut a connection after `left` more bytes from `way`."""

    left: int
    way: Way
    connection: int | None


@dataclass
class Swallow:
    """Once clients have sent `pattern` for the nth time, swallow the server's answers."""

    pattern: bytes
    left: int
    then: Literal["close", "hang"]
    connection: int | None


class Proxy:
    """`with Proxy(server.host, server.port) as proxy: connect(proxy.url(database))`.

    Attributes:
        delay: seconds added to every round trip (half of it each way); may be changed at any time.
        refuse: accept and reset new connections at once.
        links: all connections so far, in order of arrival.
    """

    def __init__(self, host: str, port: int, *, delay: float = 0.0) -> None:
        self.delay = delay
        self.refuse = False
        self.links: list[Link] = []
        self.triggered = threading.Event()
        self._target = (host, port)
        self._open = threading.Event()
        self._open.set()
        self._cut: Cut | None = None
        self._swallow: Swallow | None = None
        self._rules = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Proxy:
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._open.set()
        self.cut()

    def url(self, url: str) -> str:
        """The same URL through this proxy."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))

    @property
    def round_trips(self) -> int:
        """Times a client spoke after the server had spoken, on all connections."""
        return sum(link.round_trips for link in self.links)

    def cut(self) -> None:
        """Cut all connections now."""
        for link in list(self.links):
            link.cut()

    def cut_after(self, count: int, *, way: Way = "client", connection: int | None = None) -> None:
        """Cut, once, the connection that carries byte `count` from now on (that byte still passes)."""
        self.triggered.clear()
        self._cut = Cut(count, way, connection)

    def drop_replies_after(
        self,
        pattern: bytes,
        *,
        nth: int = 1,
        then: Literal["close", "hang"] = "close",
        connection: int | None = None,
    ) -> None:
        """Pass the client's `pattern` on, and lose every answer of the server from then on.

        With `close` the client sees a reset once the server has answered, with `hang` nothing at all.
        """
        self.triggered.clear()
        self._swallow = Swallow(pattern, nth, then, connection)

    def hold(self) -> None:
        """Keep all bytes back, both ways, until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Let held bytes go on."""
        self._open.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refuse:
                Link(-1, client, client).cut()
                continue
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(len(self.links), client, server)
            self.links.append(link)
            self._carry(link, "client", client, server)
            self._carry(link, "server", server, client)

    def _carry(self, link: Link, way: Way, source: socket.socket, sink: socket.socket) -> None:
        """Two threads a direction: one reads and notes the time, one writes when the delay is over."""
        waiting: queue.Queue[tuple[float, bytes]] = queue.Queue()

        def read() -> None:
            while True:
                try:
                    data = source.recv(CHUNK)
                except OSError:
                    data = b""
                waiting.put((time.monotonic() + self.delay / 2, data))
                if not data:
                    return

        def write() -> None:
            while True:
                due, data = waiting.get()
                time.sleep(max(0.0, due - time.monotonic()))
                self._open.wait()
                if not self._pass(link, way, sink, data):
                    return

        self._spawn(read)
        self._spawn(write)

    def _pass(self, link: Link, way: Way, sink: socket.socket, data: bytes) -> bool:
        """Send `data` on as the rules say; False when this direction is over."""
        if not data:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)
            return False
        with link.lock:
            if way == "client" and link.last == "server":
                link.round_trips += 1
            link.last = way
        data, cut = self._apply_cut(link, way, data)
        swallow = self._apply_swallow(link, data) if way == "client" else None
        if swallow:
            link.mute = True
        if way == "server" and link.mute:
            if self._swallow and self._swallow.then == "close":
                link.cut()
            return not link.closed
        if swallow:
            self.triggered.set()
        try:
            sink.sendall(data)
        except OSError:
            return False
        if cut:
            self.triggered.set()  # first: the client goes on as soon as it sees the reset
            link.cut()
        return not link.closed

    def _apply_cut(self, link: Link, way: Way, data: bytes) -> tuple[bytes, bool]:
        with self._rules:
            rule = self._cut
            if rule is None or rule.way != way or rule.connection not in (None, link.index):
                return data, False
            if len(data) < rule.left:
                rule.left -= len(data)
                return data, False
            self._cut = None
            return data[: rule.left], True

    def _apply_swallow(self, link: Link, data: bytes) -> bool:
        with self._rules:
            rule = self._swallow
            if rule is None or not rule.left or rule.connection not in (None, link.index):
                return False
            # The pattern may have been split over two reads.
            text = link.tail + data
            link.tail = text[-(len(rule.pattern) - 1) :] if len(rule.pattern) > 1 else b""
            rule.left = max(0, rule.left - text.count(rule.pattern))
            return not rule.left

    def _spawn(self, work: object) -> None:
        assert callable(work)
        threading.Thread(target=work, daemon=True).start()
