"""An EXCLUDE constraint builds its index under ACCESS EXCLUSIVE.

## Why

Every read and write waits for the build; this kind of constraint has no form that is checked later.

## Instead

A new table with the constraint, filled in batches and swapped; or a window where the table is small.

effect: scan under ACCESS EXCLUSIVE

```sql setup
CREATE TABLE bookings (id bigint PRIMARY KEY, during tsrange);
INSERT INTO bookings SELECT g, NULL FROM generate_series(1, 300) AS g;
```

```sql bad
ALTER TABLE bookings ADD CONSTRAINT bookings_apart EXCLUDE USING gist (during WITH &&);
```

```sql good
CREATE TABLE bookings_next (id bigint PRIMARY KEY, during tsrange, EXCLUDE USING gist (during WITH &&));
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AddConstraint
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import BLOCKS_ALL, subject
from bgce_migrate.migration import Finding


def check(fact: AddConstraint, state: State) -> Iterator[Finding]:
    if fact.constraint.kind != "exclude" or state.is_fresh(fact.table):
        return
    yield state.finding(
        fact,
        f"EXCLUDE builds its index on {state.name(fact.table)} {BLOCKS_ALL}, and cannot be checked later",
        "make a new table with the constraint, fill it and swap; or choose a quiet moment while the table is small",
        subject=subject(state, fact.table, fact.constraint.name),
    )


RULE = Rule("add-exclude", "C09", ERROR, (AddConstraint,), check)
