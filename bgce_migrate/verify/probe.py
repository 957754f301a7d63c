"""The data probe: rows put into what a migration changes, led down and up (or up and down) with it, and read again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bgce_migrate.apply.owned import Owned
from bgce_migrate.db.rows import rows_of
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.effect import Action
from bgce_migrate.fingerprint.compare import compare
from bgce_migrate.fingerprint.model import Catalog, Object, quoted
from bgce_migrate.migration import Script
from bgce_migrate.scratch.steps import within
from bgce_migrate.verify.rows import Filling, Unfilled, place
from bgce_migrate.verify.saying import said

if TYPE_CHECKING:
    from bgce_migrate.verify.prove import Bench

LOSSLESS = "lossless"
_Rows = dict[str, list[dict[str, Any]]]


class Pair(Struct, frozen=True):
    """Two scripts, the second of which takes back the first, and the catalogs before and after the first.

    Attributes:
        up: the first is the up.
    """

    before: Catalog
    after: Catalog
    first: Script
    second: Script
    up: bool = True

    def turned(self) -> Pair:
        """The same, from the other end."""
        return Pair(self.after, self.before, self.second, self.first, not self.up)


class Found(Struct, frozen=True):
    """What a probe found: columns that lost something, or why it could not be seen."""

    losses: tuple[str, ...] = ()
    reason: str = ""


def word(found: Sequence[Found]) -> str:
    """The probes' word: `lossless`, `loses: public.users.name`, `not probed: reason`; empty without probes."""
    if losses := dict.fromkeys(loss for one in found for loss in one.losses):
        return f"loses: {', '.join(losses)}"
    if reason := next((one.reason for one in found if one.reason), ""):
        return f"not probed: {reason}"
    return LOSSLESS if found else ""


def probe(bench: Bench, owned: Owned, pair: Pair) -> Found:
    """Probe inside an open transaction where the catalog is `pair.before`; leaves nothing behind."""
    tables = _touched(pair)
    if not tables:
        return Found()
    session = bench.session
    session.run([Command("SAVEPOINT bgce_probe")])
    doing = "the up" if pair.up else "the down"
    try:
        filling = Filling(session, pair.before)
        unfilled = ""
        for table in tables:
            try:
                filling.fill(table.identity)
            except Unfilled as why:
                unfilled = unfilled or str(why)
        was = _read(bench, tables)
        within(bench.context, session, owned, pair.first)
        doing = "the down" if pair.up else "the up"
        within(bench.context, session, owned, pair.second)
        found = Found(tuple(_losses(was, _read(bench, tables), pair)), unfilled)
    except Failed as failed:
        found = Found(reason=f"with rows in it {doing} fails: {said(failed)}")
    session.run([Command("ROLLBACK TO SAVEPOINT bgce_probe")])
    return found


def _touched(pair: Pair) -> list[Object]:
    """Tables that are there before, and that the scripts change or write."""
    changed = {pair.before.whole(d.what.identity) for d in compare(pair.before, pair.after)}
    for effect in (*pair.first.effects, *pair.second.effects):
        if effect.action is Action.WRITE:
            schema = effect.object.schema or effect.path[0]
            changed.add(f"table {quoted(schema)}.{quoted(effect.object.name)}")
    found = [pair.before.objects.get(identity) for identity in sorted(changed)]
    tables = [o for o in found if o is not None and o.kind == "table"]
    # What the up makes is gone after the down: nobody takes that for a loss.
    return tables if pair.up else [t for t in tables if t.identity in pair.after.objects]


def _read(bench: Bench, tables: Sequence[Object]) -> _Rows:
    return {t.name: rows_of(bench.session, place(t), t.owner) for t in tables}


def _losses(was: _Rows, now: _Rows, pair: Pair) -> list[str]:
    """Columns whose values are not those of before; a table that lost rows as a whole."""
    out = []
    for table, rows in was.items():
        if len(now[table]) < len(rows):
            out.append(table)
            continue
        for column in rows[0] if rows else ():
            if not pair.up and not _is_in(pair.after, table, column):
                continue
            if Counter(_said(r, column) for r in rows) - Counter(_said(r, column) for r in now[table]):
                out.append(f"{table}.{column}")
    return out


def _is_in(catalog: Catalog, table: str, column: str) -> bool:
    return f"column {table}.{quoted(column)}" in catalog.objects


def _said(row: dict[str, Any], column: str) -> str:
    return json.dumps(row.get(column), sort_keys=True)
