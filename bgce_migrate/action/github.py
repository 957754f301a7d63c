"""GitHub's REST interface, as much of it as one comment needs: paging, limits, bounded retries."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from email.message import Message
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from msgspec import Struct

from bgce_migrate import __version__

_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?')
_LARGEST = 16 << 20
_ATTEMPTS = 4
#: Seconds: for one answer, and for all waiting of one request.
_TIMEOUT = 15.0
_PATIENCE = 30.0
_PAGES = 50


class GitHubFault(Exception):
    """A request that was not answered as hoped. `status` is 0 where nobody answered."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}" if status else message)
        self.status = status


class _Reply(Struct, frozen=True):
    status: int
    headers: Message[str, str]
    content: bytes


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the token to another place."""

    def redirect_request(self, *_: Any) -> None:
        return None


class GitHub:
    """One repository, with a token.

    Args:
        api_url: as the runner says it in GITHUB_API_URL; GitHub Enterprise has its own.
        repository: `owner/name`.
    """

    def __init__(self, api_url: str, repository: str, token: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._root = api_url.rstrip("/")
        self._place = f"{self._root}/repos/{repository}"
        self._token = token
        self._sleep = sleep
        self._opener = build_opener(_NoRedirects())

    def get(self, path: str) -> Any:
        """One document; `path` begins with `/`, below the root of the interface."""
        return self._ask("GET", self._root + path)[0]

    def pages(self, path: str) -> Iterator[Any]:
        """All entries of a list of this repository, page by page."""
        url: str | None = f"{self._place}{path}?per_page=100"
        for _ in range(_PAGES):
            if url is None:
                return
            content, headers = self._ask("GET", url)
            if not isinstance(content, list):
                raise GitHubFault(0, "a list was expected, something else came")
            yield from content
            url = self._next(headers)

    def post(self, path: str, body: object) -> Any:
        """Make something. After a failure that leaves open whether it was made this is not tried again."""
        return self._ask("POST", self._place + path, body)[0]

    def patch(self, path: str, body: object) -> Any:
        """Change something."""
        return self._ask("PATCH", self._place + path, body)[0]

    def delete(self, path: str) -> None:
        """Remove something; what is gone already is as good as removed."""
        try:
            self._ask("DELETE", self._place + path)
        except GitHubFault as fault:
            if fault.status not in (404, 410):
                raise

    def _next(self, headers: Message[str, str]) -> str | None:
        found = _NEXT.search(headers.get("Link", ""))
        # The token goes nowhere but to the host it was given for.
        return found[1] if found and urlsplit(found[1])[:2] == urlsplit(self._root)[:2] else None

    def _ask(self, method: str, url: str, body: object = None) -> tuple[Any, Message[str, str]]:
        patience = _PATIENCE
        for attempt in range(1, _ATTEMPTS + 1):
            fault: GitHubFault
            wait: float | None = 0.25 * 2**attempt
            try:
                reply = self._send(method, url, body)
            except (OSError, HTTPException) as error:
                reason = error.reason if isinstance(error, URLError) else error
                fault = GitHubFault(0, f"no answer: {reason}")
            else:
                if 200 <= reply.status < 300:
                    return _content(reply), reply.headers
                fault = GitHubFault(reply.status, _message(reply))
                wait = _wait_of(reply, wait)
            unsure = fault.status == 0 or fault.status >= 500
            if wait is None or attempt == _ATTEMPTS or wait > patience or (method == "POST" and unsure):
                raise fault
            patience -= wait
            self._sleep(wait)
        raise AssertionError("unreachable")

    def _send(self, method: str, url: str, body: object) -> _Reply:
        data = json.dumps(body).encode() if body is not None else None
        request = Request(url, data, method=method)
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        request.add_header("User-Agent", f"bgce-migrate/{__version__}")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                return _Reply(answer.status, answer.headers, answer.read(_LARGEST))
        except HTTPError as error:
            with error:
                return _Reply(error.code, error.headers, error.read(_LARGEST))


def _wait_of(reply: _Reply, usual: float | None) -> float | None:
    """Seconds until another try makes sense; None where it never does."""
    limited = reply.status == 429 or (
        reply.status == 403 and ("Retry-After" in reply.headers or reply.headers.get("X-RateLimit-Remaining") == "0")
    )
    if not limited and reply.status < 500:
        return None
    try:
        return max(0.0, float(reply.headers.get("Retry-After", "")))
    except ValueError:
        pass
    try:
        return max(0.0, float(reply.headers.get("X-RateLimit-Reset", "")) - time.time()) if limited else usual
    except ValueError:
        return usual


def _content(reply: _Reply) -> Any:
    if not reply.content:
        return None
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError):
        raise GitHubFault(0, "the answer is no JSON") from None


def _message(reply: _Reply) -> str:
    try:
        said = json.loads(reply.content)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = ""
    return str(said)[:300]
