"""The one comment of a pull request: found by its hidden marker, rewritten, removed when nothing is left to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from bgce_migrate.action.github import GitHub, GitHubFault

#: GitHub refuses a longer body with 422; counted in bytes here, which are never fewer than its characters.
COMMENT_LIMIT = 65_536
_TRIES = 3


class Discussion(Struct, frozen=True):
    """A pull request, as far as our comment is concerned.

    Attributes:
        marker: what every body of ours begins with.
    """

    github: GitHub
    number: int
    marker: str

    def write(self, body: Callable[[int], str]) -> str:
        """Make or rewrite the comment.

        Args:
            body: the text for a limit in bytes.

        Returns:
            The comment's address.

        Raises:
            GitHubFault: it could not be done.
        """
        text = body(COMMENT_LIMIT)
        try:
            return self._write(text)
        except GitHubFault as fault:
            if fault.status != 422:
                raise
            # Another count of characters than ours.
            return self._write(body(COMMENT_LIMIT // 2))

    def remove(self) -> int:
        """Remove the comment; how many there were."""
        found = self._ours()
        for comment in found:
            self.github.delete(f"/issues/comments/{comment['id']}")
        return len(found)

    def _write(self, text: str) -> str:
        for attempt in range(1, _TRIES + 1):
            found = self._ours()
            first = found[0] if found else None
            for other in found[1:]:
                # Two jobs that ran at once have both made one.
                self.github.delete(f"/issues/comments/{other['id']}")
            try:
                if first is None:
                    return _address(self.github.post(f"/issues/{self.number}/comments", {"body": text}))
                if first.get("body") == text:
                    return _address(first)
                return _address(self.github.patch(f"/issues/comments/{first['id']}", {"body": text}))
            except GitHubFault as fault:
                # It may have been made all the same, or taken away under our hands: look again.
                again = (first is None and (fault.status == 0 or fault.status >= 500)) or fault.status in (404, 410)
                if not again or attempt == _TRIES or (first is None and fault.status in (404, 410)):
                    raise
        raise AssertionError("unreachable")

    def _ours(self) -> list[dict[str, Any]]:
        """Comments that begin with the marker and that this token's owner wrote: anybody can copy a marker."""
        marked = [
            comment
            for comment in self.github.pages(f"/issues/{self.number}/comments")
            if isinstance(comment, dict) and str(comment.get("body", "")).startswith(self.marker)
        ]
        if not marked:
            return []
        bots = [c for c in marked if _author(c, "type") == "Bot"]
        try:
            me = self.github.get("/user")
        except GitHubFault as fault:
            if fault.status not in (401, 403, 404):
                raise
            return bots  # a job's own token is nobody's: it writes as a bot
        login = me.get("login") if isinstance(me, dict) else None
        return [c for c in marked if login is not None and _author(c, "login") == login]


def _author(comment: dict[str, Any], what: str) -> object:
    user = comment.get("user")
    return user.get(what) if isinstance(user, dict) else None


def _address(comment: Any) -> str:
    found = comment.get("html_url") if isinstance(comment, dict) else None
    return found if isinstance(found, str) else ""
