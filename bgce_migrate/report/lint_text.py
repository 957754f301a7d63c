"""Findings for people: the source line with a caret; and in gcc's form, one line each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bgce_migrate.migration import Finding, Severity
from bgce_migrate.report.clean import clean, one_line
from bgce_migrate.report.output import Output

#: ANSI styles; used on a terminal only.
_STYLES = {Severity.ERROR: "1;31", Severity.WARNING: "33", Severity.NOTE: "36"}
_DIM, _BOLD = "2", "1"
_WIDEST = 160
#: Its lines are not shown: what is printed is kept by whoever runs this.
_SECRET = "secret-in-sql"


def inert(text: str) -> str:
    """One line that is no command of a CI system's log, wherever it ends up."""
    line = one_line(text).replace("##[", "##\\[")
    return f"\\{line}" if line.startswith("::") else line


def place(finding: Finding) -> str:
    """`file:line:column`, as far as known."""
    where = finding.where
    return inert(str(where)) if where is not None else ""


def print_terminal(
    out: Output, findings: Sequence[Finding], sources: Mapping[str, str], *, summary: str, hint: str = ""
) -> None:
    """File by file; within a file in the order given."""
    colour = out.result_is_terminal and not os.environ.get("NO_COLOR")
    lines: dict[str, list[str]] = {}
    text: list[str] = []
    secret = {(f.where.file, f.where.line) for f in findings if f.rule == _SECRET and f.where is not None}
    for finding in findings:
        file = finding.where.file if finding.where is not None else ""
        if file in sources and file not in lines:
            lines[file] = sources[file].split("\n")
        at = (file, finding.where.line if finding.where is not None else None)
        text += _one(finding, () if at in secret else lines.get(file, ()), colour)
    text.append(_painted(summary, _BOLD, colour))
    if hint:
        text.append(hint)
    out.painted("\n".join(text))


def _one(finding: Finding, lines: Sequence[str], colour: bool) -> Iterator[str]:
    level = _painted(finding.severity.value, _STYLES[finding.severity], colour)
    at = _painted(place(finding), _BOLD, colour)
    rule = _painted(f"[{inert(finding.rule)}]", _DIM, colour)
    yield f"{at}: {level}: {inert(finding.message)} {rule}" if at else f"{level}: {inert(finding.message)} {rule}"
    yield from _source(finding, lines, colour)
    if finding.hint:
        yield f"  hint: {inert(finding.hint)}"


def _source(finding: Finding, lines: Sequence[str], colour: bool) -> Iterator[str]:
    where = finding.where
    if where is None or where.line is None or not 0 < where.line <= len(lines):
        return
    raw = lines[where.line - 1].replace("\t", " ")
    column = where.column or len(raw) - len(raw.lstrip()) + 1
    start = max(0, column - _WIDEST // 2) if len(raw) > _WIDEST else 0
    shown = raw[start : start + _WIDEST]
    number = str(where.line)
    # What is written out is wider than it was: the caret goes below what is printed.
    indent = len(_kept(raw[start : column - 1]))
    yield f"  {_painted(number + ' |', _DIM, colour)} {_kept(shown)}"
    width = max(1, min(finding.span or 1, len(shown) - (column - 1 - start)))
    caret = _painted("^" * width, _STYLES[finding.severity], colour)
    yield f"  {_painted(' ' * len(number) + ' |', _DIM, colour)} {' ' * indent}{caret}"


def _kept(text: str) -> str:
    """A source line with its blanks, and without what a terminal would obey."""
    return clean(text).replace("\n", " ")


def _painted(text: str, style: str, colour: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if colour and text else text


def print_gcc(out: Output, findings: Sequence[Finding]) -> None:
    """`file:line:column: error: message [rule]`, as compilers say it and editors read it."""
    text = []
    for finding in findings:
        where = finding.where
        level = finding.severity.value
        at = f"{inert(where.file)}:{where.line or 1}:{where.column or 1}: " if where is not None else ""
        text.append(f"{at}{level}: {inert(finding.message)} [{inert(finding.rule)}]")
    if text:
        out.line("\n".join(text))


def summary_of(findings: Sequence[Finding], judged: int, migrations: int) -> str:
    """How many of each severity, and how many migrations were judged."""
    counted = Counter(finding.severity for finding in findings)
    words = [f"{counted[s]} {s.value}{'' if counted[s] == 1 else 's'}" for s in Severity if counted[s]]
    found = ", ".join(words) if words else "nothing to say"
    return f"{found}; {judged} of {migrations} migrations judged"
