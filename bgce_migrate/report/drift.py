"""Drift for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bgce_migrate.report.output import Output

if TYPE_CHECKING:
    from bgce_migrate.drift.model import Drift, Found

_BY_HAND = "no statement follows from the catalog: write it by hand"


def print_drift(out: Output, found: Found, target: Mapping[str, str]) -> None:
    """Each change with its domain and both ways to mend it; then what was left aside, and how many of whom."""
    out.document("drift", _document(found, target))
    for warning in found.warnings:
        out.note(f"warning: {warning}")
    for drift in found.drifts:
        _print_one(out, drift)
    for aside in found.aside:
        names = ", ".join(aside.objects[:5]) + (f" and {len(aside.objects) - 5} more" if len(aside.objects) > 5 else "")
        out.detail(f"no drift, {aside.reason}: {names}")
    counts = Counter(d.domain or "nobody" for d in found.drifts)
    made = f"{_count(found.applied, 'migration')} of {found.fingerprint}, {_count(found.objects, 'object')}"
    if not counts:
        out.line(f"no drift: {made}")
    else:
        told = ", ".join(f"{count} of {domain}" for domain, count in counts.most_common())
        out.line(f"{_count(len(found.drifts), 'foreign change')}: {told} ({made})")


def _print_one(out: Output, drift: Drift) -> None:
    out.line(f"{drift.domain or 'nobody'}: {drift.text}")
    for seen in drift.seen[:1]:
        acting = f" as {seen.role}" if seen.role != seen.who else ""
        out.line(f"  seen: {seen.command} by {seen.who}{acting} at {seen.at}{f' ({seen.client})' if seen.client else ''}")
    for words, statements in (("back to the files", drift.back), ("into a migration", drift.taking_in)):
        if not statements:
            out.line(f"  {words}: {_BY_HAND}")
        for statement in statements:
            out.line(f"  {words}: {' '.join(statement.split())};")
    if drift.advice:
        out.line(f"  {drift.advice}")


def print_watch(out: Output, how: str, statements: Sequence[str], database: str) -> None:
    """The SQL, or that it ran."""
    out.document("drift-watch", {"how": how, "statements": list(statements), "database": database})
    if how == "print":
        for statement in statements:
            out.line(f"{statement};")
    elif how == "install":
        out.line(f"{database}: every change of the schema is written down from now on; bgce-migrate drift names who made it")
    else:
        out.line(f"{database}: changes of the schema are not written down any more")


def _document(found: Found, target: Mapping[str, str]) -> dict[str, object]:
    return {
        "drift": [_value(d) for d in found.drifts],
        "left_aside": [{"reason": a.reason, "objects": list(a.objects)} for a in found.aside],
        "warnings": list(found.warnings),
        "fingerprint": found.fingerprint,
        "applied": found.applied,
        "objects": found.objects,
        "cached": found.cached,
        "target": dict(target),
    }


def _value(drift: Drift) -> dict[str, object]:
    d = drift.difference
    return {
        "kind": drift.kind,
        "object": drift.name,
        "domain": drift.domain or None,
        "fact": (d.fact or None) if d is not None else "rights",
        "expected": d.before if d is not None else None,
        "found": d.after if d is not None else None,
        "text": drift.text,
        "back": list(drift.back),
        "taking_in": list(drift.taking_in),
        "seen": [
            {"at": s.at, "by": s.who, "as": s.role, "command": s.command, "object": s.name, "client": s.client}
            for s in drift.seen
        ],
        "advice": drift.advice or None,
    }


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
