"""One database led through all steps in their order: each applied, and proven where that is asked for."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence

import psycopg
from msgspec.structs import replace

from bgce_migrate.apply.context import Context
from bgce_migrate.apply.owned import Owned
from bgce_migrate.apply.target import Address
from bgce_migrate.db.wire import Failed
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.migration import MigrationId, Mode
from bgce_migrate.scratch.place import Scratch
from bgce_migrate.scratch.replay import Replay
from bgce_migrate.scratch.steps import at_once, committed
from bgce_migrate.tree import Tree
from bgce_migrate.verify.model import UP_FAILS, Proof, Verdict
from bgce_migrate.verify.prove import Bench, Unproven, in_transaction, with_commits
from bgce_migrate.verify.saying import said

#: So many steps go to the server in one round trip where none of them is to be proven.
_AT_ONCE = 20


class Course:
    """A scratch database on its way.

    Attributes:
        broken: an up did not run; nothing after it can be reached.
    """

    def __init__(self, tree: Tree, ready: Replay, place: Scratch, *, data: bool = True) -> None:
        self.tree = tree
        self.ready = ready
        self.place = place
        self.context: Context = ready.on(place.address)
        self.data = data
        self.bench = Bench.open(self.context, data=data)
        self.broken = False
        self._before: Catalog | None = None

    def close(self) -> None:
        """End the session."""
        self.bench.session.close()

    def catalog(self) -> Catalog:
        """As the database is now."""
        return self.bench.read(within=False)

    def lead(self, steps: Sequence[Owned], wanted: Collection[MigrationId]) -> Iterator[Proof]:
        """Apply steps; yields the proofs of those wanted, and of an up that does not run."""
        through = 0
        for number, owned in enumerate(steps):
            if number < through:
                continue
            if done := self._through(steps, number, wanted):
                through, self._before = number + done, None
                continue
            id = owned.step.id
            started = time.monotonic()
            if self.broken:
                proof = Proof(id, Verdict.NOT_REACHED)
            elif id in wanted:
                proof, after = self._prove(owned)
                self._before = after if not owned.grants else None
            else:
                # There is no verdict on it but that it does not run.
                proof, self._before = self._apply(owned, Proof(id, Verdict.OK)), None
            self.broken = self.broken or proof.up_fails
            if id in wanted or proof.up_fails:
                yield replace(proof, seconds=time.monotonic() - started)

    def _through(self, steps: Sequence[Owned], first: int, wanted: Collection[MigrationId]) -> int:
        """Apply at once what needs no proof, as far as that goes; how many steps that were."""
        run: list[Owned] = []
        for owned in () if self.broken else steps[first : first + _AT_ONCE]:
            if owned.step.id in wanted or owned.step.script.mode in (Mode.JOURNAL, Mode.OPAQUE):
                break
            run.append(owned)
        return at_once(self.context, self.bench.session, run) if len(run) > 1 else 0

    def _prove(self, owned: Owned) -> tuple[Proof, Catalog | None]:
        down, reason = self.tree.down(owned.step.id)
        if down is None:
            stated = owned.step.script.directives.irreversible
            verdict = Verdict.IRREVERSIBLE if stated else Verdict.MISSING
            return self._apply(owned, Proof(owned.step.id, verdict, message=stated or reason)), None
        before = self._before or self.catalog()
        try:
            return in_transaction(self.bench, owned, down, before)
        except Unproven:
            pass
        self.close()
        with self.place.clone() as address:
            proof = self._apart(address, owned)
        self.bench = Bench.open(self.context, data=self.data)
        return (proof if proof.up_fails else self._apply(owned, proof)), None

    def _apart(self, address: Address, owned: Owned) -> Proof:
        down, _ = self.tree.down(owned.step.id)
        assert down is not None
        bench = Bench.open(self.ready.on(address))
        try:
            return with_commits(bench, owned, down)
        finally:
            bench.session.close()

    def _apply(self, owned: Owned, proof: Proof) -> Proof:
        """Apply the migration for good; the proof stays as it is unless that fails."""
        try:
            committed(self.context, self.bench.session, owned, owned.step.script, owned.grants)
        except (Failed, psycopg.Error) as failed:
            return Proof(owned.step.id, Verdict.ERROR, message=f"{UP_FAILS}: {said(failed)}")
        return proof
