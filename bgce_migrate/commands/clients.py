"""`verify --client` and `lint --client`: the statements of services, and which steps are new."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bgce_migrate.commands.call import Call

if TYPE_CHECKING:
    from bgce_migrate.clients.model import Checked, Sent
    from bgce_migrate.migration import MigrationId


def check_clients(
    call: Call, files: Sequence[str], *, from_stats: bool = False, base: str | None = None,
    provider: str | None = None, major: int | None = None,
) -> Checked:  # fmt: skip
    """Prepare what services send before and after the new steps.

    New is what the named database has not applied; without one, what is not on the target branch; without that, all.
    """
    from bgce_migrate.clients.check import check
    from bgce_migrate.clients.reading import read_files, with_services

    desk = call.declarations
    sent: tuple[Sent, ...] = with_services(read_files(files), desk.project.registry)
    left: tuple[tuple[str, int], ...] = ()
    new: frozenset[MigrationId] | None = None
    if from_stats or call.names_database:
        with desk.open(call.address(), check=False) as target:
            new = frozenset(i for i in desk.tree.migrations if i not in target.state.applied)
            if from_stats:
                from bgce_migrate.clients.from_stats import read_stats

                remembered, left = read_stats(desk.project, target)
                sent += remembered
    if new is None:
        new = _changed(call, base)
    return check(desk.tree, desk.host, sent, new, left_out=left, provider=provider, major=major)


def verify_clients(
    call: Call, files: Sequence[str], *, from_stats: bool, provider: str | None, major: int | None
) -> int:
    """`verify --client`: print the verdicts; 1 when a statement breaks."""
    import time

    from bgce_migrate.report.clients import print_clients

    started = time.monotonic()
    checked = check_clients(call, files, from_stats=from_stats, provider=provider, major=major)
    print_clients(call.out, checked, time.monotonic() - started)
    return 0 if checked.passes else 1


def _changed(call: Call, base: str | None) -> frozenset[MigrationId]:
    from bgce_migrate.commands.surroundings import look_around
    from bgce_migrate.repository import on_target

    tree = call.declarations.tree
    around = look_around(call.declarations.project, base, os.environ)
    if around.repository is None or around.base.commit is None:
        call.out.note(f"all migrations count as new: {around.base.reason or 'there is nothing to compare with'}")
        return frozenset(tree.migrations)
    return frozenset(tree.migrations) - on_target(tree, around.repository, around.base)
