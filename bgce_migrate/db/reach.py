"""Reads what lets rights spread: memberships of the whole server, views, definer functions, cascading keys."""

from __future__ import annotations

import json

from bgce_migrate.db.acl import PIN
from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Command
from bgce_migrate.grants.model import Securable, SecurableKind
from bgce_migrate.grants.scope import Scope
from bgce_migrate.grants.web import Cascade, Shown, Web

#: Bits of pg_relation_is_updatable.
_THROUGH = {4: "UPDATE", 8: "INSERT", 16: "DELETE"}
_ON_DELETE = {"c": "DELETE", "n": "UPDATE", "d": "UPDATE"}
_ON_UPDATE = {"c": "UPDATE", "n": "UPDATE", "d": "UPDATE"}


def read_web(session: Session, scope: Scope) -> Web:
    """One round trip."""
    query = session.query
    replies = session.run(
        [
            Command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            Command(PIN),
            Command(query("acl", "inheriting")),
            Command(query("acl", "superusers")),
            Command(query("acl", "shown")),
            Command(query("acl", "definers"), (array([*scope.owning, scope.bookkeeper]),)),
            Command(query("acl", "cascades")),
            Command("COMMIT"),
        ]
    )
    inheriting, superusers, shown, definers, cascades = (
        [tuple(value or "" for value in row) for row in reply.rows] for reply in replies[2:-1]
    )
    inherits: dict[str, list[str]] = {}
    for member, role in inheriting:
        inherits.setdefault(member, []).append(role)
    return Web(
        {member: tuple(roles) for member, roles in inherits.items()},
        frozenset(name for (name,) in superusers),
        tuple(
            Shown((vs, vn), owner, (ts, tn), frozenset(json.loads(columns)), _through(int(bits)))
            for vs, vn, owner, bits, ts, tn, columns in shown
        ),
        tuple(
            Cascade(
                (cs, cn), (ps, pn), name, _ON_DELETE.get(deleted, ""), _ON_UPDATE.get(updated, ""),
                frozenset(json.loads(columns)), frozenset(json.loads(key)),
            )
            for cs, cn, ps, pn, name, deleted, updated, columns, key in cascades
        ),
        {Securable(SecurableKind.FUNCTION, schema, name, args): text for schema, name, args, text in definers},
    )  # fmt: skip


def _through(bits: int) -> frozenset[str]:
    return frozenset({"SELECT", *(word for bit, word in _THROUGH.items() if bits & bit)})
