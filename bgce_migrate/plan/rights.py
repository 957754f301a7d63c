"""Which rights on other owners' objects the steps of a plan need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from bgce_migrate.domain import Domain
from bgce_migrate.effect import FOREIGN_KEY, Action, Name, ObjectKind
from bgce_migrate.errors import Problem, Refused
from bgce_migrate.migration import ForeignUse, MigrationId
from bgce_migrate.registry.references import ReferenceFault, parse_target

#: These need ownership of the table, no grant helps; lint and the server say so.
_OWNERSHIP = frozenset({"index", "trigger", "inherits", "partition", "owned by", "statistics", "policy"})
#: These use the row type only, which everybody may.
_ROW_TYPE = frozenset({"column type", "table of a type"})


class Right(Struct, frozen=True):
    """Privileges that an owner must give to another domain's owner role.

    Attributes:
        columns: the columns they are limited to, sorted; None for the whole object.
    """

    owner_domain: str
    object: Name
    grantee: str
    privileges: frozenset[str]
    columns: tuple[str, ...] | None = None


class _Wanted:
    """Privileges gathered by owner, object and grantee; None for the columns means all of them."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, Name, str], dict[str, set[str] | None]] = {}

    def add(
        self, owner: str, what: Name, grantee: str, privilege: str, columns: Iterable[str] | None
    ) -> None:
        held = self._columns.setdefault((owner, what, grantee), {})
        if columns is None or (privilege in held and held[privilege] is None):
            held[privilege] = None
        else:
            before = held.get(privilege)
            held[privilege] = {*(before or ()), *columns}

    def rights(self) -> tuple[Right, ...]:
        """One right per object, grantee and set of columns, sorted."""
        found: list[Right] = []
        for (owner, what, grantee), held in self._columns.items():
            same: dict[tuple[str, ...] | None, set[str]] = {}
            for privilege, columns in held.items():
                same.setdefault(None if columns is None else tuple(sorted(columns)), set()).add(privilege)
            for listed, privileges in same.items():
                found.append(Right(owner, what, grantee, frozenset(privileges), listed))
        return tuple(sorted(found, key=_sort_key))


def _sort_key(right: Right) -> tuple[str, str, str, str, str, tuple[str, ...]]:
    what = right.object
    return (
        right.owner_domain,
        what.kind.value,
        what.schema or "",
        what.name,
        right.grantee,
        right.columns or (),
    )


def needed(
    foreign: Mapping[MigrationId, tuple[ForeignUse, ...]], domains: Mapping[str, Domain]
) -> tuple[Right, ...]:
    """The rights that these uses need, without what everybody has.

    Args:
        foreign: uses of other domains' objects, per migration.
        domains: the declared domains by name; others need nothing.

    Raises:
        Refused: a query names columns above class public that its domain may not read; all at once.
    """
    wanted = _Wanted()
    problems: list[Problem] = []
    for migration in sorted(foreign):
        user = domains.get(migration.domain)
        if user is None or not user.declared:
            continue
        for use in foreign[migration]:
            owner = domains.get(use.owner)
            if owner is not None and owner.declared and not use.soft and use.action is Action.USE:
                problems += _need(wanted, migration, user, owner, use)
    if problems:
        unique = list(dict.fromkeys(problems))
        message = unique[0].message if len(unique) == 1 else f"{len(unique)} reads are not shared"
        raise Refused(message, hint=unique[0].hint, problems=unique)
    return wanted.rights()


def _need(
    wanted: _Wanted, migration: MigrationId, user: Domain, owner: Domain, use: ForeignUse
) -> list[Problem]:
    what, kind = use.object, use.object.kind
    if kind is ObjectKind.EXTENSION or (kind is ObjectKind.RELATION and use.detail in _OWNERSHIP):
        return []
    schema = what.name if kind is ObjectKind.SCHEMA else what.schema
    if schema not in (None, "public"):
        wanted.add(owner.name, Name(ObjectKind.SCHEMA, schema or ""), user.owner, "USAGE", None)
    if kind is ObjectKind.FUNCTION:
        wanted.add(owner.name, what, user.owner, "EXECUTE", None)
    elif kind is ObjectKind.TYPE:
        wanted.add(owner.name, what, user.owner, "USAGE", None)
    elif kind is ObjectKind.RELATION and use.detail not in _ROW_TYPE:
        if use.relation_kind == "sequence":
            wanted.add(owner.name, what, user.owner, "USAGE", None)
        elif use.detail == FOREIGN_KEY:
            _need_key(wanted, user, owner, use)
        else:
            return _need_read(wanted, migration, user, owner, use)
    return []


