"""A temporary table has the name of a real one.

## Why

Until the session ends the bare name means the temporary table: later statements, and functions, read and write
the wrong one.

## Instead

Another name, for example with `tmp_` in front.

server: runs it

```sql bad
CREATE TEMPORARY TABLE orders (id bigint);
```

```sql good
CREATE TEMPORARY TABLE tmp_orders (id bigint) ON COMMIT DROP;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Temporary relations over declared tables."""
    for fact in scene.facts:
        if not isinstance(fact, f.CreateTable | f.CreateView) or not fact.temporary:
            continue
        name = fact.table[1]
        owner = scene.world.any_owner(name)
        if owner is not None:
            yield Found(
                f"temporary {name} hides table {name} of {scene.world.who(owner)}",
                fact.at.line,
                f"call it tmp_{name}",
                name,
                name,
            )


RULE = OwnershipRule("temporary-shadow", "X32", Severity.ERROR, check)
