"""PRIMARY KEY USING INDEX over a column that may be NULL.

## Why

The server sets the column NOT NULL first, which reads the whole table under ACCESS EXCLUSIVE.

## Instead

Prove NOT NULL with a valid CHECK and SET NOT NULL first.

effect: scan under ACCESS EXCLUSIVE

```sql setup
CREATE TABLE visits (id bigint, page text);
INSERT INTO visits SELECT g, 'x' FROM generate_series(1, 300) AS g;
CREATE UNIQUE INDEX visits_pkey ON visits (id);
```

```sql bad
ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY USING INDEX visits_pkey;
```

```sql good
UPDATE visits SET id = 0 WHERE id IS NULL;
```

```sql good
ALTER TABLE visits ADD CONSTRAINT visits_id_nn CHECK (id IS NOT NULL) NOT VALID;
```

```sql good
ALTER TABLE visits VALIDATE CONSTRAINT visits_id_nn;
```

```sql good
ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY USING INDEX visits_pkey;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AddConstraint
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import BLOCKS_ALL, subject
from bgce_migrate.migration import Finding


def check(fact: AddConstraint, state: State) -> Iterator[Finding]:
    table = state.table(fact.table)
    if (
        fact.constraint.kind != "primary"
        or not fact.constraint.using_index
        or table is None
        or state.is_new(table)
    ):
        return
    index = table.indexes.get(fact.constraint.using_index)
    for name in index.columns if index is not None else ():
        column = table.columns.get(name)
        if column is not None and not column.not_null and not table.proves_not_null(name):
            yield state.finding(
                fact,
                f"{name} may be NULL, so all of {state.name(fact.table)} is read for the primary key {BLOCKS_ALL}",
                f"first CHECK ({name} IS NOT NULL) NOT VALID, and VALIDATE it in a later migration",
                subject=subject(state, fact.table, name),
            )


RULE = Rule("primary-key-nullable", "C08", ERROR, (AddConstraint,), check)
