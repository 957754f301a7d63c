"""`plan --measure`: a project replayed on scratch, its wanted steps with the tracer looking on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import psycopg
from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.apply.owned import Owned
from bgce_migrate.db.session import Session
from bgce_migrate.db.tracing import Tracer, watch
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.measure.blocking import Users, blocks
from bgce_migrate.measure.judge import Judging, failure
from bgce_migrate.measure.looking import Looking
from bgce_migrate.measure.model import Hit, MeasuredStep, Measurement
from bgce_migrate.measure.reading import Names, Reading
from bgce_migrate.measure.sizes import Sizes
from bgce_migrate.migration import MigrationId, Mode, Statement
from bgce_migrate.scratch.replay import Replay, replay
from bgce_migrate.scratch.steps import committed
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.host import Host


class Wanted(Struct, frozen=True):
    """What is to be measured.

    Attributes:
        before: steps that the target has, in the order they were applied; None: all others, each in its place.
        steps: to be measured, in order.
        apart: what the steps make is nobody's yet: the target is not empty without them.
    """

    steps: tuple[MigrationId, ...]
    before: tuple[MigrationId, ...] | None = None
    apart: bool = False


def measure(
    tree: Tree,
    host: Host,
    wanted: Wanted,
    sizes: Sizes | None = None,
    *,
    provider: str | None = None,
    major: int | None = None,
    told: Callable[[MeasuredStep], None] = lambda _: None,
) -> Measurement:
    """Run steps on a throw-away server, and say what each statement locks, rewrites, reads, makes and drops.

    Args:
        sizes: of the target's tables; without them nothing is said of how long.
        provider: where the server comes from; chosen by what the SQL needs if not given.
        major: of the server: the target's, to be right.
        told: is called after each measured step.

    Raises:
        BgceError: there is no order, or no server; a step that the target has does not run here.
    """
    with replay(tree, host, provider=provider, major=major) as ready:
        url = ready.place.address.public_url or ""
        watch(url)
        with ready.context.access.lead() as session:
            return _Measuring(tree, ready, session, sizes, wanted, told, Looking(Tracer(session), url)).run()


class _Measuring:
    """One run over all steps, on one session."""

    def __init__(
        self,
        tree: Tree,
        ready: Replay,
        session: Session,
        sizes: Sizes | None,
        wanted: Wanted,
        told: Callable[[MeasuredStep], None],
        looking: Looking,
    ) -> None:
        self.tree = tree
        self.ready = ready
        self.session = session
        self.sizes = sizes
        self.wanted = wanted
        self.told = told
        self.looking = looking
        owners = {d.owner: d.name for d in tree.project.domains} if ready.place.guarded else {}
        self.names = Names(owners, {}, {}, frozenset(wanted.steps) if wanted.apart else frozenset())
        self.users = Users(tree.project.registry)

    def run(self) -> Measurement:
        """All steps; one that does not run ends it."""
        steps: list[MeasuredStep] = []
        hits: list[Hit] = []
        notes: list[str] = []
        for owned, measured in self._order(notes):
            step, failed = self._one(owned)
            file = owned.step.script.source.path
            if measured:
                steps.append(step)
                self.told(step)
                hits += Judging(step, file).hits()
            if failed:
                hits.append(failure(step, file, self._line(owned, step)))
                break
        version = self.session.server_version
        server = f"{version // 10000}.{version % 10000}"
        return Measurement(tuple(steps), tuple(hits), server, self.sizes.source if self.sizes else "", tuple(notes))

    def _order(self, notes: list[str]) -> Iterable[tuple[Owned, bool]]:
        """Each step to run, and whether it is measured."""
        by_id = {owned.step.id: owned for owned in self.ready.steps}
        measured = frozenset(self.wanted.steps)
        if self.wanted.before is None:
            last = max((n for n, i in enumerate(by_id) if i in measured), default=-1)
            yield from ((owned, i in measured) for n, (i, owned) in enumerate(by_id.items()) if n <= last)
            return
        absent = [str(i) for i in self.wanted.before if i not in by_id]
        if absent:
            notes.append(f"applied, but not on disk, so left out on scratch: {', '.join(absent)}")
        yield from ((by_id[i], False) for i in self.wanted.before if i in by_id and i not in measured)
        yield from ((by_id[i], True) for i in self.wanted.steps)

    def _one(self, owned: Owned) -> tuple[MeasuredStep, bool]:
        """Run one step; the step as measured, and whether it failed."""
        script, id, tracer = owned.step.script, owned.step.id, self.looking.tracer
        self.looking.traces = []
        error = ""
        before = set(tracer.known)
        try:
            committed(self.ready.context, self.session, owned, script, owned.grants, self.looking)
        except (Failed, psycopg.Error) as failed:
            error = _said(failed)
            self.session.run([Command("ROLLBACK")])
        tracer.settle()
        for oid in tracer.known.keys() - before:
            self.names.makers[oid] = id
        if id not in self.wanted.steps:
            self.names.there = {oid: (r.schema, r.name) for oid, r in tracer.known.items()}
        reading = Reading(id, self.names, tracer.known, self.sizes)
        pairs = zip(self._statements(owned), self.looking.traces, strict=False)
        statements = tuple(reading.measured(statement, trace) for statement, trace in pairs)
        step = MeasuredStep(id, script.mode.value, statements, error=error)
        stopped = blocks(statements, self.users, together=script.mode is not Mode.JOURNAL)
        return replace(step, blocks=stopped), bool(error)

    @staticmethod
    def _statements(owned: Owned) -> Sequence[Statement]:
        """Those that are traced: in a journaled file its own transactions' edges are not."""
        script = owned.step.script
        return [s for s in script.statements if not s.control] if script.mode is Mode.JOURNAL else script.statements

    def _line(self, owned: Owned, step: MeasuredStep) -> int | None:
        """Where the statement stands that failed: the first without a trace."""
        statements = self._statements(owned)
        return statements[len(step.statements)].line if len(step.statements) < len(statements) else None


def _said(failed: Failed | psycopg.Error) -> str:
    error = failed.error if isinstance(failed, Failed) else failed
    return error.diag.message_primary or str(error).strip().partition("\n")[0]
