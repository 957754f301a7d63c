"""timestamp without time zone.

## Why

It holds a clock's reading and not a moment: servers and programs in other zones mean other times by it.

## Instead

timestamptz.

effect: none

```sql bad
CREATE TABLE notes (id bigint PRIMARY KEY, written_at timestamp);
```

```sql good
CREATE TABLE notes (id bigint PRIMARY KEY, written_at timestamptz);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AddColumn, CreateTable
from bgce_migrate.lint.fixes import at_token
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.lint.wording import subject
from bgce_migrate.migration import Finding


def check(fact: CreateTable | AddColumn, state: State) -> Iterator[Finding]:
    for column in (fact.column,) if isinstance(fact, AddColumn) else fact.columns:
        if column.type.name == "timestamp" and column.type.schema is None:
            pattern = r"timestamp(\s*\(\s*\d+\s*\))?(?: without time zone)?"
            yield state.finding(
                fact,
                f"{column.name} is timestamp without time zone: it means another moment in each zone",
                "use timestamptz",
                subject=subject(state, fact.table, column.name),
                fix=at_token(state.file.text, column.type_offset, pattern, r"timestamptz\1"),
            )


RULE = Rule(
    "timestamp-without-zone",
    "J02",
    WARNING,
    (
        CreateTable,
        AddColumn,
    ),
    check,
    fixable=True,
)
