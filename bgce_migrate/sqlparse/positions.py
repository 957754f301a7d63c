"""Bytes, characters, lines and columns of one text: the parser counts bytes, people count lines."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate


class Positions:
    """Translates byte positions in the UTF-8 form of `text`; lines and columns count from 1."""

    def __init__(self, text: str, raw: bytes | None = None) -> None:
        self.text = text
        self.raw = text.encode() if raw is None else raw
        self._same = len(self.raw) == len(text)
        # Where counting the characters of a line stopped last: texts are read from front to back.
        self._counted = (0, 0, 0)
        self._line_starts = [0, *accumulate([len(line) + 1 for line in self.raw.split(b"\n")])]
        self._line_starts.pop()
        self._char_starts: list[int] = []

    def char(self, position: int) -> int:
        """The characters before byte `position`."""
        if self._same:
            return position
        line = bisect_right(self._line_starts, position) - 1
        start = self._line_starts[line]
        if not self._char_starts:
            self._char_starts = [0, *accumulate([len(line) + 1 for line in self.text.split("\n")])]
        return self._char_starts[line] + self._chars(start, position)

    def _chars(self, start: int, position: int) -> int:
        """The characters between the start of a line and a byte in it."""
        if self._same:
            return position - start
        line_start, at, count = self._counted
        if line_start != start or at > position:
            at, count = start, 0
        count += len(self.raw[at:position].decode(errors="replace"))
        self._counted = (start, position, count)
        return count

    def line(self, position: int) -> int:
        """The line that byte `position` is on."""
        return bisect_right(self._line_starts, position)

    def line_column(self, position: int) -> tuple[int, int]:
        """Line and column (in characters) of byte `position`."""
        line = bisect_right(self._line_starts, position)
        start = self._line_starts[line - 1]
        return line, self._chars(start, position) + 1

    def line_column_of_char(self, offset: int) -> tuple[int, int]:
        """Line and column of the character at `offset`."""
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
