"""A password in a migration.

## Why

Files, history and logs keep it for ever, readable for everybody who can read one of them.

## Instead

Passwords are set by an administrator; `bgce-migrate grants password` sends only a verifier.

effect: none

```sql bad
CREATE ROLE lint_reader PASSWORD 'hunter2';
```

```sql good
CREATE ROLE lint_reader;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import Role, Secret
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import listed
from bgce_migrate.migration import Finding


def check(fact: Role | Secret, state: State) -> Iterator[Finding]:
    if fact.password:
        what = fact.kind if isinstance(fact, Secret) else "role"
        name = fact.name if isinstance(fact, Secret) else listed(fact.names)
        message = f"the password of {what} {name} stands in the file, and will stand in history and logs"
        hint = "leave it out; `bgce-migrate grants password` sets it without writing it down"
        yield state.finding(fact, message, hint, subject=name)


RULE = Rule(
    "secret-in-sql",
    "",
    ERROR,
    (
        Role,
        Secret,
    ),
    check,
)
