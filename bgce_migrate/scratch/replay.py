"""A project's steps made ready on a scratch database, and applied there one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.apply.context import Context, Limits, RunInfo
from bgce_migrate.apply.owned import Owned
from bgce_migrate.apply.run import ready
from bgce_migrate.apply.target import Address, open_target
from bgce_migrate.db.session import Session
from bgce_migrate.migration import MigrationId
from bgce_migrate.planning import Selection, plan_up
from bgce_migrate.scratch.place import Scratch, scratch
from bgce_migrate.scratch.steps import committed
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.host import Host


class Replay(Struct, frozen=True):
    """Steps in their order and the scratch database they can be applied to, empty at first.

    Attributes:
        context: of sessions on the scratch database; nothing waits for long and nothing ends by time.
        steps: all ups of the project in its order, each with its owner and the rights it gives.
    """

    place: Scratch
    context: Context
    steps: tuple[Owned, ...]

    def on(self, address: Address) -> Context:
        """The same context on another database, a clone for example."""
        return replace(self.context, access=replace(self.context.access, conninfo=address.conninfo))

    def apply(self, session: Session, ids: Iterable[MigrationId] | None = None) -> None:
        """Apply steps for good, in their order: those given, else all.

        Raises:
            Failed: the server refused a statement.
        """
        wanted = None if ids is None else frozenset(ids)
        for owned in self.steps:
            if wanted is None or owned.step.id in wanted:
                committed(self.context, session, owned, owned.step.script, owned.grants)


@contextmanager
def replay(
    tree: Tree,
    host: Host,
    *,
    provider: str | None = None,
    major: int | None = None,
    plain: bool = False,
) -> Iterator[Replay]:
    """A scratch database for a project, with its steps ready to be applied; it is gone at the end.

    Args:
        provider: where the scratch server comes from; chosen by what the SQL needs if not given.
        major: of the scratch server.
        plain: without roles of domains, whatever is declared.

    Raises:
        BgceError: there is no order, or no server.
    """
    planned = plan_up(tree, None, Selection(allow_unlocked=True))
    extensions = frozenset(name for names in planned.extensions.values() for name in names)
    with scratch(tree.project, extensions, provider=provider, major=major, plain=plain) as place:
        target = open_target(place.address, check=False)
        try:
            info = RunInfo.new("verify")
            limits = replace(Limits(), lock_timeout="0", idle_timeout="0")
            context = Context(info, target.access(info), limits, target.facts, time_zone=tree.project.timezone)
            domains = {d.name: d for d in tree.project.domains}
            steps = ready(context, target, planned, domains, host, tree.project.registry)
        finally:
            target.close()
        yield Replay(place, context, tuple(steps))
