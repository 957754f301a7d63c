"""ALTER DEFAULT PRIVILEGES gives rights on tables that do not exist yet.

## Why

Every table made later gets the grant, without a line anywhere near it.

## Instead

Nothing: new tables get their rights from the declarations when they are made.

server: runs it

```sql bad
ALTER DEFAULT PRIVILEGES IN SCHEMA orders GRANT SELECT ON TABLES TO PUBLIC;
```

```sql good
ALTER DEFAULT PRIVILEGES IN SCHEMA orders REVOKE ALL ON TABLES FROM PUBLIC;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Grants among default privileges."""
    for fact in scene.facts:
        if isinstance(fact, f.Grant) and fact.scope == "defaults" and not fact.revoke:
            yield Found(
                f"default privileges give {', '.join(fact.grantees)} rights on everything made later",
                fact.at.line,
                "leave it out: rights on new tables follow from the declarations",
                column=fact.at.column,
            )


RULE = OwnershipRule("default-privileges", "X20", Severity.ERROR, check)
