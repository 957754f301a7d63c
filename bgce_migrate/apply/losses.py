"""What live data a down would lose: one bounded look at each table and column it drops."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from bgce_migrate.apply.context import Access
from bgce_migrate.db import statements as st
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.domain import Domain
from bgce_migrate.effect import Action, Effect, Name, ObjectKind
from bgce_migrate.migration import MigrationId, Step

_LOOK = "1s"  # a table is looked at for no longer than this


class Loss(Struct, frozen=True):
    """Data that a down would lose. `certain` is False where the look did not come to an end."""

    migration: MigrationId
    what: str
    certain: bool = True


def find_losses(access: Access, steps: Iterable[Step], domains: dict[str, Domain]) -> tuple[Loss, ...]:
    """Tables with rows and columns with values that the steps drop, by step."""
    out: list[Loss] = []
    for step in steps:
        domain = domains.get(step.id.domain)
        migrator = domain.migrator if domain else f"{step.id.domain}_migrator"
        owner = (domain.owner if domain else f"{step.id.domain}_owner") if access.layout == "guarded" else None
        targets = list(_dropped(step))
        if not targets:
            continue
        with access.work(migrator) as session:
            for name in targets:
                test, what = _question(name, domain.schema if domain else "public")
                commands = [
                    Command("BEGIN READ ONLY"),
                    *([Command(st.set_role(owner))] if owner else []),
                    Command("SELECT set_config('statement_timeout', $1, true), set_config('row_security', 'off', true)", (_LOOK,)),
                    Command(test),
                ]
                try:
                    answer = session.run(commands)[-1].rows[0][0]
                except Failed as failed:
                    # A table that is not there loses nothing; what cannot be seen in time may be full.
                    if failed.error.sqlstate not in ("42P01", "42703", "42809", "3F000"):
                        out.append(Loss(step.id, f"{what} ({failed.error.diag.message_primary})", False))
                    continue
                finally:
                    session.run([Command("ROLLBACK")])
                if answer == "true":
                    out.append(Loss(step.id, what))
    return tuple(out)


def _dropped(step: Step) -> Iterable[Name]:
    """Tables and columns that go, but not those that the same file has made before."""
    made: set[tuple[ObjectKind, str, str | None]] = set()
    for effect in step.script.effects:
        name = effect.object
        key = (name.kind, name.name, name.part)
        if effect.action in (Action.MAKE, Action.REPLACE):
            made.add(key)
        elif effect.action is Action.DROP and key not in made and _holds_data(effect):
            yield name


def _holds_data(effect: Effect) -> bool:
    if effect.object.kind is ObjectKind.COLUMN:
        return True
    return effect.object.kind is ObjectKind.RELATION and effect.relation_kind in ("", "table", "matview", "sequence")


def _question(name: Name, schema: str) -> tuple[str, str]:
    table = (name.schema or schema, name.name)
    if name.kind is ObjectKind.COLUMN and name.part:
        return st.has_values(table, name.part), f"column {name} has values"
    return st.has_rows(table), f"table {name} has rows"
