"""A small exporter: answers GET /metrics with what the database says at that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bgce_migrate.errors import BgceError, UsageError
from bgce_migrate.metrics.text import CONTENT_TYPE


def serve(host: str, port: int, read: Callable[[], str], told: Callable[[str], None]) -> ThreadingHTTPServer:
    """A listening server; the caller runs `serve_forever`.

    Args:
        read: the page, made anew for each request, one at a time.
        told: hears what went wrong; the address of the database is in no answer.

    Raises:
        UsageError: the port is taken or not allowed.
    """
    one = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        """GET only."""

        def do_GET(self) -> None:
            """The page, or 404."""
            if self.path.split("?", 1)[0] != "/metrics":
                self._answer(404, "text/plain", "metrics are at /metrics\n")
                return
            try:
                with one:
                    page = read()
            except BgceError as error:
                told(f"error: {error.message}")
                self._answer(503, "text/plain", "the database does not answer\n")
            else:
                self._answer(200, CONTENT_TYPE, page)

        def _answer(self, code: int, kind: str, body: str) -> None:
            raw = body.encode()
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody wants a line for every scrape."""

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}", hint="--listen HOST:PORT") from None
    server.daemon_threads = True
    return server
