"""Edits that findings carry, applied to a text; and the edits that several rules make."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bgce_migrate.lint.facts.fact import Fact
from bgce_migrate.migration import Edit, Finding


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made; of edits that overlap the first (by offset) is made."""
    pieces: list[str] = []
    at = 0
    for edit in sorted(dict.fromkeys(edits), key=lambda e: (e.offset, e.length)):
        if edit.offset < at:
            continue
        pieces += (text[at : edit.offset], edit.text)
        at = edit.offset + edit.length
    return "".join(pieces) + text[at:]


def fixed(text: str, findings: Iterable[Finding]) -> tuple[str, tuple[Finding, ...]]:
    """The text with every fix that does not clash with an earlier one, and the findings that were mended."""
    taken: list[tuple[int, int]] = []
    done: list[Finding] = []
    edits: list[Edit] = []
    for finding in findings:
        spans = [(e.offset, e.offset + e.length) for e in finding.fix if e not in edits]
        if not finding.fix or any(a <= stop and start <= b for a, b in spans for start, stop in taken):
            continue
        taken += spans
        edits += [e for e in finding.fix if e not in edits]
        done.append(finding)
    return apply_edits(text, edits), tuple(done)


def replace_words(text: str, fact: Fact, pattern: str, by: str) -> tuple[Edit, ...]:
    """Replace the first match of a pattern inside a fact's statement; nothing if it is not there.

    Args:
        pattern: a regular expression, matched without regard to case; blanks in it match any blanks.
        by: its replacement; `\\1` and the like are expanded.
    """
    start = fact.at.offset
    found = re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE).search(
        _words(text[start : start + fact.at.length])
    )
    if found is None:
        return ()
    return (Edit(start + found.start(), found.end() - found.start(), found.expand(by)),)


def _words(text: str) -> str:
    """The text with comments, strings and quoted names blanked, so that only SQL's words can match."""
    from bgce_migrate.sqlparse import scan

    pieces: list[str] = []
    at = 0
    for token in scan(text):
        pieces.append(text[at : token.offset])
        at = token.offset + len(token.text)
        plain = not token.comment and token.text[0] not in "'\"$" and "'" not in token.text
        pieces.append(token.text if plain else "\N{REPLACEMENT CHARACTER}" * len(token.text))
    return "".join(pieces) + text[at:]


def at_token(text: str, offset: int, pattern: str, by: str) -> tuple[Edit, ...]:
    """Replace what a pattern matches right at an offset."""
    found = re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE).match(text, offset)
    return (Edit(found.start(), found.end() - found.start(), found.expand(by)),) if found else ()


NO_TRANSACTION = "-- bgce: no-transaction\n"


def parts_of(text: str) -> list[tuple[int, int]]:
    """The comma-separated sub-commands of one ALTER statement as (start, end) in `text`."""
    from bgce_migrate.sqlparse import scan

    tokens = [token for token in scan(text) if not token.comment]
    depth, start = 0, 0
    found: list[tuple[int, int]] = []
    last = 0
    for token in tokens:
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
        elif token.text == "," and depth == 0:
            found.append((start, last))
            start = -1
            continue
        if start < 0:
            start = token.offset
        last = token.offset + len(token.text)
    found.append((start, last))
    return found
