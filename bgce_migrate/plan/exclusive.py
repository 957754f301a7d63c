"""Which tables that exist before a plan its steps lock with ACCESS EXCLUSIVE; pure.

Only these locks go into the WAL: a standby takes them too, and its replay waits for whoever reads the table there
(docs: 26.4.2, "Handling Query Conflicts"). Levels are those of `AlterTableGetLockLevel` in PostgreSQL 14 to 18.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.facts.dispatch import read
from bgce_migrate.lint.facts.values import Ref
from bgce_migrate.migration import MigrationId, Step
from bgce_migrate.sqlparse import SqlSyntaxError

_ACCESS_EXCLUSIVE = 8
_RELATIONS = frozenset({"table", "view", "materialized view", "index", "sequence", "foreign table"})
_PARTS = frozenset({"column", "constraint", "trigger", "policy", "rule"})
#: Of `TableChange` and `ColumnChange`: these take less.
_LIGHT = frozenset({"statistics", "options", "cluster on", "enable trigger", "disable trigger"})


def exclusive(steps: Iterable[Step], schemas: Mapping[str, str]) -> dict[Ref, MigrationId]:
    """Tables, indexes and views as (schema, name), each with the first step that locks it so.

    Args:
        schemas: of each domain, for names without one; `public` where nothing is said.
    """
    made: set[Ref] = set()
    out: dict[Ref, MigrationId] = {}
    for step in steps:
        schema = schemas.get(step.id.domain, "public")
        for fact in _facts(step):
            for name in _locked(fact):
                place = (name[0] or schema, name[1])
                if place not in made:
                    out.setdefault(place, step.id)
            made.update((name[0] or schema, name[1]) for name in _made(fact))
    return out


def _facts(step: Step) -> tuple[Any, ...]:
    try:
        return read(step.script.source.text)
    except SqlSyntaxError:
        return ()  # opaque: what our grammar does not know


def _made(fact: Any) -> Iterator[Ref]:
    if isinstance(fact, (f.CreateTable, f.CreateView)):
        yield fact.table
    elif isinstance(fact, f.CreateIndex) and fact.name:
        yield (fact.table[0], fact.name)
    elif isinstance(fact, f.Rename) and not fact.part:
        yield (fact.name[0], fact.to)
    elif isinstance(fact, f.SetSchema):
        yield (fact.to, fact.name[1])


def _locked(fact: Any) -> Iterable[Ref]:
    find = _READERS.get(type(fact))
    return find(fact) if find is not None else ()


def _table(fact: Any) -> Iterable[Ref]:
    return (fact.table,)


def _change(fact: f.TableChange | f.ColumnChange) -> Iterable[Ref]:
    return () if fact.what in _LIGHT else (fact.table,)


def _constraint(fact: f.AddConstraint) -> Iterable[Ref]:
    return () if fact.constraint.kind == "foreign" else (fact.table,)


def _drop(fact: f.Drop) -> Iterable[Ref]:
    return fact.names if fact.part or (fact.kind in _RELATIONS and not fact.concurrently) else ()


def _rename(fact: f.Rename) -> Iterable[Ref]:
    kind = fact.said or fact.kind
    return (fact.name,) if (fact.part and fact.kind in _PARTS) or (kind in _RELATIONS and kind != "index") else ()


def _detach(fact: f.DetachPartition) -> Iterable[Ref]:
    return (fact.partition,) if fact.concurrently or fact.finalize else (fact.table, fact.partition)


_READERS: dict[type, Callable[[Any], Iterable[Ref]]] = {
    **dict.fromkeys(
        (
            f.AddColumn, f.DropColumn, f.AlterColumnType, f.ColumnDefault, f.SetNotNull, f.DropNotNull,
            f.DropConstraint, f.AlterConstraint, f.Policy, f.CreateRule,
        ),
        _table,
    ),
    f.TableChange: _change,
    f.ColumnChange: _change,
    f.AddConstraint: _constraint,
    f.AttachPartition: lambda fact: (fact.partition,),
    f.DetachPartition: _detach,
    f.CreateTable: lambda fact: (fact.partition_of,) if fact.partition_of is not None else (),
    f.CreateView: lambda fact: (fact.table,) if fact.replace else (),
    f.Refresh: lambda fact: () if fact.concurrently else (fact.table,),
    f.Drop: _drop,
    f.Rename: _rename,
    f.SetSchema: lambda fact: (fact.name,) if fact.kind in _RELATIONS else (),
    f.Truncate: lambda fact: fact.tables,
    f.LockTable: lambda fact: fact.tables if fact.mode == _ACCESS_EXCLUSIVE else (),
    f.Cluster: lambda fact: (fact.table,) if fact.table is not None else (),
    f.Vacuum: lambda fact: fact.tables if fact.full else (),
    f.Reindex: lambda fact: (fact.name,) if fact.kind in ("index", "table") and not fact.concurrently else (),
}  # fmt: skip
