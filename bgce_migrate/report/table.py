"""Aligned columns: plain text where a program or a log reads, rich on a terminal."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TextIO
from unicodedata import east_asian_width

from msgspec import Struct


class Column(Struct, frozen=True):
    """A column's heading; `right` for numbers; `colours` by cell text, on a terminal."""

    heading: str
    right: bool = False
    colours: bool = False


#: Words of our vocabulary that deserve a colour.
COLOURS = {
    "applied": "green",
    "done": "green",
    "reverted": "green",
    "running": "green",
    "pending": "yellow",
    "not run": "yellow",
    "stopped": "yellow",
    "refused": "red",
    "failed": "red",
    "unknown": "bold red",
    "missing": "red",
    "edited": "red",
}


def plain(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """Two blanks between columns, no headings, no blanks at the end of a line."""
    # Thousands of rows are told apart by all their characters at once, and filled in by one template.
    if all("".join(row).isascii() for row in rows):
        lengths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        template = "  ".join(
            f"%{'' if column.right else '-'}{length}s" for column, length in zip(columns, lengths, strict=True)
        )
        return "\n".join([(template % tuple(row)).rstrip() for row in rows]) + "\n"
    widths = [max(_width(row[i]) for row in rows) for i in range(len(columns))]
    lines = []
    for row in rows:
        cells = [
            _pad(cell, width, right=column.right)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def on_terminal(columns: Sequence[Column], rows: Sequence[Sequence[str]], stream: TextIO) -> str:
    """The same with headings and colours, as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column.heading, justify="right" if column.right else "left", overflow="fold")
    for row in rows:
        # Text, not str: rich would read [words] in names as markup.
        table.add_row(
            *(
                Text(cell, style=COLOURS.get(cell, "") if column.colours else "")
                for cell, column in zip(row, columns, strict=True)
            )
        )
    drawn = io.StringIO()
    width = _columns(stream)
    console = Console(file=drawn, force_terminal=True, width=width, highlight=False, emoji=False)
    console.print(table)
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines()) + "\n"


def _columns(stream: TextIO) -> int:
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, 40)
    except (OSError, ValueError):
        return 100


def _pad(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if right else text + blanks


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
