"""Proofs for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bgce_migrate.fingerprint.wording import tell
from bgce_migrate.report.output import Output
from bgce_migrate.report.values import migration_value

if TYPE_CHECKING:
    from bgce_migrate.fingerprint.compare import Difference
    from bgce_migrate.verify.model import Proof
    from bgce_migrate.verify.run import Verified

_WIDTH = 12


class Printing:
    """What a run says: a line or more for what is not simply right, as it becomes known; at the end how many."""

    def __init__(self, out: Output) -> None:
        self.out = out

    def proof(self, proof: Proof) -> None:
        """One migration: nothing where all is well, else what differs and what to add."""
        from bgce_migrate.verify.model import Verdict

        out = self.out
        plain = proof.verdict is Verdict.OK and not proof.twice and proof.data in ("", "lossless")
        if plain and not out.verbose:
            return
        out.line(f"{proof.verdict.value:<{_WIDTH}}  {proof.id}" + (f": {proof.message}" if proof.message else ""))
        for difference in proof.differences:
            out.line(f"    {tell(difference)}")
        for statement in proof.statements:
            out.line(f"    add to the down: {statement};")
        if proof.data and (proof.data != "lossless" or out.verbose):
            out.line(f"    data: {proof.data}")
        if proof.twice:
            out.line(f"    it says IF NOT EXISTS or OR REPLACE throughout, but {proof.twice}")

    def summary(self, found: Verified, seconds: float) -> None:
        """How many of each, and the JSON document."""
        out, proofs = self.out, found.proofs
        out.document("verify", _document(found))
        if found.replayed:
            out.line("the log, replayed by its ups alone, does not lead to the catalog that the proofs led to:")
            for difference in found.replayed:
                out.line(f"    {tell(difference)}")
        kept = sum(p.kept for p in proofs)
        said = _counted(p.verdict.value for p in proofs) or "nothing to prove"
        out.line(f"{len(proofs)} migrations in {seconds:.1f} s: {said}" + (f" ({kept} proven before)" if kept else ""))
        words = _counted(p.data.partition(":")[0] for p in proofs if p.data)
        if words:
            out.line(f"with rows: {words}")
        if found.replayed == ():
            out.line("step by step and replayed from scratch, the log leads to the same catalog")


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in Counter(words).most_common())


def _document(found: Verified) -> dict[str, object]:
    replayed = found.replayed
    return {
        "migrations": [proof_value(p) for p in found.proofs],
        "passed": found.passes,
        "replay": None if replayed is None else {"same": not replayed, "differences": [_difference(d) for d in replayed]},
    }


def _difference(difference: Difference) -> dict[str, object]:
    return {
        "kind": difference.what.kind, "name": difference.what.name, "fact": difference.fact or None,
        "from": difference.before, "to": difference.after, "text": tell(difference),
    }  # fmt: skip


def proof_value(proof: Proof) -> dict[str, object]:
    """A proof in a document."""
    return {
        **migration_value(proof.id),
        "verdict": proof.verdict.value,
        "message": proof.message,
        "differences": [_difference(d) for d in proof.differences],
        "statements": list(proof.statements),
        "data": proof.data or None,
        "twice": proof.twice or None,
        "cached": proof.kept,
        "duration_ms": round(proof.seconds * 1000, 1),
    }
