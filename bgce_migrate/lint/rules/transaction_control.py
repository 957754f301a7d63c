"""BEGIN or COMMIT in a migration.

## Why

The engine frames each migration with a transaction that also writes history and grants. A BEGIN and COMMIT around the
whole file are taken off; anything else would commit a half.

## Instead

Leave them out.

effect: none

```sql bad
BEGIN;
CREATE TABLE notes (id bigint PRIMARY KEY);
COMMIT;
```

```sql good
CREATE TABLE notes (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import Transaction
from bgce_migrate.lint.rule import ERROR, WARNING, Rule, State
from bgce_migrate.lint.wording import without_statement
from bgce_migrate.migration import Finding


def check(fact: Transaction, state: State) -> Iterator[Finding]:
    if fact.word not in ("begin", "commit", "rollback", "prepare transaction"):
        return
    if fact.wraps:
        if fact.word == "begin":
            pair = [other for other in state.facts if isinstance(other, Transaction) and other.wraps]
            fix = tuple(edit for other in pair for edit in without_statement(state, other))
            message = "the engine runs each migration in a transaction: BEGIN and COMMIT are taken off"
            yield state.finding(fact, message, "leave both out", fix=fix)
        return
    message = f"{fact.word.upper()} in the middle: what is before it stands when the rest fails"
    yield state.finding(fact, message, "leave it out, or use two migrations", severity=ERROR)


RULE = Rule("transaction-control", "H04", WARNING, (Transaction,), check, fixable=True)
