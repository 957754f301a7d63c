"""Sentences and questions that several rules share."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bgce_migrate.lint.catalog import IndexState, TableState
from bgce_migrate.lint.facts import Column, Fact, Ref
from bgce_migrate.lint.fixes import NO_TRANSACTION, parts_of, replace_words
from bgce_migrate.lint.rule import State
from bgce_migrate.migration import Edit

_REST = re.compile(r"\s*;[ \t]*\n?")
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_HEAD = re.compile(
    rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{_NAME}(?:\s*\.\s*{_NAME})?\s*(?:\*\s*)?", re.I
)

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


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 4 more`."""
    found = list(dict.fromkeys(names))
    if len(found) > 4:
        found = [*found[:3], f"{len(found) - 3} more"]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def without_statement(state: State, fact: Fact) -> tuple[Edit, ...]:
    """Take a statement of one command out, with its semicolon and the rest of its line."""
    if fact.at.parts != 1:
        return ()
    text, stop = state.file.text, fact.at.offset + fact.at.length
    rest = _REST.match(text, stop)
    start = fact.at.offset
    if text[text.rfind("\n", 0, start) + 1 : start].strip():
        return (Edit(start, (rest.end() if rest else stop) - start, ""),)
    start = text.rfind("\n", 0, start) + 1
    return (Edit(start, (rest.end() if rest else stop) - start, ""),)


def in_two_statements(state: State, fact: Fact, other: Fact) -> tuple[Edit, ...]:
    """Move one sub-command of an ALTER into a statement of its own, after it."""
    text = state.statement(fact)
    head = _HEAD.match(text)
    parts = parts_of(text)
    if head is None or len(parts) != fact.at.parts:
        return ()
    words = [text[max(start, head.end()) : stop] for start, stop in parts]
    moved = words.pop(other.at.part)
    begin = text[: head.end()]
    return (Edit(fact.at.offset, fact.at.length, f"{begin}{', '.join(words)};\n{begin}{moved}"),)


def not_valid(state: State, fact: Fact) -> tuple[Edit, ...]:
    """Write NOT VALID behind the constraint of a sub-command."""
    parts = parts_of(state.statement(fact))
    if len(parts) != fact.at.parts:
        return ()
    return (Edit(fact.at.offset + parts[fact.at.part][1], 0, " NOT VALID"),)


def concurrently(state: State, fact: Fact, pattern: str, by: str) -> tuple[Edit, ...]:
    """Rewrite the file's only statement so that it runs CONCURRENTLY, outside of a transaction."""
    if any(other.at.statement != fact.at.statement for other in state.facts) or fact.at.inside:
        return ()
    words = replace_words(state.file.text, fact, pattern, by)
    if not words:
        return ()
    return words if state.file.directives.no_transaction else (Edit(0, 0, NO_TRANSACTION), *words)


def has_plain_key(index: IndexState) -> bool:
    """Whether REFRESH CONCURRENTLY takes it: unique, over plain columns, without WHERE."""
    return index.unique and not index.predicate and "" not in index.columns
