"""A grant gives more than anybody declared.

## Why

PUBLIC is everybody; ALL PRIVILEGES holds TRUNCATE, TRIGGER and what later versions add; WITH GRANT OPTION hands
the decision on; ALL TABLES IN SCHEMA takes other domains' tables in the same schema along; a grant to another domain's
role is a read nobody declared.

## Instead

Nothing: the rights of services follow from `writes`, `reads` and `calls`, and are kept true.

server: runs it

```sql bad
GRANT ALL ON orders.orders TO PUBLIC;
```

```sql good
GRANT SELECT ON orders.orders TO orders_user;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Everything that is too wide in a GRANT."""
    for fact in scene.facts:
        if not isinstance(fact, f.Grant) or fact.revoke or fact.scope == "defaults":
            continue
        wide = list(_wide(scene, fact))
        if wide:
            yield Found(
                f"this GRANT is {', and '.join(wide)}",
                fact.at.line,
                "leave it out: declare `writes`, `reads` and `calls` in domain.toml, and the rights follow",
                column=fact.at.column,
                subject=", ".join(name for _, name in fact.names),
            )
    for inner in scene.inner:
        if inner.kind == "GrantStmt" and inner.inside.startswith("function"):
            message = f"{inner.inside} changes rights when it is called"
            yield Found(message, inner.line, "leave it out: rights follow from the declarations", "grant")


def _wide(scene: Scene, fact: f.Grant) -> Iterator[str]:
    if "public" in fact.grantees:
        yield "to PUBLIC, which is everybody"
    if fact.option:
        yield "WITH GRANT OPTION"
    if not fact.privileges and fact.kind not in ("function", "procedure", "routine", "type", "domain", "language"):
        yield "of ALL privileges"
    if fact.scope == "all in schema":
        yield "on all objects of a schema"
    reads = frozenset(fact.privileges) <= {"select", "references", "usage", "execute"}
    for role in fact.grantees:
        owner = scene.world.role_owner(role)
        if owner is not None and owner != scene.domain.name and not (reads and _declared(scene, owner, fact)):
            yield f"to {role} of {scene.world.who(owner)}, which declares no such use"


def _declared(scene: Scene, reader: str, fact: f.Grant) -> bool:
    """Whether the reader's services declare the use of every object."""
    services = scene.world.domains[reader].services
    mine = scene.domain.name
    for _, name in fact.names:
        reads = any(r.domain == mine and r.table in (name, "*") for s in services for r in s.reads)
        calls = any(call.replace(" ", "") == f"{mine}:{name}" for s in services for call in s.calls)
        keys = mine in scene.world.domains[reader].requires and frozenset(fact.privileges) == {"references"}
        if not (reads or calls or keys):
            return False
    return bool(fact.names)


RULE = OwnershipRule("broad-grant", "X18", Severity.ERROR, check)
