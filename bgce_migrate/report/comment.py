"""The page a reviewer reads: verdict, table by domain, findings, order, SQL; cut to what a place takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from bgce_migrate.migration import Severity
from bgce_migrate.report.comment_markdown import code, fenced, folded, table, text

_MARKS = {Severity.ERROR: "🔴", Severity.WARNING: "🟡", Severity.NOTE: "⚪"}
#: More rows than these are counted: a page is read by people.
_MOST_FINDINGS = 200
_MOST_NAMES = 12
#: What GitHub draws of a diagram, in characters.
_LONGEST_DIAGRAM = 20_000


class Remark(Struct, frozen=True):
    """A finding as the page tells it; `file` is said from the repository's root."""

    severity: Severity
    rule: str
    message: str
    file: str = ""
    hint: str = ""
    domain: str = ""
    fixable: bool = False
    line: int | None = None
    column: int | None = None

    @property
    def place(self) -> str:
        """file:line:column, as far as they are known."""
        return ":".join(str(p) for p in (self.file, self.line, self.column) if p not in ("", None))


class Change(Struct, frozen=True):
    """What a proposal does to one domain. The names are of objects, sorted."""

    domain: str
    files: int = 0
    statements: int = 0
    created: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


class StepLine(Struct, frozen=True):
    """A step that would run or has run."""

    migration: str
    what: str
    duration_ms: float | None = None
    remark: str = ""


class Page(Struct, frozen=True):
    """Everything there is to say of one run of the Action.

    Attributes:
        heading: one line, e.g. `bgce-migrate lint`.
        verdict: what came out, in one sentence.
        failure: message and hint of what stopped it.
        remarks: the findings, worst first.
        diagram: a Mermaid flowchart, line by line.
        sql: (file, text) of what is new.
        facts: (name, value), shown below the verdict.
    """

    heading: str
    verdict: str
    good: bool = True
    failure: tuple[str, str] | None = None
    remarks: tuple[Remark, ...] = ()
    changes: tuple[Change, ...] = ()
    steps: tuple[StepLine, ...] = ()
    diagram: tuple[str, ...] = ()
    sql: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default=())


def render(page: Page, limit: int, *, head: str = "") -> str:
    """The page in GitHub's Markdown, of at most `limit` bytes.

    What matters most stands first; parts that do not fit any more are left out and counted.

    Args:
        head: a line that is put before everything, as it is.
    """
    parts = [*([head] if head else []), f"## {'✅' if page.good else '❌'} {text(page.heading)}", f"**{text(page.verdict)}**"]
    if page.failure is not None:
        message, hint = page.failure
        parts.append(text(message, 2000) + (f"\n\n→ {text(hint, 2000)}" if hint else ""))
    if page.facts:
        parts.append(" · ".join(f"{text(name)} {code(value)}" for name, value in page.facts))
    room = limit - sum(_size(p) for p in parts) - 200
    left_out = 0
    for part in _parts(page):
        if _size(part) <= room:
            parts.append(part)
            room -= _size(part)
        else:
            left_out += 1
    if left_out:
        parts.append(f"_{left_out} more {'part does' if left_out == 1 else 'parts do'} not fit here; the report has everything._")
    return _cut("\n\n".join(parts), limit)


def _parts(page: Page) -> Iterable[str]:
    if page.changes:
        yield _changes(page)
    yield from _remarks(page.remarks)
    if page.steps:
        yield _steps(page.steps)
    hints = _fixes(page.remarks)
    if hints:
        yield hints
    diagram = "\n".join(page.diagram)
    if page.diagram and len(diagram) <= _LONGEST_DIAGRAM:
        yield folded("Order of the changed domains", fenced(diagram, "mermaid"))
    for file, sql in page.sql:
        yield folded(code(file), fenced(sql, "sql"))


def _changes(page: Page) -> str:
    rows = []
    for change in page.changes:
        found = [r.severity for r in page.remarks if r.domain == change.domain]
        counted = " ".join(f"{mark} {found.count(s)}" for s, mark in _MARKS.items() if s in found)
        names = (_names(change.created), _names(change.altered), _names(change.dropped))
        rows.append([code(change.domain), str(change.files), str(change.statements), *names, counted or "–"])
    return table(["domain", "files", "statements", "created", "altered", "dropped", "findings"], rows)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return (", ".join(map(code, names[:_MOST_NAMES])) + more) or "–"


def _remarks(remarks: Sequence[Remark]) -> Iterable[str]:
    """In tables of a handful, so that a page that is cut keeps the worst."""
    shown = remarks[:_MOST_FINDINGS]
    for first in range(0, len(shown), 20):
        rows = [[_MARKS[r.severity], code(r.place), text(r.message), code(r.rule)] for r in shown[first : first + 20]]
        yield table(["", "where", "finding", "rule"], rows)
    if len(remarks) > len(shown):
        yield f"… and {len(remarks) - len(shown)} more."


def _fixes(remarks: Sequence[Remark]) -> str:
    lines = [
        f"- {code(r.place)} {text(r.hint)}" + (" (certain: `bgce-migrate lint --fix`)" if r.fixable else "")
        for r in remarks[:_MOST_FINDINGS]
        if r.hint
    ]
    return folded("Suggested fixes", "\n".join(dict.fromkeys(lines))) if lines else ""


def _steps(steps: Sequence[StepLine]) -> str:
    rows = [
        [
            str(number), code(step.migration), text(step.what),
            f"{step.duration_ms:.0f}" if step.duration_ms is not None else "", text(step.remark),
        ]
        for number, step in enumerate(steps[:_MOST_FINDINGS], 1)
    ]  # fmt: skip
    shown = table(["#", "migration", "", "ms", ""], rows)
    return shown + (f"\n\n… and {len(steps) - _MOST_FINDINGS} more." if len(steps) > _MOST_FINDINGS else "")


def _size(part: str) -> int:
    return len(part.encode("utf-8", "backslashreplace")) + 2


def _cut(whole: str, limit: int) -> str:
    """The hard end: only a page whose first lines alone are too long gets here longer than `limit`."""
    raw = whole.encode("utf-8", "backslashreplace")
    return whole if len(raw) <= limit else raw[:limit].decode("utf-8", "ignore")
