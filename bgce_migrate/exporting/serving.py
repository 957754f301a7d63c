"""A small exporter: answers GET /metrics with what the database says at that moment."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from bgce_migrate.errors import BgceError, UsageError
from bgce_migrate.exporting.exposition import registry, require
from bgce_migrate.metrics.sample import Sample

StartResponse = Callable[..., Any]


class _Quiet(WSGIRequestHandler):
    """Nobody wants a line for every scrape."""

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def serve(host: str, port: int, read: Callable[[], Sequence[Sample]], told: Callable[[str], None]) -> WSGIServer:
    """A listening server; the caller runs `serve_forever`. It answers as prometheus-client does: compressed, and in
    the OpenMetrics format, where that is asked for.

    Args:
        read: the samples, made anew for each request, one at a time.
        told: hears what went wrong; the address of the database is in no answer.

    Raises:
        UsageError: the port is taken or not allowed, or prometheus-client is not installed.
    """
    require()
    from prometheus_client import make_wsgi_app
    from prometheus_client.exposition import ThreadingWSGIServer

    one = threading.Lock()

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            return _plain(start_response, "404 Not Found", "metrics are at /metrics\n")
        try:
            with one:
                found = read()
        except BgceError as error:
            told(f"error: {error.message}")
            return _plain(start_response, "503 Service Unavailable", "the database does not answer\n")
        shown: Iterable[bytes] = make_wsgi_app(registry(found))(environ, start_response)
        return shown

    class Server(ThreadingWSGIServer):
        """Listens where the address says."""

        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    try:
        return make_server(host, port, answer, Server, _Quiet)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}", hint="--listen HOST:PORT") from None


def _plain(start_response: StartResponse, status: str, body: str) -> list[bytes]:
    raw = body.encode()
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(raw)))])
    return [raw]
