"""What may be printed: no control characters, no reordering of text, no password that this process was given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

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

    @property
    def known(self) -> tuple[str, ...]:
        """Every form of every password, for those who mask on our behalf."""
        return tuple(self._known)

    def mask(self, text: str) -> str:
        """`text` with every known password, and every password in a URL, replaced by `***`."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return _PASSWORD_IN_URL.sub(rf"\g<head>:{HIDDEN}@", text) if "://" in text else text


def clean(text: str) -> str:
    """`text` with what a terminal would obey, and what a reader would not see, written out.

    Line feeds and tabs stay; control characters, invisible and reordering ones, blanks other than the usual
    one and what is no character at all become `\\xNN` or `\\uNNNN`.
    """
    text = text.replace("\r\n", "\n")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _written_out(ord(c)) for c in text)


def one_line(text: str) -> str:
    """`text` cleaned and on one line."""
    return " ".join(clean(text).split())


def _written_out(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
