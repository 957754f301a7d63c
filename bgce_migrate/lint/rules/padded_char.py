"""char(n).

## Why

Values are padded with blanks, which some comparisons count and some do not.

## Instead

text, or varchar(n).

effect: none

```sql bad
CREATE TABLE notes (id bigint PRIMARY KEY, code char(8));
```

```sql good
CREATE TABLE notes (id bigint PRIMARY KEY, code varchar(8));
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
        if column.type.name == "bpchar" and not column.type.array and column.type.mods not in ((), (1,)):
            yield state.finding(
                fact,
                f"{column.name} is {column.type}: values are padded with blanks",
                "use varchar or text",
                subject=subject(state, fact.table, column.name),
                fix=at_token(
                    state.file.text, column.type_offset, r"(?:national )?char(?:acter)?(?=\s*\()", "varchar"
                ),
            )


RULE = Rule(
    "padded-char",
    "",
    WARNING,
    (
        CreateTable,
        AddColumn,
    ),
    check,
    fixable=True,
)
