"""IF NOT EXISTS in a new migration.

## Why

If something of that name is there with another shape, nothing happens and nobody hears of it. The engine makes re-runs
safe without it; for ADD COLUMN and CREATE INDEX the lock is taken anyway.

## Instead

Leave it out.

effect: none

```sql bad
CREATE TABLE IF NOT EXISTS notes (id bigint PRIMARY KEY);
```

```sql good
CREATE TABLE notes (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AddColumn, CreateIndex, CreateSchema, CreateTable, Sequence
from bgce_migrate.lint.fixes import replace_words
from bgce_migrate.lint.rule import NOTE, Rule, State
from bgce_migrate.migration import Finding


def check(
    fact: CreateTable | CreateIndex | AddColumn | CreateSchema | Sequence, state: State
) -> Iterator[Finding]:
    if not fact.if_not_exists or (isinstance(fact, CreateIndex) and fact.concurrently):
        return
    if isinstance(fact, CreateTable):
        made = state.table(fact.table) is None
    elif isinstance(fact, AddColumn):
        table = state.table(fact.table)
        made = table is not None and table.known and fact.column.name not in table.columns
    else:
        made = False
    sure = made and state.catalog.complete and fact.at.parts == 1
    yield state.finding(
        fact,
        "IF NOT EXISTS hides that something else of that name is there",
        "leave it out: the engine makes re-runs safe",
        fix=replace_words(state.file.text, fact, r"IF NOT EXISTS ", "") if sure else (),
    )


RULE = Rule(
    "if-not-exists",
    "H11",
    NOTE,
    (
        CreateTable,
        CreateIndex,
        AddColumn,
        CreateSchema,
        Sequence,
    ),
    check,
    fixable=True,
)
