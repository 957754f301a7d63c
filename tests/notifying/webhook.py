"""A webhook of the tests: a real HTTP server that keeps what it is sent and answers as it is told to."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "T024BE7LD/B8JD9K2/xS3cretTokenOfTheHook"


class Hook:
    """What it was sent, and what it does: "ok", a status such as "500", "hang", "drip" or "to URL"."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.does = "ok"
        self.closing = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"].startswith("application/json")
                hook.sent.append(json.loads(body))
                hook._answer(self)

            def do_GET(self) -> None:
                hook.sent.append({"got": self.path})
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/{SECRET}"

    @property
    def texts(self) -> list[str]:
        """The first line of each message."""
        return [str(message["text"]).splitlines()[0] for message in self.sent]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        if self.does == "hang":
            self.closing.wait(30)
            return
        if self.does == "drip":
            with contextlib.suppress(OSError):
                while not self.closing.is_set():
                    handler.wfile.write(b"H")
                    time.sleep(0.1)
            return
        if self.does == "nonsense":
            handler.wfile.write(b"220 this is no web server\r\n")
            return
        word, _, place = self.does.partition(" ")
        handler.send_response(302 if word == "to" else 200 if word == "ok" else int(word))
        if place:
            handler.send_header("Location", place)
        handler.send_header("Content-Length", "0")
        handler.end_headers()


@contextlib.contextmanager
def hook() -> Iterator[Hook]:
    """A listening one."""
    made = Hook()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.closing.set()
        made.server.shutdown()
        made.server.server_close()
        thread.join()
