"""The proof of one migration: up, down, compare with before; up again, compare with after."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from msgspec import Struct

from bgce_migrate.apply.context import Context
from bgce_migrate.apply.owned import Owned
from bgce_migrate.db.catalog_reader import Reader
from bgce_migrate.db.sequences import positions, put_back
from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import set_role
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.fingerprint.compare import Difference, compare
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.migration import Mode, Script
from bgce_migrate.scratch.steps import committed, within
from bgce_migrate.verify.model import UP_FAILS, Proof, Verdict, judge
from bgce_migrate.verify.probe import Found, Pair, probe, word
from bgce_migrate.verify.saying import said
from bgce_migrate.verify.twice import claims

_Run = Callable[[Script], None]
_Read = Callable[[], Catalog]


class Unproven(Exception):
    """It cannot be seen in one transaction: it refuses to run there, or something in it failed there."""


class Bench(Struct):
    """Where proofs are made: a session, and what reads the catalog there."""

    context: Context
    session: Session
    reader: Reader
    data: bool = True

    @classmethod
    def open(cls, context: Context, *, data: bool = True) -> Bench:
        """In the database of the context; the bookkeeping does not count.

        Args:
            data: probe with rows, too.
        """
        session = context.access.lead()
        return cls(context, session, Reader(session, [context.access.schema]), data)

    def read(self, *, within: bool) -> Catalog:
        """The catalog as it is now."""
        return self.reader.read(within=within)


def in_transaction(bench: Bench, owned: Owned, down: Script, before: Catalog) -> tuple[Proof, Catalog]:
    """Prove in one transaction; its end is the migration applied and committed.

    Raises:
        Unproven: rolled back; prove it with commits on a clone.
    """
    session, up = bench.session, owned.step.script
    if Mode.JOURNAL in (up.mode, down.mode):
        raise Unproven
    try:
        session.run([Command("BEGIN")])
        within(bench.context, session, owned, up)
        after = bench.read(within=True)
        numbers = positions(session, owned.owner)
        session.run([Command("SAVEPOINT bgce_proof")])
        twice = _twice(bench, owned, after) if claims(up) else ""
        within(bench.context, session, owned, down)
        undone = compare(before, bench.read(within=True))
        again: tuple[Difference, ...] = ()
        data: list[Found] = []
        if all(d.is_order for d in undone):
            pair = Pair(before, after, up, down)
            if bench.data:
                data.append(probe(bench, owned, pair))
            within(bench.context, session, owned, up)
            again = compare(after, bench.read(within=True))
            if bench.data and not again:
                data.append(probe(bench, owned, pair.turned()))
        session.run([Command("ROLLBACK TO SAVEPOINT bgce_proof")])
        put_back(session, owned.owner, numbers)
        owner = [Command(set_role(owned.owner))] if owned.owner else []
        session.run([*owner, *map(Command, owned.grants), Command("COMMIT")])
    except Failed:
        session.run([Command("ROLLBACK")])
        raise Unproven from None
    verdict, differences = judge(undone, again)
    return Proof(owned.step.id, verdict, differences, data=word(data), twice=twice), after


def _twice(bench: Bench, owned: Owned, after: Catalog) -> str:
    """What is wrong with running the up again at once; leaves nothing of it."""
    bench.session.run([Command("SAVEPOINT bgce_twice")])
    try:
        within(bench.context, bench.session, owned, owned.step.script)
        changed = compare(after, bench.read(within=True))
        told = f"a second run changes {changed[0].what.identity}" if changed else ""
    except Failed as failed:
        told = f"a second run fails: {said(failed)}"
    bench.session.run([Command("ROLLBACK TO SAVEPOINT bgce_twice")])
    return told


def with_commits(bench: Bench, owned: Owned, down: Script) -> Proof:
    """Prove as the real runs would commit; the bench is a clone that nobody needs afterwards."""
    id, up = owned.step.id, owned.step.script
    before = bench.read(within=False)

    def run(script: Script) -> str:
        try:
            committed(bench.context, bench.session, owned, script)
        except (Failed, psycopg.Error) as failed:
            return said(failed)
        return ""

    if error := run(up):
        return Proof(id, Verdict.ERROR, message=f"{UP_FAILS}: {error}", apart=True)
    after = bench.read(within=False)
    if error := run(down):
        return Proof(id, Verdict.ERROR, message=f"the down fails: {error}", apart=True)
    undone = compare(before, bench.read(within=False))
    if any(not d.is_order for d in undone):
        return Proof(id, Verdict.DIFFERS, undone, apart=True)
    if error := run(up):
        return Proof(id, Verdict.REUP_ERROR, message=f"the second up fails: {error}", apart=True)
    verdict, differences = judge(undone, compare(after, bench.read(within=False)))
    return Proof(id, verdict, differences, apart=True)
