"""Texts that PostgreSQL deparses, made the same where a dump and its restore change only how they are said."""

from __future__ import annotations

import re

_START = "(ARRAY["
_CAST = re.compile(r"\]\)::((?:[\w. ]|\"[^\"]*\")+(?:\(\d+(?:,-?\d+)?\))?)\[\]")


def canonical(text: str) -> str:
    """`(ARRAY[a, b])::t[]` as `ARRAY[(a)::t, (b)::t]`, which is what the server makes of it when it reads it again.

    So `status IN ('a', 'b')` on a varchar column is the same before and after a dump; elsewhere nothing changes.
    """
    if "])::" not in text:
        return text
    at = text.find(_START)
    while at >= 0:
        end, elements = _elements(text, at + len(_START))
        cast = _CAST.match(text, end) if elements else None
        if cast:
            inside = ", ".join(f"({element})::{cast[1]}" for element in elements)
            text = f"{text[:at]}ARRAY[{inside}]{text[cast.end() :]}"
        at = text.find(_START, at + 1)
    return text


def _elements(text: str, start: int) -> tuple[int, list[str]]:
    """Where the array that begins at `start` is closed, and its elements; none if it is not closed."""
    depth, begin, at = 0, start, start
    elements: list[str] = []
    while at < len(text):
        c = text[at]
        if c in "'\"":
            # A doubled quote ends one and begins the next: the same for us.
            at = text.find(c, at + 1)
            if at < 0:
                break
        elif c in "([":
            depth += 1
        elif c == "]" and depth == 0:
            return at, [*elements, text[begin:at]]
        elif c in ")]":
            depth -= 1
        elif c == "," and depth == 0:
            elements.append(text[begin:at])
            begin = at + 2
        at += 1
    return at, []
