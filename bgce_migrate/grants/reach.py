"""How far declarations reach: which rights are theirs to take away, and which are other people's."""

from __future__ import annotations

from collections.abc import Mapping

from bgce_migrate.grants.model import PUBLIC, Right, Securable, SecurableKind
from bgce_migrate.grants.scope import Absent, Scope


def is_ours(
    scope: Scope, owners: Mapping[Securable, str], declared: Mapping[Securable, str], right: Right
) -> bool:
    """Whether a right that nobody declares is to be taken away.

    Everything on objects of the owner roles and on declared ones; of other objects what the project's own owners
    and services hold, and what `ensure absent` says of everybody.

    Args:
        owners: by object.
        declared: objects with the owner that the declarations want for them.
    """
    on, known = right.on, right.grantee in scope.owners or right.grantee in scope.logins
    if on.kind is SecurableKind.DATABASE:
        if right.grantee == PUBLIC:
            word = {"TEMPORARY": Absent.TEMPORARY, "CONNECT": Absent.CONNECT}.get(right.privilege)
            return word is None or word in scope.absent
        return known and right.privilege == "CREATE"
    if on.kind is SecurableKind.SCHEMA:
        return _schema(scope, owners, right, known)
    if on.schema == scope.bookkeeping or (on.schema, on.name) in scope.states:
        return known or (right.grantee == PUBLIC and on.schema != scope.bookkeeping)
    if on.kind is SecurableKind.FUNCTION and right.grantee == PUBLIC and Absent.FUNCTIONS not in scope.absent:
        return False
    return owners.get(on) in scope.owning or on in declared


def _schema(scope: Scope, owners: Mapping[Securable, str], right: Right, known: bool) -> bool:
    if right.grantee == PUBLIC and right.privilege == "CREATE":
        return Absent.SCHEMA_CREATE in scope.absent or right.on.name == scope.bookkeeping
    if right.on.name == scope.bookkeeping:
        return known and right.privilege == "CREATE"
    if owners.get(right.on) in scope.owning:
        return True
    return known and right.privilege == "CREATE"
