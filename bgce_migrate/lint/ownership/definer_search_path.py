"""A SECURITY DEFINER function without a pinned search path.

## Why

Whoever calls it chooses the path, so a function or table of theirs with the right name runs, or is read, with
the rights of the domain's owner. Temporary objects come first unless `pg_temp` stands last.

## Instead

`SET search_path = orders, pg_temp`.

server: runs it

```sql bad
CREATE FUNCTION orders.pay(bigint) RETURNS void LANGUAGE sql SECURITY DEFINER AS
    'UPDATE orders.orders SET total = 0 WHERE id = $1';
REVOKE EXECUTE ON FUNCTION orders.pay(bigint) FROM PUBLIC;
```

```sql good
CREATE FUNCTION orders.pay(bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = orders, pg_temp AS
    'UPDATE orders.orders SET total = 0 WHERE id = $1';
REVOKE EXECUTE ON FUNCTION orders.pay(bigint) FROM PUBLIC;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.ownership.definers import definers
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Definer functions whose path is open, or where temporary objects come first."""
    for name, line, path, _ in definers(scene):
        if path is not None and (path == ("",) or path[-1] == "pg_temp"):
            continue
        what = "does not pin search_path" if path is None else "does not end its search_path in pg_temp"
        yield Found(
            f"function {name[1]} runs with the rights of {scene.domain.owner} and {what}",
            line,
            f"write SET search_path = {scene.domain.schema}, pg_temp",
            name[1],
            name[1],
        )


RULE = OwnershipRule("definer-search-path", "X25", Severity.ERROR, check)
