"""Lines and offsets of the values in a TOML text, for messages; also the depth of its keys before parsing."""

from __future__ import annotations

import re

from msgspec import Struct, field

from bgce_migrate.registry.references import KeyPath

_TOKEN = re.compile(
    r'(?P<long>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5})'
    r'|(?P<text>"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<comment>#[^\n]*)"
    r"|(?P<newline>\r?\n)"
    r"|(?P<space>[ \t]+)"
    r"|(?P<bare>[A-Za-z0-9_+:-]+)"
    r"|(?P<mark>.)",
    re.DOTALL,
)


class _Token(Struct):
    kind: str
    text: str
    line: int
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Positions(Struct):
    """Where each key path starts (line from 1) and the span of its value in the text."""

    lines: dict[KeyPath, int] = field(default_factory=dict)
    spans: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    deepest: int = 0

    def line(self, path: KeyPath) -> int | None:
        """The line of `path`, or of the nearest key above it that is known."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


def positions(text: str) -> Positions:
    """Scan a TOML text. Total: on text that is no TOML the answer is merely incomplete."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.found = Positions()
        self.counts: dict[KeyPath, int] = {}

    def run(self) -> Positions:
        table: KeyPath = ()
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "newline":
                self.at += 1
            elif token.text == "[":
                table = self._header()
            else:
                self._pair(table, 1)
                self._rest_of_line()
        return self.found

    def _peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _header(self) -> KeyPath:
        line = self.tokens[self.at].line
        self.at += 1
        array = (token := self._peek()) is not None and token.text == "["
        self.at += array
        parts = self._key()
        self._rest_of_line()
        path: KeyPath = ()
        for i, part in enumerate(parts):
            path = (*path, part)
            self.found.lines.setdefault(path, line)
            if array and i == len(parts) - 1:
                index = self.counts.get(path, 0)
                self.counts[path] = index + 1
                path = (*path, index)
            elif path in self.counts:
                path = (*path, self.counts[path] - 1)
        self.found.lines.setdefault(path, line)
        self._depth(len(path))
        return path

    def _rest_of_line(self) -> None:
        while (token := self._peek()) is not None and token.kind != "newline":
            self.at += 1

    def _key(self) -> list[str]:
        parts: list[str] = []
        while (token := self._peek()) is not None and token.kind in ("bare", "text"):
            parts.append(token.text[1:-1] if token.kind == "text" else token.text)
            self.at += 1
            if len(parts) > 64:
                break
            if (dot := self._peek()) is None or dot.text != ".":
                break
            self.at += 1
        self._depth(len(parts))
        return parts

    def _pair(self, parent: KeyPath, depth: int) -> None:
        start = self._peek()
        parts = self._key()
        if start is None or not parts or (token := self._peek()) is None or token.text != "=":
            if start is not None and not parts:
                self.at += 1
            return
        self.at += 1
        path: KeyPath = (*parent, *parts)
        for i in range(len(parent) + 1, len(path) + 1):
            self.found.lines.setdefault(path[:i], start.line)
        self._depth(len(path))
        self._value(path, depth)

    def _value(self, path: KeyPath, depth: int) -> None:
        self._blank()
        token = self._peek()
        if token is None or token.kind == "newline":
            return
        self._depth(depth)
        first = token.start
        self.found.lines.setdefault(path, token.line)
        if token.text in ("[", "{") and depth <= 64:
            self._inside(path, token.text, depth)
        else:
            while (token := self._peek()) and token.kind != "newline" and token.text not in (",", "]", "}"):
                self.at += 1
        if self.at:
            self.found.spans[path] = (first, self.tokens[self.at - 1].end)

    def _inside(self, path: KeyPath, opening: str, depth: int) -> None:
        closing = "]" if opening == "[" else "}"
        self.at += 1
        index = 0
        while (token := self._peek()) is not None:
            if token.text == closing:
                self.at += 1
                return
            before = self.at
            if token.kind == "newline" or token.text == ",":
                self.at += 1
            elif opening == "[":
                self._value((*path, index), depth + 1)
                index += 1
            else:
                self._pair(path, depth + 1)
            self.at = max(self.at, before + 1)

    def _blank(self) -> None:
        while (token := self._peek()) is not None and token.kind == "space":
            self.at += 1

    def _depth(self, depth: int) -> None:
        self.found.deepest = max(self.found.deepest, depth)


def _tokens(text: str) -> list[_Token]:
    out: list[_Token] = []
    line = 1
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "mark"
        part = found.group()
        if kind not in ("space", "comment"):
            out.append(_Token("text" if kind == "long" else kind, part, line, found.start()))
        line += part.count("\n")
    return out
