"""What `look` found, as a JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bgce_migrate.report.output import Output
from bgce_migrate.report.values import finding_value, migration_value
from bgce_migrate.report.verify import proof_value

if TYPE_CHECKING:
    from bgce_migrate.errors import Problem
    from bgce_migrate.looking.model import Claim, Look, Reference


def print_document(out: Output, look: Look) -> None:
    """Everything, nothing shortened."""
    out.document("look", look_value(look))


def look_value(look: Look) -> dict[str, object]:
    """The document."""
    git = look.git
    return {
        "place": look.place,
        "domains": [
            {
                "name": f.name, "folder": f.folder, "migrations": f.migrations, "without_down": f.without_down,
                "tables": f.tables, "needs": list(f.needs),
            }
            for f in look.folders
        ],
        "left_aside": [{"folder": a.folder, "reason": a.reason} for a in look.aside],
        "problems": [finding_value(p) for p in look.problems],
        "order": [
            {"domain": s.domain, "first": migration_value(s.first), "last": migration_value(s.last), "count": s.count}
            for s in look.order
        ],
        "unordered": [_problem(p) for p in look.unordered],
        "references": [_reference(r) for r in look.references],
        "claims": [_claim(c) for c in look.claims],
        "downs": {
            "asked": not look.proofs.skipped,
            "migrations": [proof_value(p) for p in look.proofs.proofs],
            "unproven": {name: _problem(p) for name, p in look.proofs.unproven.items()},
        },
        "hazards": [
            {
                "rule": h.rule, "severity": h.severity.value, "count": h.count, "title": h.title,
                "newest": finding_value(h.newest),
            }
            for h in look.hazards
        ],
        "notes": look.notes,
        "git": {
            "unknown": git.unknown or None,
            "edited": [{"path": e.path, "commits": list(e.commits), "first": e.first, "last": e.last} for e in git.edited],
            "layout_only": git.untouched,
            "removed": list(git.removed),
        },
        "advice": [{"text": a.text, "command": a.command or None} for a in look.advice],
    }  # fmt: skip


def _problem(problem: Problem) -> dict[str, object]:
    return {"message": problem.message, "where": str(problem.where) if problem.where else None, "hint": problem.hint}


def _reference(reference: Reference) -> dict[str, object]:
    return {
        "domain": reference.user, "uses_of": reference.owner,
        "objects": [{"name": name, "how": list(hows)} for name, hows in reference.objects.items()],
        "migrations": [migration_value(i) for i in reference.migrations],
    }  # fmt: skip


def _claim(claim: Claim) -> dict[str, object]:
    return {
        "kind": claim.kind, "name": claim.name,
        "domains": {
            domain: [{"does": verb, "migration": migration_value(i)} for verb, i in done]
            for domain, done in claim.domains.items()
        },
    }  # fmt: skip
