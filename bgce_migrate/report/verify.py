"""Proofs for people and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bgce_migrate.fingerprint.wording import tell
from bgce_migrate.report.output import Output
from bgce_migrate.report.values import migration_value

if TYPE_CHECKING:
    from bgce_migrate.verify.model import Proof


def print_proof(out: Output, proof: Proof) -> None:
    """One migration: a line where it passes, else what differs and what to add."""
    from bgce_migrate.verify.model import Verdict

    if proof.verdict is Verdict.OK and not out.verbose:
        return
    out.line(f"{proof.verdict.value:<12}  {proof.id}" + (f": {proof.message}" if proof.message else ""))
    for difference in proof.differences:
        out.line(f"    {tell(difference)}")
    for statement in proof.statements:
        out.line(f"    add to the down: {statement};")


def print_summary(out: Output, proofs: tuple[Proof, ...], seconds: float) -> None:
    """How many of each, and the JSON document."""
    out.document("verify", {"migrations": [proof_value(p) for p in proofs], "passed": all(p.verdict.passes for p in proofs)})
    counts = Counter(p.verdict.value for p in proofs)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    out.line(f"{len(proofs)} migrations in {seconds:.1f} s: {told or 'nothing to prove'}")


def proof_value(proof: Proof) -> dict[str, object]:
    """A proof in a document."""
    return {
        **migration_value(proof.id),
        "verdict": proof.verdict.value,
        "message": proof.message,
        "differences": [
            {
                "kind": d.what.kind, "name": d.what.name, "fact": d.fact or None,
                "from": d.before, "to": d.after, "text": tell(d),
            }
            for d in proof.differences
        ],
        "statements": list(proof.statements),
        "duration_ms": round(proof.seconds * 1000, 1),
    }  # fmt: skip
