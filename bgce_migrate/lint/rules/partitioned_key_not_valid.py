"""A NOT VALID foreign key on a partitioned table.

## Why

Servers before 18 refuse it (42809).

## Instead

The key NOT VALID on each partition, VALIDATE there, then the key on the parent; or PostgreSQL 18.

effect: error 42809

servers: 16

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
CREATE TABLE customers (id bigint PRIMARY KEY, name text);
INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 300) AS g;
```

```sql bad
ALTER TABLE events ADD CONSTRAINT events_customer_fk FOREIGN KEY (id) REFERENCES customers (id) NOT VALID;
```

```sql good
ALTER TABLE events_1 ADD CONSTRAINT events_customer_fk FOREIGN KEY (id) REFERENCES customers (id) NOT VALID;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AddConstraint
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import is_partitioned, subject
from bgce_migrate.migration import Finding


def check(fact: AddConstraint, state: State) -> Iterator[Finding]:
    found = fact.constraint
    if found.references is not None and not found.valid and is_partitioned(state.table(fact.table)):
        yield state.finding(
            fact,
            f"{state.name(fact.table)} is partitioned: PostgreSQL {state.target} refuses a NOT VALID foreign key on it",
            "add it NOT VALID to each partition, VALIDATE there, then add it to the parent",
            subject=subject(state, fact.table, found.name),
        )


RULE = Rule("partitioned-key-not-valid", "C10", ERROR, (AddConstraint,), check, until=17)
