"""The state while a file's facts are collected: positions, the statement at hand, what was found."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from bgce_migrate.lint.facts.fact import Fact
from bgce_migrate.lint.facts.values import Place, Ref
from bgce_migrate.sqlparse import Parsed, Positions, Spans

_OPEN, _CLOSE, _COMMA = (ord(c) for c in "(),")


class Reader:
    """Collects facts; the readers of single statements call its methods.

    Attributes:
        statement: index of the statement.
        shift: for SQL of a body: bytes to add to its own positions to get the file's; None if unknown.
        line: the line to use where a position is not known.
    """

    __slots__ = (
        "_parts",
        "column",
        "facts",
        "guarded",
        "inside",
        "length",
        "line",
        "offset",
        "part",
        "parts",
        "positions",
        "shift",
        "start",
        "statement",
        "stop",
        "tokens",
    )

    def __init__(self, positions: Positions, tokens: Spans) -> None:
        self.positions = positions
        self.tokens = tokens
        self.facts: list[Fact] = []
        self.statement = self.offset = self.length = self.start = self.stop = 0
        self.shift: int | None = 0
        self.line = self.column = 1
        self.inside = ""
        self.guarded = False
        self.part, self.parts = 0, 1
        self._parts: list[int] | None = None

    def begin(self, index: int, found: Parsed) -> None:
        """Start a top-level statement."""
        self.statement, self.offset, self.length = index, found.offset, found.length
        self.start = found.start
        self.stop = found.start + len(
            self.positions.text[found.offset : found.offset + found.length].encode()
        )
        self.line, self.column = self.positions.line_column(found.start)
        self.shift, self.inside, self.guarded = 0, "", False
        self.part, self.parts, self._parts = 0, 1, None

    def add(self, fact: Fact) -> None:
        """Keep a fact."""
        self.facts.append(fact)

    def char(self, location: int) -> int:
        """Characters of the file before a byte position; 0 if it is not known."""
        return 0 if self.shift is None or location < 0 else self.positions.char(location + self.shift)

    def line_at(self, location: int) -> int:
        """The line of a byte position."""
        return (
            self.positions.line(location + self.shift)
            if self.shift is not None and location >= 0
            else self.line
        )

    def place(self, location: int = -1, word: str = "") -> Place:
        """The place of a fact.

        Args:
            location: the byte position of its best token; negative if unknown.
            word: the token to look for in the sub-command where the position is unknown.
        """
        line, column, end = self.line, self.column, self.column
        if location >= 0 and self.shift is not None and self.inside:
            line, column = self.positions.line_column(location + self.shift)
            end = column + 1
        elif not self.inside:
            if location < 0:
                location = self._find(word)
            at = bisect_right(self.tokens, location) - 1
            stop = self.tokens[at + 1] if at % 2 == 0 and at + 1 < len(self.tokens) else location + 1
            line, column = self.positions.line_column(location)
            end = column + max(
                1, len(self.positions.raw[location:stop].decode(errors="replace").split("\n")[0])
            )
        return Place(
            self.statement,
            line,
            column,
            end,
            self.offset,
            self.length,
            self.inside,
            self.guarded,
            self.part,
            self.parts,
        )

    def _find(self, word: str) -> int:
        """Where the sub-command starts, or its first token that is `word`."""
        starts = self._part_starts()
        begin = starts[min(self.part, len(starts) - 1)]
        if not word:
            return begin
        wanted = (word.encode(), b'"' + word.replace('"', '""').encode() + b'"')
        raw, tokens = self.positions.raw, self.tokens
        stop = starts[self.part + 1] if self.part + 1 < len(starts) else self.stop
        at = bisect_right(tokens, begin) - 1
        at -= at % 2
        while at < len(tokens) and tokens[at] < stop:
            text = raw[tokens[at] : tokens[at + 1]]
            if text == wanted[1] or text.lower() == wanted[0]:
                return tokens[at]
            at += 2
        return begin

    def _part_starts(self) -> list[int]:
        """The byte positions where the statement and its sub-commands after the first start."""
        if self._parts is None:
            self._parts = [self.start]
            if self.parts > 1:
                self._parts += self._commas()
        return self._parts

    def _commas(self) -> Iterable[int]:
        raw, tokens, depth, after = self.positions.raw, self.tokens, 0, False
        at = bisect_right(tokens, self.start) - 1
        at -= at % 2
        while at < len(tokens) and tokens[at] < self.stop:
            first = raw[tokens[at]]
            if after:
                yield tokens[at]
                after = False
            if first == _OPEN:
                depth += 1
            elif first == _CLOSE:
                depth -= 1
            elif first == _COMMA and depth == 0:
                after = True
            at += 2


def strings(nodes: Sequence[Any]) -> list[str]:
    """The texts of String nodes."""
    # A slice is a list at once; a walk over what protobuf repeats ends with an error that it has to make.
    return [node.string.sval for node in nodes[:]]


def reference(names: list[str]) -> Ref:
    """Schema and name of a dotted name; a database before them is ignored."""
    return (names[-2] if len(names) > 1 else None, names[-1])


def relation(range_var: Any) -> Ref:
    """Schema and name of a RangeVar."""
    return (range_var.schemaname or None, range_var.relname)


def definition(command: Any) -> Any:
    """The field `def`, a word that Python keeps for itself."""
    return getattr(command, "def")


def options(nodes: Iterable[Any]) -> dict[str, Any]:
    """DefElem nodes by name."""
    return {(option := node.def_elem).defname: option for node in nodes}


_OFF = frozenset({"false", "off", "0", "no"})


def is_on(option: Any) -> bool:
    """A boolean option: named alone it is on."""
    if option is None:
        return False
    which = option.arg.WhichOneof("node")
    if which == "string":
        return option.arg.string.sval.lower() not in _OFF
    if which == "type_name":  # `off` without quotes is read as a type
        return option.arg.type_name.names[-1].string.sval.lower() not in _OFF
    if which == "boolean":
        return bool(option.arg.boolean.boolval)
    if which == "integer":
        return bool(option.arg.integer.ival)
    return True
