"""Changes of rights as SQL: GRANT, REVOKE, ALTER DEFAULT PRIVILEGES, ALTER ... OWNER TO; every name quoted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bgce_migrate.db.statements import identifier
from bgce_migrate.grants.changes import (
    Change,
    DefaultChange,
    MembershipChange,
    OwnerChange,
    RightsChange,
    grouped,
)
from bgce_migrate.grants.model import PUBLIC, Right, Securable, SecurableKind


def securable(on: Securable) -> str:
    """The object as GRANT names it.

    The arguments of a function are the server's own words, quoted by it.
    """
    if on.kind is SecurableKind.FUNCTION:
        return f"ROUTINE {identifier(on.schema, on.name)}({on.arguments})"
    parts = (on.schema, on.name) if on.schema else (on.name,)
    return f"{on.kind.value} {identifier(*parts)}"


def role(name: str) -> str:
    """A grantee; quoted, `"public"` would be everybody just the same."""
    return "PUBLIC" if name == PUBLIC else identifier(name)


def grants(rights: Mapping[Right, str] | Iterable[Right]) -> tuple[str, ...]:
    """The GRANTs for rights, as few as possible."""
    return tuple(statement(change, 0) for change in grouped(rights))


def revokes(rights: Iterable[Right]) -> tuple[str, ...]:
    """The REVOKEs that take rights away, as few as possible."""
    return tuple(statement(change, 0) for change in grouped(rights, gives=False))


def statement(change: Change, server_version: int) -> str:
    """One statement that makes a change.

    Args:
        server_version: as libpq gives it, e.g. 160004; memberships have options from 16 on.
    """
    if isinstance(change, RightsChange):
        return _rights(change)
    if isinstance(change, DefaultChange):
        return _default(change)
    if isinstance(change, OwnerChange):
        return _owner(change)
    return _membership(change, server_version)


def _rights(change: RightsChange) -> str:
    listed = f" ({', '.join(identifier(c) for c in change.columns)})" if change.columns else ""
    words = ", ".join(f"{privilege}{listed}" for privilege in change.privileges)
    who = ", ".join(role(grantee) for grantee in change.grantees)
    if change.gives:
        option = " WITH GRANT OPTION" if change.option else ""
        return f"GRANT {words} ON {securable(change.on)} TO {who}{option}"
    option = "GRANT OPTION FOR " if change.option else ""
    return f"REVOKE {option}{words} ON {securable(change.on)} FROM {who}{' CASCADE' if change.cascade else ''}"


def _default(change: DefaultChange) -> str:
    right, words = change.right, ", ".join(change.privileges)
    place = f" IN SCHEMA {identifier(right.schema)}" if right.schema else ""
    start = f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(right.owner)}{place}"
    if change.gives:
        option = " WITH GRANT OPTION" if right.grantable else ""
        return f"{start} GRANT {words} ON {right.objects} TO {role(right.grantee)}{option}"
    return f"{start} REVOKE {words} ON {right.objects} FROM {role(right.grantee)}"


def _membership(change: MembershipChange, server_version: int) -> str:
    m = change.membership
    if not change.gives:
        by = f" GRANTED BY {identifier(change.granted_by)}" if change.granted_by and server_version >= 160000 else ""
        return f"REVOKE {identifier(m.role)} FROM {identifier(m.member)}{by}"
    words = []
    if server_version >= 160000:
        words = [f"INHERIT {str(m.inherit).upper()}", f"SET {str(m.set_role).upper()}"]
        words += ["ADMIN TRUE"] if m.admin else []
    elif m.admin:
        words = ["ADMIN OPTION"]
    return f"GRANT {identifier(m.role)} TO {identifier(m.member)}{' WITH ' + ', '.join(words) if words else ''}"


def lend(name: str, member: str, server_version: int) -> str:
    """Membership with everything it can give, for as long as a transaction lasts."""
    options = " WITH INHERIT TRUE, SET TRUE" if server_version >= 160000 else ""
    return f"GRANT {identifier(name)} TO {identifier(member)}{options}"


def _owner(change: OwnerChange) -> str:
    word, _, name = securable(change.on).partition(" ")
    return f"ALTER {change.relation or word} {name} OWNER TO {identifier(change.after)}"
