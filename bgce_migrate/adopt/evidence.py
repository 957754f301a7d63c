"""How a table came to be other than its migrations make it: what the differences and the catalog's traces say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bgce_migrate.adopt.model import Evidence
from bgce_migrate.adopt.scope import parts
from bgce_migrate.fingerprint.compare import Difference
from bgce_migrate.fingerprint.model import ORDER, Catalog
from bgce_migrate.migration import MigrationId

_RETYPED = 2  # columns; one alone is somebody's ALTER TABLE


def of_tables(
    differences: Iterable[Difference],
    made: Catalog,
    live: Catalog,
    makers: Mapping[tuple[str, str], MigrationId],
    lost: Mapping[tuple[str, str], int],
) -> tuple[Evidence, ...]:
    """One line a table that differs, by name.

    Args:
        made: the replay; live: what is there.
        makers: the migration that makes each table.
        lost: how many columns each live table has lost since it was made.
    """
    by_table: dict[str, list[Difference]] = {}
    for difference in differences:
        catalog = live if difference.what.identity in live.objects else made
        whole = catalog.objects.get(catalog.whole(difference.what.identity), difference.what)
        if whole.kind == "table":
            by_table.setdefault(whole.name, []).append(difference)
    out = []
    for name, found in sorted(by_table.items()):
        word, text = _judge(f"table {name}", found, made, live, lost.get(parts(name), 0))
        out.append(Evidence(name, word, text, makers.get(parts(name))))
    return tuple(out)


def _judge(table: str, found: list[Difference], made: Catalog, live: Catalog, lost: int) -> tuple[str, str]:
    if table not in live.objects:
        return "missing", "counts as applied, and the table is not there: its migration failed or never ran"
    if table not in made.objects:
        return "unknown", "is there, and no migration that counts as applied makes it"
    gone = [d for d in found if d.what.kind == "column" and not d.fact and d.after is None]
    gone_keys = [d for d in found if d.what.kind in ("constraint", "index") and not d.fact and d.after is None]
    retyped = [d for d in found if d.what.kind == "column" and d.fact == "type"]
    if lost:
        text = f"made by its migration and changed since: {_count(lost, 'column was', 'columns were')} dropped"
        if gone_keys:
            text += f", {_count(len(gone_keys), 'key or index is', 'keys and indexes are')} gone"
        if retyped:
            text += f", {_count(len(retyped), 'column has', 'columns have')} another type"
        return "changed-since", text
    moved = _moved(table, made, live)
    if len(retyped) >= _RETYPED or (moved and retyped):
        text = f"not made by its migration: {_count(len(retyped), 'column has', 'columns have')} other types"
        if gone:
            text += f", {_count(len(gone), 'column', 'columns')} never came"
        text += ", none was ever dropped; something else (an ORM's auto-migration) made it before, and IF NOT EXISTS hid that"
        return "auto-migrated", text
    return "differs", f"{_count(len(found), 'difference', 'differences')}, and nothing says where from"


def _moved(table: str, made: Catalog, live: Catalog) -> bool:
    """Columns that both have stand in another order: no ALTER TABLE does that."""
    one, other = (c.objects[table].facts.get(ORDER, ()) for c in (made, live))
    if not isinstance(one, tuple) or not isinstance(other, tuple):
        return False
    both = set(one) & set(other)
    return [c for c in one if c in both] != [c for c in other if c in both]


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
