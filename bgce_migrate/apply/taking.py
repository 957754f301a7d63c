"""What a take-over would change: each object with its former owner, the new one, and the rights that go with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from msgspec import Struct

from bgce_migrate.db import rights_sql
from bgce_migrate.db import statements as st
from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Session
from bgce_migrate.domain import Domain
from bgce_migrate.grants.changes import OwnerChange
from bgce_migrate.grants.model import Right, Securable, SecurableKind
from bgce_migrate.grants.wanted import for_functions, for_tables
from bgce_migrate.registry import Registry

#: What whoever made a table goes on doing with it; changing it, and emptying it at once, is the owner's from now on.
KEPT_ON_TABLES = ("SELECT", "INSERT", "UPDATE", "DELETE")


class Item(Struct, frozen=True):
    """One object to take over.

    Attributes:
        along: sequences that do not go with the table by themselves.
        rights: to give in the same transaction.
        kept: those among them that no declaration gives: the former owner's, so that none of its statements fails.
        locks: how many objects are locked one after the other.
    """

    on: Securable
    former: str
    owner: str
    along: tuple[Securable, ...] = ()
    rights: tuple[Right, ...] = ()
    kept: tuple[Right, ...] = ()
    locks: int = 1

    def __str__(self) -> str:
        return f"{self.on.kind.value.lower()} {self.on.schema}.{self.on.name}"

    def statements(self) -> list[str]:
        """Of its transaction, without BEGIN and COMMIT."""
        moved = [OwnerChange(on, self.former, self.owner) for on in (self.on, *self.along)]
        out = [rights_sql.statement(change, 0) for change in moved]
        # As the owner, so that the rights are its own to take back.
        return [*out, st.set_role(self.owner), *rights_sql.grants(self.rights)]


class TakePlan(Struct, frozen=True):
    """Everything to take over.

    Attributes:
        left: objects that stay as they are, each with the reason.
        notes: what a person should look at.
        needs: roles whose rights the administrator does not have yet.
        me: the administrator's login.
    """

    items: tuple[Item, ...]
    left: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    needs: tuple[str, ...]
    me: str
    server_version: int


def plan(session: Session, registry: Registry, domains: Sequence[Domain]) -> TakePlan:
    """Look at the catalog; changes nothing. Five round trips.

    Args:
        domains: whose tables are meant; roles of others may be missing.
    """
    rows = session.ask("takeover", "roles")
    usable = {name: may == "true" for name, may in rows}
    known = {str(name) for name in usable} | {d.owner for d in domains} | {s.login for d in domains for s in d.services}
    reader = _Reader(registry, {d.owner: d for d in domains}, known)
    tables = _listed((d.schema, name, d.owner) for d in domains for name in d.tables)
    for row in session.ask("takeover", "relations", tables):
        reader.relation(tuple(value or "" for value in row))
    functions = _listed((d.schema, name, d.owner) for d in domains for name in d.functions)
    for row in session.ask("takeover", "routines", functions):
        reader.routine(tuple(value or "" for value in row))
    roles = dict.fromkeys([s.login for d in domains for s in d.services] + [i.former for i in reader.items])
    taken = {f"{i.on.schema}.{i.on.name}" for i in reader.items}
    taken |= {f"{s.schema}.{s.name}" for i in reader.items for s in i.along}
    told = {name for name, _ in reader.left}
    for kind, name, owner in session.ask("takeover", "others", array(roles), array({d.schema for d in domains})):
        if name not in taken and f"{kind} {name}" not in told:
            reader.left.append((f"{kind} {name}", f"no declaration names it; it stays with {owner}"))
    needed = dict.fromkeys(role for i in reader.items for role in (i.former, i.owner) if not usable.get(role, False))
    me = session.connection.info.user
    return TakePlan(
        tuple(reader.items), tuple(reader.left), tuple(reader.notes), tuple(needed), me, session.server_version
    )


def _listed(names: Iterable[tuple[str, str, str]]) -> str:
    return json.dumps([{"schema": schema, "name": name, "owner": owner} for schema, name, owner in names])


class _Reader:
    """Makes items of catalog rows."""

    def __init__(self, registry: Registry, owners: dict[str, Domain], known: set[str]) -> None:
        self.registry = registry
        self.owners = owners
        self.known = known
        self.items: list[Item] = []
        self.left: list[tuple[str, str]] = []
        self.notes: list[str] = []

    def relation(self, row: tuple[str, ...]) -> None:
        """A table or partition; views and row security stay as they are."""
        schema, name, kind, former, superuser, owner, root_schema, root, secured, columns, sequences, fired = row
        shown = f"{schema}.{name}"
        if kind not in ("r", "p"):
            word = {"v": "view", "m": "materialized view"}.get(kind, "foreign table")
            self.left.append((f"{word} {shown}", f"it reads as its owner {former}, so it stays with it"))
            return
        if secured == "true":
            self.left.append((
                f"table {shown}",
                f"row security would hold for {former} from then on: give it policies, or NO FORCE and BYPASSRLS, first",
            ))  # fmt: skip
            return
        if fired == "true":
            self.notes.append(f"triggers of {shown} that a foreign key's action fires run as {owner} from now on")
        found = [(s, n, own) for s, n, own in json.loads(sequences or "[]")]
        own = (schema, name) == (root_schema, root)
        used = [n for s, n, _ in found if s == schema]
        made, behind = ({name: json.loads(columns or "[]")}, {name: used}) if own else ({}, {})
        declared = for_tables(self.registry, self.owners[owner], made, behind)
        on = Securable(SecurableKind.TABLE, schema, name)
        behind_it = [Securable(SecurableKind.SEQUENCE, s, n) for s, n, _ in found]
        kept = [Right(on, former, p) for p in KEPT_ON_TABLES]
        kept += [Right(sequence, former, "USAGE") for sequence in behind_it]
        along = tuple(s for s, (_, _, goes) in zip(behind_it, found, strict=True) if not goes)
        self._add(on, former, owner, superuser == "true", declared, kept, along, 1 + len(found))

    def routine(self, row: tuple[str, ...]) -> None:
        """A function; one that runs as its owner stays."""
        schema, name, arguments, former, superuser, owner, definer = row
        if definer == "true":
            self.left.append((f"function {schema}.{name}", f"it runs as its owner {former}, so it stays with it"))
            return
        on = Securable(SecurableKind.FUNCTION, schema, name, arguments)
        declared = for_functions(self.registry, self.owners[owner], [on])
        self._add(on, former, owner, superuser == "true", declared, [Right(on, former, "EXECUTE")], (), 1)

    def _add(
        self, on: Securable, former: str, owner: str, superuser: bool, declared: Iterable[Right], kept: Iterable[Right],
        along: tuple[Securable, ...], locks: int,
    ) -> None:  # fmt: skip
        given = {r for r in declared if r.grantee in self.known}
        more = () if superuser else tuple(r for r in kept if r not in given)
        self.items.append(Item(on, former, owner, along, (*sorted(given), *more), more, locks))
