"""A migration makes, changes or joins roles.

## Why

Roles are the walls between domains, belong to the whole server, and outlive the database. A membership lets one
domain act as another.

## Instead

Declare services and their logins; `bgce-migrate bootstrap` and `grants` make the roles.

server: refuses it, 42501

```sql bad
GRANT billing_owner TO orders_owner;
```

```sql good
COMMENT ON TABLE orders.orders IS 'see the roles in domain.toml';
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_WORDS = {
    "create": "makes a role",
    "alter": "changes a role",
    "drop": "drops a role",
    "grant": "grants a role",
    "revoke": "revokes a role",
    "set": "changes a role's settings",
}
#: `ServerWide.what` of ALTER ROLE ... SET.
ROLE_SETTINGS = "alter role set"
_KINDS = {
    "CreateRoleStmt": "create", "AlterRoleStmt": "alter", "DropRoleStmt": "drop", "GrantRoleStmt": "grant",
    "AlterRoleSetStmt": "set",
}  # fmt: skip


def check(scene: Scene) -> Iterator[Found]:
    """Statements about roles, also in bodies."""
    said: set[int] = set()
    hint = "take it out: declare services and logins, and let `bgce-migrate bootstrap` make the roles"
    for fact in scene.facts:
        if isinstance(fact, f.Role) and fact.what in _WORDS and fact.at.line not in said:
            said.add(fact.at.line)
            names = ", ".join(fact.names[:3])
            message = f"{scene.domain.name} {_WORDS[fact.what]}" + (f" ({names})" if names else "")
            yield Found(message, fact.at.line, hint, column=fact.at.column, subject=names)
        elif isinstance(fact, f.ServerWide) and fact.what == ROLE_SETTINGS:
            said.add(fact.at.line)
            message = f"{scene.domain.name} {_WORDS['set']} ({fact.name})"
            yield Found(message, fact.at.line, hint, column=fact.at.column, subject=fact.name)
    for inner in scene.inner:
        if inner.kind in _KINDS and inner.line not in said:
            said.add(inner.line)
            yield Found(f"{inner.inside} of {scene.domain.name} {_WORDS[_KINDS[inner.kind]]}", inner.line, hint, "role")


RULE = OwnershipRule("role-administration", "X19", Severity.ERROR, check)
