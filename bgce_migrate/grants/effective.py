"""What roles can really do: through ACLs, ownership, membership, PUBLIC, views, definer functions and cascades."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from bgce_migrate.grants.current import Current
from bgce_migrate.grants.existing import Place
from bgce_migrate.grants.model import PUBLIC, Securable, SecurableKind
from bgce_migrate.grants.web import Web

#: What can be held on each kind; MAINTAIN from 17 on.
PRIVILEGES: dict[SecurableKind, tuple[str, ...]] = {
    SecurableKind.TABLE: ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"),
    SecurableKind.SEQUENCE: ("USAGE", "SELECT", "UPDATE"),
    SecurableKind.FUNCTION: ("EXECUTE",),
    SecurableKind.SCHEMA: ("CREATE", "USAGE"),
    SecurableKind.TYPE: ("USAGE",),
    SecurableKind.DATABASE: ("CREATE", "CONNECT", "TEMPORARY"),
}
BY_COLUMN = frozenset({"SELECT", "INSERT", "UPDATE", "REFERENCES"})
#: PostgreSQL's own roles that have rights without any ACL.
_BUILT_IN = {
    "pg_read_all_data": {
        (SecurableKind.TABLE, "SELECT"), (SecurableKind.SEQUENCE, "SELECT"), (SecurableKind.SCHEMA, "USAGE")
    },
    "pg_write_all_data": {
        (SecurableKind.TABLE, "INSERT"), (SecurableKind.TABLE, "UPDATE"), (SecurableKind.TABLE, "DELETE"),
        (SecurableKind.SEQUENCE, "UPDATE"), (SecurableKind.SCHEMA, "USAGE"),
    },
    "pg_maintain": {(SecurableKind.TABLE, "MAINTAIN")},
}  # fmt: skip


class Grip(Struct, frozen=True):
    """One thing a role can do to an object, and how it comes by it.

    Attributes:
        column: empty for the whole object.
        direct: PostgreSQL's own `has_*_privilege` knows it; else it goes through something that acts as another.
    """

    role: str
    on: Securable
    privilege: str
    way: str
    column: str = ""
    direct: bool = True


class Effective:
    """Answers for one reading of the catalog."""

    def __init__(self, current: Current, web: Web) -> None:
        self.current = current
        self.web = web
        self._acl: dict[tuple[Securable, str, str], dict[str, None]] = {}
        for rights in (current.access.rights, current.passed_on):
            for right in rights:
                self._acl.setdefault((right.on, right.privilege, right.column), {})[right.grantee] = None
        self._closures: dict[str, dict[str, str]] = {}

    def privileges(self, kind: SecurableKind) -> tuple[str, ...]:
        """What can be held on a kind of object, on this server."""
        newer = kind is SecurableKind.TABLE and self.current.server_version >= 170000
        return (*PRIVILEGES[kind], "MAINTAIN") if newer else PRIVILEGES[kind]

    def directly(self, role: str, on: Securable, privilege: str, column: str = "") -> str | None:
        """How a role has a privilege, as `has_*_privilege` sees it; None if it has not."""
        if role in self.web.superusers:
            return "it is a superuser"
        owner = self.current.access.owners.get(on)
        holders: dict[str, None] = dict(self._acl.get((on, privilege, ""), {}))
        if column and privilege in BY_COLUMN:
            holders |= self._acl.get((on, privilege, column), {})
        for name, path in self._closure(role).items():
            member = f"as a member of {path}" if path else ""
            if name == owner:
                return f"{member}, which owns it" if member else "it owns it"
            if name in holders:
                return member or "granted to it"
            if (on.kind, privilege) in _BUILT_IN.get(name, ()) and on.schema != "pg_catalog":
                return f"{member}, whatever is granted"
        return "granted to everybody" if PUBLIC in holders else None

    def _closure(self, role: str) -> dict[str, str]:
        """The role and all whose rights it has, each with the path to it."""
        if role not in self._closures:
            found = {role: ""}
            todo = [role]
            while todo:
                name = todo.pop(0)
                for other in self.web.inherits.get(name, ()):
                    if other not in found:
                        found[other] = f"{found[name]}, {other}".lstrip(", ")
                        todo.append(other)
            self._closures[role] = found
        return self._closures[role]

    def grips(self, role: str, on: Securable, column: str = "") -> Iterator[Grip]:
        """Everything a role can do to an object or to one column of it."""
        for privilege in self.privileges(on.kind):
            if way := self.directly(role, on, privilege, column):
                yield Grip(role, on, privilege, way, column if privilege in BY_COLUMN else "")
        if on.kind is SecurableKind.TABLE:
            yield from self._through_views(role, on, column, frozenset())
            yield from self._through_functions(role, on)
            yield from self._through_cascades(role, on, column, frozenset())

    def _through_views(self, role: str, on: Securable, column: str, seen: frozenset[Place]) -> Iterator[Grip]:
        place = (on.schema, on.name)
        for shown in self.web.shown:
            if shown.table != place or shown.view in seen or (column and column not in shown.columns):
                continue
            view = Securable(SecurableKind.TABLE, *shown.view)
            name = f"{shown.view[0]}.{shown.view[1]}"
            for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                if privilege not in shown.through or not self._has_any(role, view, privilege, seen | {place}):
                    continue
                if all(self.directly(shown.owner, on, privilege, c) for c in ((column,) if column else shown.columns)):
                    yield Grip(role, on, privilege, f"through the view {name} of {shown.owner}", column, False)

    def _has_any(self, role: str, view: Securable, privilege: str, seen: frozenset[Place]) -> bool:
        """On the view or on any of its columns, or through another view on it."""
        columns = self.current.existing.columns.get((view.schema, view.name), ())
        if any(self.directly(role, view, privilege, column) for column in ("", *columns)):
            return True
        return any(g.privilege == privilege for g in self._through_views(role, view, "", seen))

    def _through_functions(self, role: str, on: Securable) -> Iterator[Grip]:
        """Functions whose text names the table; what exactly they do to it, only reading them tells."""
        word = re.compile(rf"(?<![\w$]){re.escape(on.name)}(?![\w$])", re.IGNORECASE)
        for function, text in self.web.definers.items():
            owner = self.current.access.owners.get(function, "")
            if role == owner or not word.search(text):
                continue
            touches = any(self.directly(owner, on, p) for p in ("SELECT", "INSERT", "UPDATE", "DELETE"))
            if touches and self.directly(role, function, "EXECUTE"):
                name = f"{function.schema}.{function.name}({function.arguments})"
                yield Grip(role, on, "EXECUTE", f"through the function {name}, which runs as {owner}", "", False)

    def _through_cascades(self, role: str, on: Securable, column: str, seen: frozenset[str]) -> Iterator[Grip]:
        """A key's own triggers run as the table's owner, whoever made the change."""
        for cascade in self.web.cascades:
            if cascade.child != (on.schema, on.name) or cascade.name in seen:
                continue
            parent = Securable(SecurableKind.TABLE, *cascade.parent)
            way = f"by the key {cascade.name}, from {cascade.parent[0]}.{cascade.parent[1]}"
            above = seen | {cascade.name}
            told = not column or column in cascade.columns
            if (told or cascade.on_delete == "DELETE") and cascade.on_delete and self._can(role, parent, "DELETE", "", above):
                yield Grip(role, on, cascade.on_delete, way, "", False)
            if told and cascade.on_update and any(self._can(role, parent, "UPDATE", key, above) for key in cascade.key):
                yield Grip(role, on, cascade.on_update, way, "", False)

    def _can(self, role: str, on: Securable, privilege: str, column: str, seen: frozenset[str]) -> bool:
        if self.directly(role, on, privilege, column):
            return True
        if any(g.privilege == privilege for g in self._through_views(role, on, column, frozenset())):
            return True
        return any(g.privilege == privilege for g in self._through_cascades(role, on, column, seen))
