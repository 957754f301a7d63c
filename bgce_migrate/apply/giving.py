"""The rights that a step gives on what it makes, in its own transaction: no service meets a table without them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.access import Grant
from bgce_migrate.db import rights_sql
from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Rows, Session
from bgce_migrate.domain import Domain
from bgce_migrate.effect import Effect
from bgce_migrate.grants.made import Made, is_narrowed, made
from bgce_migrate.grants.model import PUBLIC, Right, Securable, SecurableKind
from bgce_migrate.grants.wanted import for_functions, for_tables, no_longer_whole
from bgce_migrate.migration import Statement
from bgce_migrate.registry import Registry

_TABLES = frozenset("rpvmf")


class Asked(Protocol):
    """What plugins ask for beside the declarations."""

    def grants(self, domain: Domain, registry: Registry) -> tuple[Grant, ...]: ...


class Giving(Struct, frozen=True):
    """What decides about rights in one run.

    Attributes:
        extra: what plugins ask for, by domain.
        roles: those that exist, of all that rights could go to.
        inside: (schema, role) where the role may use the schema.
    """

    registry: Registry
    extra: Mapping[str, tuple[Grant, ...]]
    roles: frozenset[str]
    inside: frozenset[tuple[str, str]]

    def gift(self, domain: Domain, effects: Sequence[Effect], statements: Sequence[Statement]) -> Gift:
        """The rights of one step, or of one unit of it."""
        return Gift(self, domain, made(domain, effects, statements))

    def grants(self, domain: Domain, rights: Iterable[Right]) -> tuple[str, ...]:
        """The statements, with USAGE on the schema, but for roles that are not there yet: a service may be declared before."""
        given = self.existing(rights)
        lacking = {r.grantee for r in given if (domain.schema, r.grantee) not in self.inside and r.grantee != PUBLIC}
        schema = Securable(SecurableKind.SCHEMA, "", domain.schema)
        return rights_sql.grants((*(Right(schema, role, "USAGE") for role in sorted(lacking)), *given))

    def existing(self, rights: Iterable[Right]) -> tuple[Right, ...]:
        """Those for roles that are there."""
        return tuple(r for r in rights if r.grantee == PUBLIC or r.grantee in self.roles)


class Gift(Struct, frozen=True):
    """What one step gives.

    Attributes:
        made: what its text says that it makes.
    """

    giving: Giving
    domain: Domain
    made: Made

    def known(self) -> tuple[str, ...]:
        """The statements for what the text tells."""
        rights = self.made.rights(self.giving.registry, self.domain, self._extra)
        return self.giving.grants(self.domain, rights)

    def part(self, effects: Sequence[Effect], statements: Sequence[Statement]) -> Gift:
        """The same for a part of the step."""
        return replace(self, made=made(self.domain, effects, statements))

    def found(self, session: Session, owner: str, held: Rows) -> tuple[str, ...]:
        """The statements for what only the server can tell: asked only where there may be something.

        Args:
            held: rows of the query `locks.held`; what is new is locked as hard as can be, but for functions.
        """
        return (*self._relations(session, owner, held), *(self._functions(session, owner) if self.made.hides else ()))

    def _functions(self, session: Session, owner: str) -> tuple[str, ...]:
        rows = session.ask("locks", "functions_made", self.domain.schema, owner)
        found = (Securable(SecurableKind.FUNCTION, self.domain.schema, name or "", arguments or "") for name, arguments in rows)
        return self.giving.grants(self.domain, for_functions(self.giving.registry, self.domain, found))

    def _relations(self, session: Session, owner: str, held: Rows) -> tuple[str, ...]:
        oids = [row[2] or "" for row in held if self._is_hidden(row, owner)]
        if not oids:
            return ()
        tables: dict[str, list[str]] = {}
        sequences: dict[str, list[str]] = {}
        for schema, name, kind, columns, behind in session.ask("locks", "made", "{" + ",".join(oids) + "}"):
            if schema == self.domain.schema and kind == "S":
                sequences.setdefault("", []).append(name or "")
            elif schema == self.domain.schema:
                tables[name or ""] = json.loads(columns or "[]")
                sequences[name or ""] = json.loads(behind or "[]")
        registry = self.giving.registry
        narrowed = [t for t in tables if any(is_narrowed(self.domain, t, c) for c in self.made.widened.get(t, ()))]
        taken = no_longer_whole(registry, self.domain, narrowed)
        given = for_tables(registry, self.domain, tables, sequences, extra=self._extra)
        return (*rights_sql.revokes(self.giving.existing(taken)), *self.giving.grants(self.domain, given))

    @property
    def _extra(self) -> tuple[Grant, ...]:
        return self.giving.extra.get(self.domain.name, ())

    def _is_hidden(self, row: tuple[str | None, ...], owner: str) -> bool:
        kind, mode, _oid, _classid, schema, name, role, _extension, relkind, _late = row
        if kind != "relation" or role != owner or mode != "AccessExclusiveLock" or schema != self.domain.schema:
            return False
        if name in self.made.unsure or (name or "") not in self.made.told:
            return relkind in _TABLES or (relkind == "S" and self.made.hides)
        return False


def giving(session: Session, registry: Registry, asked: Asked) -> Giving:
    """Read which roles are there; one round trip.

    Raises:
        Refused: a plugin asks for what it may not.
    """
    extra = {d.name: asked.grants(d, registry) for d in registry.domains if d.declared}
    names = {s.login for s in registry.services.values()} | {d.owner for d in registry.domains}
    names |= {grant.grantee for grants in extra.values() for grant in grants}
    schemas = {d.schema for d in registry.domains}
    rows = session.ask("roles", "inside", array(names), array(schemas))
    roles = frozenset(role or "" for role, _ in rows)
    inside = frozenset((schema or "", role or "") for role, schema in rows if schema is not None)
    return Giving(registry, {name: grants for name, grants in extra.items() if grants}, roles, inside)
