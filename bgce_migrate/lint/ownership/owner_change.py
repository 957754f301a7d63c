"""An object changes its owner.

## Why

Every object of a domain belongs to its owner role. With another owner the domain's next migration is refused,
and the new owner may do with it what it likes.

## Instead

Leave it: the step runs as the owner, so what it makes is the owner's. A table moves to another domain by a
migration there that makes a new one.

server: refuses it, 42501

```sql bad
ALTER TABLE orders.orders OWNER TO billing_owner;
```

```sql good
ALTER TABLE orders.orders OWNER TO orders_owner;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_INNER = {"AlterOwnerStmt": "changes an owner", "ReassignOwnedStmt": "reassigns what roles own", "DropOwnedStmt": "drops what a role owns"}


def check(scene: Scene) -> Iterator[Found]:
    """OWNER TO, REASSIGN OWNED and DROP OWNED."""
    hint = f"take it out: steps run as {scene.domain.owner}, and what they make is its own"
    for fact in scene.facts:
        if isinstance(fact, f.Role) and fact.what in ("reassign owned", "drop owned"):
            message = f"{scene.domain.name} says {fact.what.upper()}, which reaches every object of a role"
            yield Found(message, fact.at.line, hint, column=fact.at.column)
            continue
        to = _new_owner(fact)
        if to is not None and to not in (scene.domain.owner, "current_user", "current_role"):
            owner = scene.world.role_owner(to)
            of = f" of {scene.world.who(owner)}" if owner is not None else ""
            yield Found(f"an object of {scene.domain.name} would belong to role {to}{of}", fact.at.line, hint, to)
    for inner in scene.inner:
        if inner.kind in _INNER and inner.inside.startswith("function"):
            yield Found(f"{inner.inside} {_INNER[inner.kind]}", inner.line, hint, "owner")


def _new_owner(fact: object) -> str | None:
    if isinstance(fact, f.ChangeOwner):
        return fact.to
    if isinstance(fact, f.TableChange) and fact.what == "owner":
        return fact.name
    return None


RULE = OwnershipRule("owner-change", "X21", Severity.ERROR, check)
