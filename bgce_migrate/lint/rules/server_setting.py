"""A setting of the whole server, database or role.

## Why

It reaches every service on the server, at once or at their next login.

## Instead

An administrator's change, outside of migrations.

effect: none

```sql bad
ALTER ROLE CURRENT_USER SET work_mem = '64MB';
```

```sql good
SET LOCAL work_mem = '64MB';
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import ServerWide
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.migration import Finding


def check(fact: ServerWide, state: State) -> Iterator[Finding]:
    if fact.what in ("alter system", "alter database", "alter role set") and not state.file.declared:
        message = f"{fact.what.upper()} {fact.name} changes what other services get".replace("  ", " ")
        yield state.finding(fact, message, "leave it to an administrator", subject=fact.name)


RULE = Rule("server-setting", "H17", ERROR, (ServerWide,), check)
