"""Sentences and questions that several rules share."""

from __future__ import annotations

from bgce_migrate.lint.catalog import TableState
from bgce_migrate.lint.facts import Column
from bgce_migrate.lint.facts.values import Ref
from bgce_migrate.lint.rule import State

BLOCKS_ALL = "under ACCESS EXCLUSIVE, which stops every read and write"
BLOCKS_WRITES = "under a lock that stops every write"
VALIDATE = "add it NOT VALID here and VALIDATE it in a later migration"


def rows_are_old(state: State, ref: Ref) -> bool:
    """Whether the table may hold rows of production: it is not made by a migration that is new."""
    return not state.is_fresh(ref)


def is_partitioned(table: TableState | None) -> bool:
    """Whether it is a partitioned table."""
    return table is not None and table.kind == "partitioned"


def domain_with_rules(state: State, column: Column) -> bool:
    """Whether the column's type is a domain that migrations made with a constraint."""
    found = state.catalog.type((column.type.schema, column.type.name))
    return found is not None and found.kind == "domain" and found.constrained


def subject(state: State, ref: Ref, part: str = "") -> str:
    """`orders` or `orders.total`."""
    name = state.name(ref)
    return f"{name}.{part}" if part else name
