"""`verify` for a service's own tests."""

from __future__ import annotations

from bgce_migrate.desk import Desk
from bgce_migrate.fingerprint.wording import tell
from bgce_migrate.naming import require_domain
from bgce_migrate.verify.model import Proof
from bgce_migrate.verify.run import verify


def prove(desk: Desk, domain: str | None, major: int | None) -> tuple[Proof, ...]:
    """Prove every down on a throw-away server.

    Raises:
        BgceError: there is no order, no such domain, or no server.
    """
    require_domain(desk.project, domain)
    return verify(desk.tree, desk.host, domain=domain, major=major)


def failures(proofs: tuple[Proof, ...]) -> list[str]:
    """What does not pass, line by line; empty if everything does."""
    lines = []
    for proof in proofs:
        if proof.verdict.passes:
            continue
        lines.append(f"{proof.id}: {proof.verdict.value}" + (f": {proof.message}" if proof.message else ""))
        lines += [f"    {tell(difference)}" for difference in proof.differences]
        lines += [f"    add to the down: {statement};" for statement in proof.statements]
    return lines
