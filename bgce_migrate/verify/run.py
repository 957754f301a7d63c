"""`verify`: every migration of a project in its order, each proven where it stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
from msgspec.structs import replace

from bgce_migrate.apply.owned import Owned
from bgce_migrate.db.wire import Failed
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.scratch.replay import Replay, replay
from bgce_migrate.scratch.steps import committed
from bgce_migrate.tree import Tree
from bgce_migrate.verify.model import Proof, Verdict
from bgce_migrate.verify.prove import Bench, Unproven, in_transaction, said, with_commits

if TYPE_CHECKING:
    from bgce_migrate.host import Host


def verify(
    tree: Tree,
    host: Host,
    *,
    domain: str | None = None,
    provider: str | None = None,
    major: int | None = None,
    told: Callable[[Proof], None] = lambda _: None,
) -> tuple[Proof, ...]:
    """Prove every down on a throw-away server.

    Args:
        domain: prove this domain's only; the others are applied.
        provider: where scratch servers come from; chosen by what the SQL needs if not given.
        major: of the scratch server.
        told: is called after each proof.

    Raises:
        BgceError: there is no order, or no server.
    """
    with replay(tree, host, provider=provider, major=major) as ready:
        return _Proving(tree, ready, domain, told).run()


class _Proving:
    """All proofs of one run, on one process."""

    def __init__(self, tree: Tree, ready: Replay, domain: str | None, told: Callable[[Proof], None]) -> None:
        self.tree = tree
        self.ready = ready
        self.context = ready.context
        self.domain = domain
        self.told = told
        self.bench = Bench.open(ready.context)

    def run(self) -> tuple[Proof, ...]:
        """One migration after the other; an up that does not run ends it."""
        proofs: list[Proof] = []
        broken = False
        try:
            before: Catalog | None = None
            for owned in self.ready.steps:
                started = time.monotonic()
                if broken:
                    proof, after = Proof(owned.step.id, Verdict.NOT_REACHED), None
                else:
                    proof, after = self._one(owned, before)
                before = after if not owned.grants else None
                broken = broken or proof.message.startswith("the up fails")
                if self.domain in (None, owned.step.id.domain):
                    proofs.append(replace(proof, seconds=time.monotonic() - started))
                    self.told(proofs[-1])
        finally:
            self.bench.session.close()
        return tuple(proofs)

    def _one(self, owned: Owned, before: Catalog | None) -> tuple[Proof, Catalog | None]:
        id = owned.step.id
        down, reason = self.tree.down(id)
        if down is None or self.domain not in (None, id.domain):
            stated = owned.step.script.directives.irreversible
            verdict = Verdict.IRREVERSIBLE if stated else Verdict.MISSING
            return self._apply(owned, Proof(id, verdict, message=stated or reason)), None
        before = before or self.bench.read(within=False)
        try:
            return in_transaction(self.bench, owned, down, before)
        except Unproven:
            pass
        self.bench.session.close()
        with self.ready.place.clone() as address:
            bench = Bench.open(self.ready.on(address))
            try:
                proof = with_commits(bench, owned, down)
            finally:
                bench.session.close()
        self.bench = Bench.open(self.context)
        return (proof if proof.message.startswith("the up fails") else self._apply(owned, proof)), None

    def _apply(self, owned: Owned, proof: Proof) -> Proof:
        """Apply the migration for good; the proof stays as it is unless that fails."""
        try:
            committed(self.context, self.bench.session, owned, owned.step.script, owned.grants)
        except (Failed, psycopg.Error) as failed:
            return Proof(owned.step.id, Verdict.ERROR, message=f"the up fails: {said(failed)}")
        return proof
