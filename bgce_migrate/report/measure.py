"""What was measured, for people, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bgce_migrate.report.comment_markdown import code, table, text
from bgce_migrate.report.listings import list_findings
from bgce_migrate.report.output import Output
from bgce_migrate.report.values import finding_value, migration_value

if TYPE_CHECKING:
    from bgce_migrate.measure.model import Block, Hit, Measured, MeasuredStep, Measurement, Object, TableName


def print_step(out: Output, step: MeasuredStep) -> None:
    """One migration, a line a statement that touches what was there, and who has to wait."""
    out.line(f"{step.id}")
    for statement in step.statements:
        said = _parts(statement, verbose=out.verbose)
        if said:
            out.line(f"  line {statement.line}: {statement.tag}: {'; '.join(said)}")
    for block in step.blocks:
        out.line(f"  {_blocked(block)}")
    if step.error:
        out.line(f"  does not run: {step.error}")


def print_summary(out: Output, measured: Measurement) -> None:
    """The findings, and on what all this rests."""
    list_findings(out, [hit.finding for hit in measured.findings])
    for note in measured.notes:
        out.note(note)
    count = sum(len(step.statements) for step in measured.steps)
    out.line(
        f"{len(measured.steps)} migrations with {count} statements measured on PostgreSQL {measured.server}; "
        + (f"times are estimates from {measured.sizes}" if measured.sizes else "sizes are not known: name a database or --stats FILE")
    )


def markdown(measured: Measurement) -> str:
    """The same for a pull request."""
    rows = []
    for step in measured.steps:
        for statement in step.statements:
            said = _parts(statement, verbose=False)
            if said:
                rows.append([code(f"{step.id.short}:{statement.line}"), code(statement.tag), text("; ".join(said))])
    parts = [table(["statement", "", "what it does"], rows)] if rows else []
    waits = [
        [code(str(b.table)), code(b.table.domain or "–"), text(b.mode), text(b.stops), _time(b), text(_services(b) or "–")]
        for step in measured.steps
        for b in step.blocks
    ]
    if waits:
        parts.append(table(["table", "domain", "lock", "stops", "for (estimate)", "services that wait"], waits))
    found = [
        [h.finding.severity.value, code(str(h.finding.where or "")), text(h.finding.message), code(h.finding.rule)]
        for h in measured.findings
    ]
    if found:
        parts.append(table(["", "where", "finding", "rule"], found))
    source = f"times are estimates from {measured.sizes}" if measured.sizes else "sizes are not known"
    parts.append(text(f"{len(measured.steps)} migrations measured on PostgreSQL {measured.server}; {source}"))
    return "\n\n".join(parts)


def value(measured: Measurement) -> dict[str, object]:
    """For the document of `plan`."""
    return {
        "server": measured.server,
        "sizes": measured.sizes or None,
        "steps": [_step(step) for step in measured.steps],
        "findings": [_hit(hit) for hit in measured.findings],
        "notes": list(measured.notes),
    }


def _step(step: MeasuredStep) -> dict[str, object]:
    return {
        **migration_value(step.id),
        "mode": step.mode,
        "error": step.error or None,
        "statements": [_statement(s) for s in step.statements],
        "blocks": [
            {
                **_table(b.table), "mode": b.mode, "stops": b.stops,
                "services": [{"service": service, "domain": domain} for service, domain in b.services],
                "line": step.statements[b.statement].line, "estimated_seconds": _rounded(b.seconds),
            }
            for b in step.blocks
        ],
    }  # fmt: skip


def _statement(s: Measured) -> dict[str, object]:
    return {
        "line": s.line,
        "column": s.column,
        "tag": s.tag,
        "locks": [{**_table(k.table), "index": k.index or None, "kind": k.kind, "mode": k.mode, "new": k.new} for k in s.locks],
        "work": [
            {
                "kind": w.kind.value, **_table(w.table), "index": w.index or None, "new": w.new, "rows": w.rows,
                "bytes": w.bytes, "estimated_seconds": _rounded(w.seconds),
            }
            for w in s.work
        ],
        **{name: _objects(getattr(s, name)) for name in ("created", "altered", "dropped", "cascaded")},
        "duration_ms": round(s.seconds * 1000, 2),
    }  # fmt: skip


def _hit(hit: Hit) -> dict[str, object]:
    return {**finding_value(hit.finding), "domains": list(hit.domains)}


def _table(name: TableName) -> dict[str, object]:
    return {"table": str(name), "domain": name.domain}


def _objects(found: Iterable[Object]) -> list[dict[str, str]]:
    return [{"kind": o.kind, "name": o.name} for o in found]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _parts(statement: Measured, *, verbose: bool) -> list[str]:
    """What a statement does, part by part; nothing of what the step itself has made."""
    locks: dict[str, list[str]] = {}
    for lock in statement.locks:
        if not lock.new and (verbose or (not lock.index and lock.mode not in ("ACCESS SHARE", "ROW SHARE"))):
            name = f"index {lock.index} of {lock.table}" if lock.index else str(lock.table)
            locks.setdefault(lock.mode, []).append(f"{name} ({lock.table.domain})" if lock.table.domain else name)
    parts = [f"{mode} on {_listed(names)}" for mode, names in locks.items()]
    verbs = {"rewrite": "rewrites", "scan": "reads all of", "build": "builds", "empty": "empties"}
    for work in statement.work:
        if not work.new:
            what = f"index {work.index} of {work.table}" if work.index else str(work.table)
            parts.append(f"{verbs[work.kind.value]} {what}")
    for word, found in (
        ("makes", statement.created), ("changes", statement.altered if verbose else ()), ("drops", statement.dropped),
        ("takes along", statement.cascaded),
    ):  # fmt: skip
        if found:
            parts.append(f"{word} {_listed([f'{o.kind} {o.name}'.replace(' public.', ' ') for o in found])}")
    return parts


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _blocked(block: Block) -> str:
    from bgce_migrate.measure.judge import stopped

    owner = f" of {block.table.domain}" if block.table.domain else ""
    return f"{block.table}{owner}: {stopped(block)}"


def _time(block: Block) -> str:
    from bgce_migrate.measure.weights import duration

    return "not known" if block.seconds is None else text(duration(block.seconds))


def _services(block: Block) -> str:
    return ", ".join(name if name == home else f"{name} ({home})" for name, home in block.services)
