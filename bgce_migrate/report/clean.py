"""What may be printed: no control characters, no reordering of text, no password that this process was given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

#: Everything that moves the cursor, changes colours, reorders text or cannot be seen; line feed and tab stay.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_PASSWORD_IN_URL = re.compile(r"(?P<head>\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*):(?P<password>[^\s@]*)@")
_PASSWORD_WORD = re.compile(
    r"(?P<head>\b(?:ssl)?password\s*=\s*)(?P<value>'(?:\\.|[^\\'])*'|[^\s'&]+)", re.IGNORECASE
)

#: Shorter ones are too likely to be part of an innocent word; none of our texts quotes them anyway.
SHORTEST_SECRET = 6
HIDDEN = "***"


class Secrets:
    """The passwords this process was given, so that no output can carry them, whoever wrote it."""

    def __init__(self) -> None:
        self._known: list[str] = []

    def add(self, secret: str | None, *, public: Iterable[str] = ()) -> None:
        """Hide a password from now on.

        Args:
            public: words that may be shown (user, host, database): a password equal to one is not masked.
        """
        if not secret or secret in public:
            return
        for form in (secret, quote(secret, safe=""), unquote(secret)):
            if len(form) >= SHORTEST_SECRET and form not in self._known:
                self._known.append(form)
        self._known.sort(key=len, reverse=True)

    def add_conninfo(self, conninfo: str | None) -> None:
        """Hide the password inside a URL or a string of keywords."""
        if not conninfo:
            return
        text = conninfo.strip()
        if "://" in text:
            rest = text.split("://", 1)[1]
            user, _, password = rest.rpartition("@")[0].partition(":")
            public = (user, *re.split(r"[:/?@]", rest.rpartition("@")[2])[:3])
            self.add(password, public=public)
        for found in _PASSWORD_WORD.finditer(text.replace("&", " ")):
            self.add(re.sub(r"\\(.)", r"\1", found["value"].strip("'")))

    def mask(self, text: str) -> str:
        """`text` with every known password, and every password in a URL, replaced by `***`."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return _PASSWORD_IN_URL.sub(rf"\g<head>:{HIDDEN}@", text)


def clean(text: str) -> str:
    """`text` with what a terminal would obey, and what a reader would not see, written out."""
    return _UNSAFE.sub(_written_out, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """`text` cleaned and on one line."""
    return " ".join(clean(text).split())


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
