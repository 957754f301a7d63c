"""A constraint on a domain that columns use.

## Why

Every table with such a column is read, while writes to it are blocked (SHARE).

## Instead

NOT VALID here, ALTER DOMAIN ... VALIDATE CONSTRAINT in a later migration.

effect: scan under SHARE

```sql setup
CREATE DOMAIN amount AS integer;
CREATE TABLE orders (id bigint PRIMARY KEY, total amount);
INSERT INTO orders SELECT g, g FROM generate_series(1, 300) AS g;
```

```sql bad
ALTER DOMAIN amount ADD CONSTRAINT amount_positive CHECK (VALUE > 0);
```

```sql good
ALTER DOMAIN amount ADD CONSTRAINT amount_positive CHECK (VALUE > 0) NOT VALID;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.catalog import shown
from bgce_migrate.lint.facts import AlterDomain
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import listed
from bgce_migrate.migration import Finding


def check(fact: AlterDomain, state: State) -> Iterator[Finding]:
    if fact.what not in ("add", "set not null") or (fact.what == "add" and not fact.valid):
        return
    used = [
        t for t, _ in state.catalog.columns_of_type(state.catalog.type_key(fact.name)) if not state.is_new(t)
    ]
    if used:
        message = f"{listed(shown(t.key) for t in used)} is read to check it, while writes to it are blocked"
        hint = "NOT VALID here; ALTER DOMAIN ... VALIDATE CONSTRAINT in a later migration"
        yield state.finding(fact, message, hint, subject=fact.name[1])


RULE = Rule("domain-constraint", "I08", ERROR, (AlterDomain,), check)
