"""What adoption found, for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bgce_migrate.fingerprint.mending import mend
from bgce_migrate.fingerprint.wording import tell
from bgce_migrate.report.faults import error_value
from bgce_migrate.report.output import Output
from bgce_migrate.report.values import migration_value

if TYPE_CHECKING:
    from pathlib import Path

    from bgce_migrate.adopt.generating import Proposal, Proven
    from bgce_migrate.adopt.model import Adoption, Ledger
    from bgce_migrate.errors import BgceError
    from bgce_migrate.fingerprint.compare import Difference
    from bgce_migrate.migration import MigrationId

_SHOWN = 40  # differences in text; the document has them all
_SHAPES = {
    "missing": "what counts as applied is not all there: a version was forced, or a migration failed and was passed over",
    "auto-migrated": "something else made tables first, and the migrations' IF NOT EXISTS passed over them",
    "changed-since": "the migrations made it, and something has changed it since",
    "differs": "it is not as its migrations make it",
    "unknown": "there are tables that no migration makes",
}


def print_adoption(out: Output, adoption: Adoption) -> None:
    """Version tables, what counts as applied and why, and every difference."""
    for ledger in adoption.ledgers:
        out.line(f"{ledger}: {ledger.tool}, {ledger.says}")
    for note in adoption.notes:
        out.note(f"note: {note}")
    for domain, source in adoption.sources.items():
        count = sum(i.domain == domain for i in adoption.found)
        out.line(f"{domain}: {_counted(count)} to record: {source}")
    if adoption.recorded:
        out.line(f"recorded already: {len(adoption.recorded)}")
    if adoption.differences:
        out.line(f"the live catalog differs from a replay of what counts as applied: {_SHAPES.get(adoption.shape, 'it differs')}")
        for line in adoption.evidence:
            made = f" ({line.migration})" if line.migration else ""
            out.line(f"  {line.word}: table {line.table}{made}: {line.text}")
        for difference in adoption.differences[:_SHOWN]:
            owner = adoption.domains.get(difference.what.identity)
            out.line(f"  {owner + ': ' if owner else ''}{tell(difference)}")
        if len(adoption.differences) > _SHOWN:
            out.line(f"  and {len(adoption.differences) - _SHOWN} more; --json lists them all")
    for difference in adoption.moved:
        out.note(f"note: {tell(difference)}; that blocks nothing")


def print_recorded(
    out: Output, command: str, adoption: Adoption, marked: Sequence[MigrationId], *, asked: bool, refused: BgceError | None
) -> None:
    """What was written, what would be, and the JSON document."""
    error = error_value(refused) if refused is not None else None
    out.document(command, {**adoption_value(adoption), "recorded": [migration_value(i) for i in marked], "error": error})
    if marked:
        out.line(f"{_counted(len(marked))} recorded as applied; nothing else was changed")
        if adoption.pending:
            out.line(f"{_counted(len(adoption.pending))} pending: bgce-migrate up")
    elif adoption.differences:
        return
    elif adoption.found and asked:
        out.line("nothing was recorded")
    elif adoption.found:
        out.line(f"a replay equals the live catalog; to record {_counted(len(adoption.found))} as applied: --yes")
    else:
        out.line("nothing to record" + (": history has it all" if adoption.recorded else ""))


def adoption_value(adoption: Adoption) -> dict[str, object]:
    """All of it."""
    return {
        "shape": adoption.shape,
        "equal": not adoption.differences,
        "fingerprint": adoption.fingerprint,
        "ledgers": [ledger_value(ledger) for ledger in adoption.ledgers],
        "found": [migration_value(i) for i in adoption.found],
        "pending": [migration_value(i) for i in adoption.pending],
        "history": [migration_value(i) for i in adoption.recorded],
        "sources": dict(adoption.sources),
        "evidence": [
            {"table": e.table, "word": e.word, "text": e.text, "migration": migration_value(e.migration) if e.migration else None}
            for e in adoption.evidence
        ],
        "differences": [_difference(adoption, d) for d in adoption.differences],
        "order": [_difference(adoption, d) for d in adoption.moved],
        "notes": list(adoption.notes),
    }


def ledger_value(ledger: Ledger) -> dict[str, object]:
    """A version table and what it claims."""
    return {
        "table": str(ledger),
        "tool": ledger.tool,
        "says": ledger.says,
        "claims": [{"version": c.version, "name": c.name, "scope": c.scope, "state": c.state} for c in ledger.claims],
    }


def _difference(adoption: Adoption, difference: Difference) -> dict[str, object]:
    what = difference.what
    return {
        "domain": adoption.domains.get(what.identity) or None,
        "kind": what.kind,
        "name": what.name,
        "fact": difference.fact or None,
        "replayed": difference.before,
        "live": difference.after,
        "text": tell(difference),
        "statement": mend(difference) or None,
    }


def _counted(number: int) -> str:
    return f"{number} migration{'' if number == 1 else 's'}"


def print_proposal(out: Output, proposal: Proposal, rows: Sequence[tuple[str, str, str]]) -> None:
    """Whose each table would be, and why."""
    for ledger in proposal.ledgers:
        out.line(f"{ledger}: {ledger.tool}, {ledger.says}; left as it is")
    for what in proposal.aside:
        out.note(f"note: {what} is an administrator's and is not written")
    for domain in proposal.draft.domains:
        needs = f", requires {', '.join(domain.requires)}" if domain.requires else ""
        out.line(f"{domain.name}: {_counted(len(domain.migrations))}, {len(domain.tables)} tables{needs}")
        for _, table, reason in (row for row in rows if row[0] == domain.name):
            out.line(f"  {table}: {reason}")


def print_written(
    out: Output,
    proposal: Proposal,
    rows: Sequence[tuple[str, str, str]],
    proven: Proven | None = None,
    files: Sequence[Path] = (),
    refused: BgceError | None = None,
) -> None:
    """What was written, or why nothing was, and the JSON document."""
    from bgce_migrate.config.paths import shown

    differences = proven.differences if proven is not None else ()
    out.document("adopt", {
        "generated": bool(files),
        "equal": None if proven is None else not differences,
        "ledgers": [ledger_value(ledger) for ledger in proposal.ledgers],
        "domains": [
            {"name": d.name, "schema": d.schema, "requires": list(d.requires), "tables": sorted(d.tables),
             "migrations": [pair.slug for pair in d.migrations]}
            for d in proposal.draft.domains
        ],
        "tables": [{"table": table, "domain": domain, "reason": reason} for domain, table, reason in rows],
        "extensions": list(proposal.draft.extensions),
        "differences": [
            {"kind": d.what.kind, "name": d.what.name, "fact": d.fact or None, "replayed": d.before, "live": d.after, "text": tell(d)}
            for d in differences
        ],
        "files": [shown(file) for file in files],
        "error": error_value(refused) if refused is not None else None,
    })  # fmt: skip
    for difference in differences:
        out.line(f"  {tell(difference)}")
    if files:
        out.line(f"{len(files)} files written; a replay of them equals the live catalog")
        out.line("look at them, then record them as applied: bgce-migrate adopt --yes")
