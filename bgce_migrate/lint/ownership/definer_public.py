"""A SECURITY DEFINER function that everybody may call.

## Why

EXECUTE goes to PUBLIC by default, so every domain and every login can act with the owner's rights.

## Instead

REVOKE EXECUTE ... FROM PUBLIC in the same migration; callers get it by `functions` and `calls`.

server: runs it

```sql bad
CREATE FUNCTION orders.pay(bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = orders, pg_temp AS
    'UPDATE orders.orders SET total = 0 WHERE id = $1';
```

```sql good
CREATE FUNCTION orders.pay(bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = orders, pg_temp AS
    'UPDATE orders.orders SET total = 0 WHERE id = $1';
REVOKE EXECUTE ON FUNCTION orders.pay(bigint) FROM PUBLIC;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.definers import definers
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Definer functions made here without a REVOKE beside them; trigger functions cannot be called."""
    revoked = {
        name
        for fact in scene.facts
        if isinstance(fact, f.Grant) and fact.revoke and "public" in fact.grantees
        for _, name in fact.names
    }
    triggers = {fact.name[1] for fact in scene.facts if isinstance(fact, f.CreateFunction) and fact.returns == "trigger"}
    for name, line, _, made in definers(scene):
        if made and name[1] not in revoked and name[1] not in triggers:
            yield Found(
                f"everybody may call function {name[1]}, which runs with the rights of {scene.domain.owner}",
                line,
                f"write REVOKE EXECUTE ON FUNCTION {name[1]}(...) FROM PUBLIC; in this migration",
                name[1],
                name[1],
            )


RULE = OwnershipRule("definer-public", "X26", Severity.ERROR, check)