def _classes(owner: Domain, use: ForeignUse) -> Mapping[str, str]:
    table = owner.tables.get(use.object.name)
    in_its_schema = (use.object.schema or "public") == owner.schema
    return table.columns if table is not None and in_its_schema else {}


def _need_key(wanted: _Wanted, user: Domain, owner: Domain, use: ForeignUse) -> None:
    """REFERENCES, and SELECT on public key columns: checking old rows is far slower without."""
    wanted.add(owner.name, use.object, user.owner, "REFERENCES", use.columns)
    classes = _classes(owner, use)
    if use.columns is None and classes:
        return
    if all(classes.get(column, "public") == "public" for column in use.columns or ()):
        wanted.add(owner.name, use.object, user.owner, "SELECT", use.columns)


def _need_read(
    wanted: _Wanted, migration: MigrationId, user: Domain, owner: Domain, use: ForeignUse
) -> list[Problem]:
    classes = _classes(owner, use)
    if not classes:
        wanted.add(owner.name, use.object, user.owner, "SELECT", None)
        return []
    if use.columns is None:
        public = [c for c in use.table_columns if classes.get(c, "public") == "public"]
        if public:
            wanted.add(owner.name, use.object, user.owner, "SELECT", public)
            return []
        message = f"{migration} reads {use.object} of {owner.name} without naming its columns"
        return [Problem(message, None, "name the columns: some of them are not public")]
    allowed = _readable(user, owner, use.object.name)
    barred = [c for c in use.columns if classes.get(c, "public") != "public" and c not in allowed]
    if barred:
        return [_barred(migration, user, owner, use, column, classes[column]) for column in barred]
    wanted.add(owner.name, use.object, user.owner, "SELECT", use.columns)
    return []


def _readable(user: Domain, owner: Domain, table: str) -> set[str]:
    """Columns above public that a service of `user` declares in `reads` and `owner` shares with it."""
    declared = owner.tables[table]
    found: set[str] = set()
    for service in user.services:
        read: set[str] = set()
        for entry in service.reads:
            if entry.domain == owner.name and entry.table == table:
                read.update(entry.columns or ())
                read.update(declared.sets.get(entry.set_name, ()) if entry.set_name else ())
        found |= read & _shared(owner, table, {user.name, service.name})
    return {column for column in found if declared.columns.get(column) != "secret"}


def _shared(owner: Domain, table: str, readers: set[str]) -> set[str]:
    found: set[str] = set()
    for reader in readers & set(owner.shares):
        for target in owner.shares[reader]:
            try:
                name, columns, set_name = parse_target(target)
            except ReferenceFault:
                continue
            if name == table:
                found.update(columns or ())
                found.update(owner.tables[table].sets.get(set_name, ()) if set_name else ())
    return found


def _barred(
    migration: MigrationId, user: Domain, owner: Domain, use: ForeignUse, column: str, kind: str
) -> Problem:
    table = use.object.name
    if kind == "secret":
        return Problem(
            f"{migration} reads {table}.{column} of {owner.name}, which is secret",
            None,
            "no other domain may read it; leave the column out",
        )
    service = user.services[0].name if user.services else user.name
    return Problem(
        f"{migration} reads {table}.{column} of {owner.name}, which is {kind} and not shared with {user.name}",
        None,
        f'ask {owner.name} for shares = {{ {user.name} = ["{table}({column})"] }} in its domain.toml, and'
        f' declare it for service {service}: reads = ["{owner.name}:{table}({column})"]',
    )
