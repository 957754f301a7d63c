"""SQL whose target cannot be read.

## Why

EXECUTE of a computed text, a body in another language, SQL our grammar does not know: nobody can tell whose
table it is about before it runs.

## Instead

Write the statement out, or let `format` have constants only. Where that cannot be, say with
`-- bgce: requires` what it needs, and give the reason in `-- bgce: allow dynamic-target until ... reason="..."`.

server: refuses it, 42501

```sql bad
DO $$
DECLARE t text;
BEGIN
    FOR t IN SELECT tablename FROM pg_tables LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN x integer', t);
    END LOOP;
END $$;
```

```sql good
DO $$
BEGIN
    EXECUTE format('ALTER TABLE %I.%I ADD COLUMN x integer', 'orders', 'orders');
END $$;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """What effects call opaque."""
    said: set[int] = set()
    for touch in scene.touches:
        if touch.action is Action.OPAQUE and touch.line not in said:
            said.add(touch.line)
            yield Found(
                f"{touch.detail or 'this SQL'} cannot be seen through: nobody can tell whose objects it touches",
                touch.line,
                "write the statement out; if it needs another domain's objects, `-- bgce: requires <domain>/<version>`",
                "execute",
                severity=Severity.WARNING if touch.soft else None,
            )


RULE = OwnershipRule("dynamic-target", "X34", Severity.ERROR, check)
