"""Text of others inside GitHub's Markdown: shown as it is, never obeyed."""

from __future__ import annotations

import re

from bgce_migrate.report.clean import clean, one_line

_MARKUP = re.compile(r"([\\`*_\[\]<>&|~$!{}()+^=])")
_BACKTICKS = re.compile(r"`+")
_PLAIN = re.compile(r"[^A-Za-z0-9 /,\-\u0080-\U0010ffff]")
#: Longer words of others are cut: nobody reads them in a table.
LONGEST = 600


def text(said: str, longest: int = LONGEST) -> str:
    """Prose on one line: no markup, no mention of a person, no reference to an issue, no link."""
    short = _short(one_line(said), longest)
    escaped = _MARKUP.sub(r"\\\1", short)
    # A comment in between keeps GitHub from finding names, numbers and addresses.
    return escaped.replace("@", "@<!-- -->").replace("#", "#<!-- -->").replace("://", ":<!-- -->//")


def code(said: str, longest: int = 200) -> str:
    """A name or a place, in letters of one width."""
    short = _short(one_line(said), longest)
    return f"<code>{_PLAIN.sub(lambda found: f'&#{ord(found[0])};', short)}</code>" if short else ""


def fenced(said: str, language: str = "") -> str:
    """A block of code that nothing inside can end."""
    shown = clean(said).rstrip("\n")
    runs = _BACKTICKS.findall(shown)
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    return f"{fence}{language}\n{shown}\n{fence}"


def folded(title: str, content: str) -> str:
    """A part that opens on a click; `title` is markup already."""
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Cells are markup already, each on one line."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _short(said: str, longest: int) -> str:
    return said if len(said) <= longest else said[: longest - 1] + "…"
