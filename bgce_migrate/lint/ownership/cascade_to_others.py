"""DROP ... CASCADE reaches objects of another domain.

## Why

CASCADE removes what hangs on the object, whoever owns it: views, foreign keys, even columns with data. The
server asks for no privilege on them.

## Instead

Without CASCADE the server refuses and names what is in the way; ask its owners to remove it first.

server: runs it; the engine refuses the step, because it locks what belongs to others

```sql bad
DROP TYPE orders.mood CASCADE;
```

```sql good
DROP TABLE orders.notes;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Drops with CASCADE and what the replayed history hangs on them."""
    name = scene.domain.name
    for touch in scene.touches:
        if not touch.cascade or touch.soft or touch.detail == "truncate":
            continue
        others = [d for d in touch.dependents if d.owner != name and scene.world.declared(d.owner)]
        if others:
            owners = sorted({d.owner for d in others})
            listed = ", ".join(f"{d.what} ({d.owner})" for d in others[:5])
            more = f" and {len(others) - 5} more" if len(others) > 5 else ""
            yield Found(
                f"CASCADE drops more than {touch.noun}: {listed}{more}",
                touch.line,
                f"leave CASCADE out and ask {', '.join(map(scene.world.ask, owners))} to remove that first",
                touch.object.name,
                touch.shown,
            )


RULE = OwnershipRule("cascade-to-others", "X08", Severity.ERROR, check)
