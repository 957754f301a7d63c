"""Rights as text and as documents: plans, drift, and who may do what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bgce_migrate.report.output import Output
from bgce_migrate.report.table import Column

if TYPE_CHECKING:
    from bgce_migrate.apply.granting import Found
    from bgce_migrate.grants.changes import Change
    from bgce_migrate.grants.model import Securable
    from bgce_migrate.grants.showing import Line, Why

_LINES = (Column("role"), Column("object"), Column("privileges"), Column("how"))
_COLUMNS = (Column("column"), Column("read"))


def print_plan(out: Output, found: Found, target: Mapping[str, str]) -> None:
    """The statements in order, each with its reason, and who runs it."""
    changes = _values(found)
    out.document("grants-plan", {"changes": changes, **_notes(found), "target": dict(target)})
    _say_notes(out, found)
    for value in changes:
        out.line(f"{value['statement']};")
        out.line(f"  -- {value['by']}: {value['why']}")
    if not changes:
        out.line("nothing to do: every right is as declared")
    else:
        out.line(_summary(found))


def print_applied(out: Output, found: Found, target: Mapping[str, str], *, changed: bool) -> None:
    """What was changed, and what is left for an administrator."""
    changes = _values(found)
    out.document("grants-apply", {"changes": changes, "changed": changed, **_notes(found), "target": dict(target)})
    _say_notes(out, found)
    for value in changes:
        if value["by"] != "an administrator":
            out.line(f"{value['statement']};")
    if not changes:
        out.line("nothing to do: every right is as declared")
    elif not changed:
        out.line(f"nothing changed (mode observe): {_summary(found)}")
    elif found.possible:
        out.line(f"done: {_count(len(found.possible), 'statement')}")
    if found.left:
        out.note(f"{_count(len(found.left), 'statement')} for an administrator (bgce-migrate grants apply, as one):")
        for value in changes:
            if value["by"] == "an administrator":
                out.note(f"  {value['statement']};")


def print_drift(out: Output, found: Found, target: Mapping[str, str]) -> None:
    """Each difference with the statement that leads to it and the one that mends it."""
    changes = _values(found)
    out.document("grants-check", {"drift": changes, **_notes(found), "target": dict(target)})
    _say_notes(out, found)
    for value in changes:
        out.line(f"{value['object']}: {value['why']}")
        out.line(f"  caused by: {value['caused_by']};")
        out.line(f"  mended by: {value['statement']};{'' if value['by'] != 'an administrator' else '  -- as an administrator'}")
    if not changes:
        out.line("no drift: every right is as declared")
    else:
        out.line(f"{_count(len(changes), 'drift')}; `bgce-migrate grants apply` mends what this login may")


def print_lines(out: Output, lines: Sequence[Line]) -> None:
    """Who can do what, and how they come by it."""
    out.document(
        "grants-show",
        {
            "rights": [
                {
                    "role": line.role,
                    **_object(line.on),
                    "privileges": list(line.privileges),
                    "columns": list(line.columns),
                    "how": line.how,
                    "direct": line.direct,
                }
                for line in lines
            ]
        },
    )
    out.table(
        _LINES,
        [
            (
                line.role,
                _name(line.on),
                ", ".join(line.privileges) + (f" ({', '.join(line.columns)})" if line.columns else ""),
                line.how,
            )
            for line in lines
        ],
    )
    if not lines:
        out.line("nobody can do anything there")


def print_why(out: Output, why: Why) -> None:
    """The columns, why, and what to use instead of SELECT *."""
    out.document(
        "grants-show",
        {
            "service": why.service,
            "login": why.login,
            "table": why.table,
            "columns": [{"name": name, "readable": way is not None, "how": way} for name, way in why.columns.items()],
            "declared": list(why.declared),
            "views": list(why.views),
            "view": why.view or None,
        },
    )
    for reason in why.declared:
        out.line(reason)
    out.table(_COLUMNS, [(name, way or "no") for name, way in why.columns.items()])
    if not any(why.columns.values()):
        out.line(f"{why.service} may read nothing of {why.table}")
    elif why.view:
        out.line(f"SELECT * on {why.table} is refused: name the columns")
        for view in why.views:
            out.line(f"or read the view {view}")
        if not why.views:
            out.line(f"or, in a migration of its own domain: {why.view};")
    else:
        out.line(f"{why.service} may read all of {why.table}; SELECT * works")


def _values(found: Found) -> list[dict[str, object]]:
    from bgce_migrate.db.rights_sql import statement

    hands = {id(change): hand for hand, change in found.possible}
    version = found.current.server_version
    out = []
    for change in found.difference.changes:
        hand = hands.get(id(change))
        by = "an administrator" if hand is None else hand.role or found.current.session
        out.append(
            {
                **_subject(change),
                "why": change.why,
                "statement": statement(change, version),
                "caused_by": statement(change.inverse, version),
                "by": by,
            }
        )
    return out


def _subject(change: Change) -> dict[str, object]:
    from bgce_migrate.grants.changes import DefaultChange, MembershipChange

    if isinstance(change, MembershipChange):
        return {"kind": "MEMBERSHIP", "object": f"{change.membership.member} in {change.membership.role}"}
    if isinstance(change, DefaultChange):
        return {"kind": "DEFAULT", "object": f"{change.right.objects.lower()} to come of {change.right.owner}"}
    return _object(change.on)


def _object(on: Securable) -> dict[str, object]:
    return {"kind": on.kind.value, "object": _name(on)}


def _name(on: Securable) -> str:
    from bgce_migrate.grants.model import SecurableKind

    if on.kind in (SecurableKind.SCHEMA, SecurableKind.DATABASE):
        return f"{on.kind.value.lower()} {on.name}"
    if on.kind is SecurableKind.FUNCTION:
        return f"{on.schema}.{on.name}({on.arguments})"
    return f"{on.schema}.{on.name}"


def _notes(found: Found) -> dict[str, object]:
    return {"warnings": list(found.difference.warnings), "left_alone": list(found.difference.left_alone)}


def _say_notes(out: Output, found: Found) -> None:
    for warning in found.difference.warnings:
        out.note(f"warning: {warning}")
    if found.difference.warnings:
        out.note("  hint: an administrator runs: bgce-migrate bootstrap")
    for note in found.difference.left_alone:
        out.note(f"left alone: {note}")


def _summary(found: Found) -> str:
    total = _count(len(found.difference.changes), "change")
    return f"{total}, {len(found.left)} of them for an administrator" if found.left else total


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
