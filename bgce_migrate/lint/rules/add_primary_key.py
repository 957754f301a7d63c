"""A primary key builds its index under ACCESS EXCLUSIVE.

## Why

Every read and write waits for the build and for the look at NULLs.

## Instead

Prove NOT NULL, CREATE UNIQUE INDEX CONCURRENTLY, then ADD PRIMARY KEY USING INDEX.

effect: scan under ACCESS EXCLUSIVE

```sql setup
CREATE TABLE visits (id bigint NOT NULL, page text);
INSERT INTO visits SELECT g, 'x' FROM generate_series(1, 300) AS g;
```

```sql bad
ALTER TABLE visits ADD PRIMARY KEY (id);
```

```sql good
-- bgce: no-transaction
CREATE UNIQUE INDEX CONCURRENTLY visits_pkey ON visits (id);
```

```sql good
ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY USING INDEX visits_pkey;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AddConstraint
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import BLOCKS_ALL, is_partitioned, subject
from bgce_migrate.migration import Finding


def check(fact: AddConstraint, state: State) -> Iterator[Finding]:
    found = fact.constraint
    if (
        found.kind != "primary"
        or found.using_index
        or state.is_fresh(fact.table)
        or is_partitioned(state.table(fact.table))
    ):
        return
    yield state.finding(
        fact,
        f"the primary key builds an index on {state.name(fact.table)} {BLOCKS_ALL}",
        "CREATE UNIQUE INDEX CONCURRENTLY in a migration of its own, then PRIMARY KEY USING INDEX",
        subject=subject(state, fact.table),
    )


RULE = Rule("add-primary-key", "C07", ERROR, (AddConstraint,), check)
