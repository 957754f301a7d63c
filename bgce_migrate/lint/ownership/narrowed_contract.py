"""A table that others write through a shared function gets a stricter rule.

## Why

Callers of the function send what was allowed until now. A new NOT NULL, CHECK or unique key refuses some of
it, and their programs fail.

## Instead

Change the function first so that it fills or checks the value, tell its callers, then add the rule.

server: runs it

```sql bad
ALTER TABLE orders.orders ALTER COLUMN person_id SET NOT NULL;
```

```sql good
ALTER TABLE orders.notes ALTER COLUMN body SET NOT NULL;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_KINDS = frozenset({"check", "unique", "primary", "exclude", "not_null"})


def check(scene: Scene) -> Iterator[Found]:
    """New restrictions on tables that functions with foreign callers write."""
    for fact in scene.facts:
        if isinstance(fact, f.SetNotNull):
            what = f"NOT NULL of {fact.column}"
        elif isinstance(fact, f.AddConstraint) and fact.constraint.kind in _KINDS:
            what = f"the {fact.constraint.kind} constraint"
        elif isinstance(fact, f.CreateIndex) and fact.unique:
            what = "the unique index"
        else:
            continue
        writers = scene.world.writers(scene.domain.name, fact.table[1])
        callers = sorted({(fn, d) for fn in writers for d, _ in scene.world.callers(scene.domain.name, fn)})
        if callers:
            listed = ", ".join(f"{d} through {fn}()" for fn, d in callers)
            yield Found(
                f"{what} on {fact.table[1]} also binds what others write: {listed}",
                fact.at.line,
                f"ask {', '.join(sorted({scene.world.ask(d) for _, d in callers}))} whether they send such values",
                fact.table[1],
                fact.table[1],
            )


RULE = OwnershipRule("narrowed-contract", "X10", Severity.WARNING, check)
