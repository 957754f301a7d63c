"""GitHub's comments on loopback: pages, rights, limits and faults."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_0123456789abcdef"
REPOSITORY = "bgce/archive"
_LIST = re.compile(rf"/repos/{REPOSITORY}/issues/(\d+)/comments\Z")
_ONE = re.compile(rf"/repos/{REPOSITORY}/issues/comments/(\d+)\Z")


@dataclass(slots=True)
class Stub:
    """What the server knows and does.

    Attributes:
        comments: by id, oldest first.
        faults: answers to give first: (method, status, headers); each is used once.
        may_write: False for a fork's token.
        elsewhere: where the next page is said to be.
        login: of a person's token; None for a job's own, which is nobody's.
    """

    url: str = ""
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    faults: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)
    may_write: bool = True
    login: str | None = None
    longest: int = 65_536
    lose_answer: bool = False
    elsewhere: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)

    def add(self, body: str, *, login: str = "github-actions[bot]", kind: str = "Bot") -> int:
        """A comment that is there already."""
        number = len(self.requests) + max(self.comments, default=0) + 1
        url = f"https://github.com/{REPOSITORY}/pull/7#issuecomment-{number}"
        self.comments[number] = {"id": number, "body": body, "html_url": url, "user": {"login": login, "type": kind}}
        return number

    def answer(self, method: str, target: str, body: Any) -> tuple[int, dict[str, str], Any]:
        """One request."""
        parts = urlsplit(target)
        for fault in self.faults:
            if fault[0] == method:
                self.faults.remove(fault)
                return fault[1], fault[2], {"message": "as the test wants it"}
        if parts.path == "/user":
            return (200, {}, {"login": self.login}) if self.login else (403, {}, {"message": "not by integration"})
        if method != "GET" and not self.may_write:
            return 403, {}, {"message": "Resource not accessible by integration"}
        if method in ("POST", "PATCH") and len(body["body"]) > self.longest:
            return 422, {}, {"message": "Validation Failed: body is too long"}
        if (found := _LIST.match(parts.path)) and found[1] == "7":
            return self._list(method, parts.query, body)
        if (found := _ONE.match(parts.path)) and int(found[1]) in self.comments:
            return self._one(method, int(found[1]), body)
        return 404, {}, {"message": "Not Found"}

    def _list(self, method: str, query: str, body: Any) -> tuple[int, dict[str, str], Any]:
        if method == "POST":
            comment = self.comments[self.add(body["body"], login=self.login or "github-actions[bot]", kind="User" if self.login else "Bot")]
            return (502, {}, {}) if self.lose_answer else (201, {}, comment)
        asked = parse_qs(query)
        size, page = int(asked["per_page"][0]), int(asked.get("page", ["1"])[0])
        known = list(self.comments.values())
        more = len(known) > size * page
        link = f'<{self.elsewhere or self.url}/repos/{REPOSITORY}/issues/7/comments?per_page={size}&page={page + 1}>; rel="next"'
        return 200, {"Link": link} if more else {}, known[size * (page - 1) : size * page]

    def _one(self, method: str, number: int, body: Any) -> tuple[int, dict[str, str], Any]:
        if method == "DELETE":
            del self.comments[number]
            return 204, {}, None
        self.comments[number]["body"] = body["body"]
        return 200, {}, self.comments[number]


@contextmanager
def serving() -> Iterator[Stub]:
    """A stub that answers until the end of the block."""
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            assert self.headers["Authorization"] == f"Bearer {TOKEN}"
            stub.requests.append((self.command, self.path))
            status, headers, content = stub.answer(self.command, self.path, body)
            raw = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = do_DELETE = _do

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
