"""`verify`: every migration of a project in its order, each proven where it stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from bgce_migrate.beside import can_fork
from bgce_migrate.fingerprint.compare import Difference, compare
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.migration import MigrationId
from bgce_migrate.scratch.place import beside
from bgce_migrate.scratch.replay import Replay, replay
from bgce_migrate.tree import Tree
from bgce_migrate.verify.course import Course
from bgce_migrate.verify.halves import Halves
from bgce_migrate.verify.kept import Kept
from bgce_migrate.verify.model import Proof

if TYPE_CHECKING:
    from bgce_migrate.host import Host

#: For fewer proofs a second database is not worth its making.
_MANY = 12


class Asked(Struct, frozen=True):
    """What is to be proven, and how.

    Attributes:
        only: these migrations; None for all.
        whole: at the end also that the log, replayed by ups alone, leads to the same catalog.
        data: probe with rows, too.
        kept: look for what was proven before, and keep what is proven now.
        jobs: processes; 1 or 2.
        provider, major: of the scratch server; chosen by what the SQL needs, and the newest.
    """

    only: frozenset[MigrationId] | None = None
    whole: bool = False
    data: bool = True
    kept: bool = False
    jobs: int = 2
    provider: str | None = None
    major: int | None = None


class Verified(Struct, frozen=True):
    """What was proven.

    Attributes:
        proofs: in the order of the log.
        replayed: how the catalog after the proofs differs from that after a replay by ups alone; None where that
            was not seen: something does not run, not all was asked for, or it was proven before.
    """

    proofs: tuple[Proof, ...]
    replayed: tuple[Difference, ...] | None = None

    @property
    def passes(self) -> bool:
        """Whether nothing has to be mended."""
        return not self.replayed and all(p.verdict.passes for p in self.proofs)


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
    only = None if domain is None else frozenset(i for i in tree.migrations if i.domain == domain)
    return prove(tree, host, Asked(only, data=False, provider=provider, major=major), told).proofs


def prove(tree: Tree, host: Host, asked: Asked, told: Callable[[Proof], None] = lambda _: None) -> Verified:
    """As `verify`, with everything that can be asked for."""
    with replay(tree, host, provider=asked.provider, major=asked.major) as ready, ExitStack() as stack:
        return _Proving(tree, ready, asked, stack).run(told)


class _Proving:
    """All proofs of one run."""

    def __init__(self, tree: Tree, ready: Replay, asked: Asked, stack: ExitStack) -> None:
        self.tree = tree
        self.ready = ready
        self.asked = asked
        self.stack = stack
        # The data probe's word is a part of a proof.
        name = "verify" if asked.data else "verify-catalog"
        # Where the scratch server's files are, too.
        root = tree.project.root if tree.project.declared else Path.cwd()
        self.kept = Kept(tree, ready, root / ".bgce" / "cache" / name if asked.kept else None)

    def run(self, told: Callable[[Proof], None]) -> Verified:
        """What is known already is taken as it is, the rest proven."""
        everything = frozenset(o.step.id for o in self.ready.steps)
        wanted = everything if self.asked.only is None else everything & self.asked.only
        known = {i: proof for i in wanted if (proof := self.kept.get(i)) is not None}
        todo = wanted - known.keys()
        new: list[Proof] = []
        found = dict(known)
        waiting = [o.step.id for o in self.ready.steps if o.step.id in wanted]
        stream = self._prove(todo) if todo else iter(())
        for proof in stream:
            found[proof.id] = proof
            new.append(proof)
            while waiting and waiting[0] in found:
                told(found[waiting.pop(0)])
        for id in waiting:
            if id in found:
                told(found[id])
        self.kept.put(new)
        replayed = self._replayed() if self.asked.whole and todo == everything and todo else None
        return Verified(tuple(found[o.step.id] for o in self.ready.steps if o.step.id in found), replayed)

    def _prove(self, todo: Collection[MigrationId]) -> Iterator[Proof]:
        steps = list(self.ready.steps)
        while steps[-1].step.id not in todo:
            steps.pop()
        self.led = len(steps)
        self.halves: Halves | None = None
        if self.asked.jobs > 1 and len(todo) >= _MANY and can_fork():
            second = self.stack.enter_context(beside(self.ready.place, self.tree.project))
            self.halves = Halves(self._course, lambda: Course(self.tree, self.ready, second, data=self.asked.data))
            yield from self.halves.lead(steps, todo)
            if self.halves.course is not None:
                self.course = self.halves.course
                self.stack.callback(self.course.close)
        else:
            self.course = self._course()
            self.stack.callback(self.course.close)
            yield from self.course.lead(steps, todo)

    def _course(self) -> Course:
        return Course(self.tree, self.ready, self.ready.place, data=self.asked.data)

    def _replayed(self) -> tuple[Difference, ...] | None:
        """The catalog after all proofs against that after all ups alone, each half by itself where there are two."""
        if self.course.broken:
            return None
        one, other = self._ends()
        return compare(one, other) if one is not None and other is not None else None

    def _ends(self) -> tuple[Catalog | None, Catalog | None]:
        if self.halves is not None and self.halves.end is not None:
            return self.halves.catch_up(), self.halves.end
        place = self.stack.enter_context(beside(self.ready.place, self.tree.project))
        plain = Course(self.tree, self.ready, place)
        self.stack.callback(plain.close)
        broken = any(plain.lead(self.ready.steps, ()))
        return (None, None) if broken else (plain.catalog(), self.course.catalog())

