"""The rights that declarations give: on tables, their columns and sequences, and on functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from bgce_migrate.access import Grant
from bgce_migrate.domain import Domain, Service
from bgce_migrate.grants.existing import Existing, Use
from bgce_migrate.grants.model import Right, Securable, SecurableKind
from bgce_migrate.grants.readers import Readers
from bgce_migrate.registry import Registry

WRITER = ("SELECT", "INSERT", "UPDATE", "DELETE")
#: golang-migrate empties its table and writes it anew.
VERSION_TABLE = (*WRITER, "TRUNCATE")
#: Who keeps it true for that tool writes one row.
KEEPER_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
#: Privileges that can be given on single columns.
_BY_COLUMN = frozenset({"SELECT", "INSERT", "UPDATE", "REFERENCES"})

Why = tuple[Right, str]
_NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})


def for_tables(
    registry: Registry,
    domain: Domain,
    made: Mapping[str, Sequence[str]],
    sequences: Mapping[str, Sequence[str]] = _NOTHING,
    *,
    widened: Mapping[str, Sequence[str]] = _NOTHING,
    extra: Iterable[Grant] = (),
) -> tuple[Right, ...]:
    """The rights to give in the very step that makes tables or adds columns, so that nobody meets one without.

    Args:
        made: new tables and views of the domain, in its schema: the columns of each, in order.
        sequences: by table, those of the same schema behind serial columns and `nextval` defaults; under ""
            those that belong to no table.
        widened: columns added to tables that exist. Who reads the whole table has them already.
        extra: what plugins ask for on this domain's objects.
    """
    extra, readers = tuple(extra), Readers(registry)
    found: dict[Right, str] = {}
    for table, columns in made.items():
        found.update(_on_table(readers, domain, table, columns, sequences.get(table, ()), extra))
    found.update(_on_loose(domain, sequences.get("", ())))
    for table, columns in widened.items():
        added = _on_table(readers, domain, table, columns, sequences.get(table, ()), extra)
        found.update((r, why) for r, why in added if r.column or r.on.kind is SecurableKind.SEQUENCE)
    return tuple(sorted(found))


def for_functions(registry: Registry, domain: Domain, made: Iterable[Securable]) -> tuple[Right, ...]:
    """The rights to give in the step that makes functions; EXECUTE of PUBLIC goes with the domain's defaults."""
    return tuple(sorted({right for function in made for right, _ in _on_function(registry, domain, function)}))


def no_longer_whole(registry: Registry, domain: Domain, tables: Iterable[str]) -> tuple[Right, ...]:
    """SELECT on whole tables that readers must not have, because the table has a class above public.

    A step that adds the first such column takes these away, and gives the other columns by name (`made`).
    """
    taken: set[Right] = set()
    for table in tables:
        if table in domain.tables and domain.tables[table].columns:
            on = _table(domain.schema, table)
            for name, service in registry.services.items():
                home = registry.domain_of(name)
                if any(r.domain == domain.name and r.table in ("*", table) for r in service.reads):
                    taken |= {Right(on, role, "SELECT") for role in _roles(service, home, domain, table)}
    return tuple(sorted(taken))


def _roles(service: Service, home: Domain, owner: Domain, table: str) -> Iterator[str]:
    if home is not owner:
        yield service.login
        yield home.owner
    elif table not in service.writes:
        yield service.login


def on_objects(registry: Registry, existing: Existing, extra: Iterable[tuple[str, Grant]]) -> Iterator[Why]:
    """Every wanted right on relations, sequences and functions that exist, each with its reason.

    Args:
        extra: what plugins ask for, with the domain they ask for.
    """
    asked: dict[str, list[Grant]] = {}
    for name, grant in extra:
        asked.setdefault(name, []).append(grant)
    readers = Readers(registry)
    for (schema, table), columns in existing.columns.items():
        home = registry.owner_of(table, schema) or existing.homes.get((schema, table))
        if home is not None:
            sequences = existing.sequences.get((schema, table), ())
            yield from _on_table(
                readers, registry[home], table, columns, sequences, asked.get(home, ()), schema=schema
            )
    for (schema, name), sequences in existing.sequences.items():
        if not schema:
            yield from _on_loose(registry[name], sequences)
    for function, home in existing.functions.items():
        yield from _on_function(registry, registry[home], function)
        for grant in asked.get(home, ()):
            if grant.kind == "function" and grant.name == function.name:
                yield Right(function, grant.grantee, grant.privilege), f"a plugin of {home} asks for it"
    for use in existing.uses:
        yield from _of_use(registry, existing, use)
    for service, (schema, table) in existing.versions.items():
        why = f"{service} kept its version in it with its previous tool"
        for privilege in VERSION_TABLE:
            yield Right(_table(schema, table), registry.services[service].login, privilege), why


def _on_table(
    readers: Readers,
    domain: Domain,
    table: str,
    columns: Sequence[str],
    sequences: Sequence[str],
    extra: Iterable[Grant],
    *,
    schema: str | None = None,
) -> Iterator[Why]:
    """Writers, readers, the owners behind foreign readers, and what plugins ask for."""
    on = _table(schema or domain.schema, table)
    for service in domain.services:
        if table in service.writes or (table not in domain.tables and writes_all(service, domain)):
            why = f"{service.name} writes it" if table in domain.tables else f"{service.name} writes all of {domain.name}"
            yield from ((Right(on, service.login, privilege), why) for privilege in WRITER)
            for sequence in sequences:
                what = Securable(SecurableKind.SEQUENCE, on.schema, sequence)
                yield Right(what, service.login, "USAGE"), f"{service.name} writes {table}"
    for reading in readers.of(domain, table, columns):
        roles = [reading.service.login] if reading.home is domain else [reading.service.login, reading.home.owner]
        for role in roles:
            for column in ("",) if reading.columns is None else reading.columns:
                yield Right(on, role, "SELECT", column), reading.why
    for grant in extra:
        if grant.kind == "table" and grant.name == table and on.schema == domain.schema:
            yield from _asked(domain, on, grant, columns)


def _on_loose(domain: Domain, sequences: Iterable[str]) -> Iterator[Why]:
    for service in domain.services:
        if writes_all(service, domain):
            for sequence in sequences:
                what = Securable(SecurableKind.SEQUENCE, domain.schema, sequence)
                yield Right(what, service.login, "USAGE"), f"{service.name} writes all of {domain.name}"


def writes_all(service: Service, domain: Domain) -> bool:
    """Whether a service writes everything of its domain; default privileges are for such services only."""
    return bool(domain.tables) and set(service.writes) >= set(domain.tables)


def _asked(domain: Domain, on: Securable, grant: Grant, columns: Sequence[str]) -> Iterator[Why]:
    """What a plugin asks for, without secrets whatever it says."""
    why = f"a plugin of {domain.name} asks for it"
    secret = {column for column, kind in domain.tables[on.name].columns.items() if kind == "secret"}
    listed = grant.columns or (columns if secret and grant.privilege in ("SELECT", "REFERENCES") else ())
    if not listed or grant.privilege not in _BY_COLUMN:
        yield Right(on, grant.grantee, grant.privilege), why
        return
    for column in columns:
        if column in listed and not (column in secret and grant.privilege in ("SELECT", "REFERENCES")):
            yield Right(on, grant.grantee, grant.privilege, column), why


def _on_function(registry: Registry, domain: Domain, function: Securable) -> Iterator[Why]:
    """Its own services (defaults and checks run as them), and where it is shared, who requires or calls it."""
    for service in domain.services:
        yield Right(function, service.login, "EXECUTE"), f"{service.name} works in {domain.name}"
    if domain.functions.get(function.name) != "shared" or function.schema != domain.schema:
        return
    for other in registry.domains:
        if domain.name in other.requires:
            why = f"{other.name} requires {domain.name}, which shares it"
            yield Right(function, other.owner, "EXECUTE"), why
        for service in other.services if other is not domain else ():
            if f"{domain.name}:{function.name}" in (call.replace(" ", "") for call in service.calls):
                yield Right(function, service.login, "EXECUTE"), f"{service.name} calls it"


def _of_use(registry: Registry, existing: Existing, use: Use) -> Iterator[Why]:
    """REFERENCES and SELECT of a key's owner, SELECT of a view's: without them neither would work any longer."""
    schema, table = use.table
    home = registry.owner_of(table, schema) or existing.homes.get(use.table)
    if home is None:
        return
    on, user = _table(schema, table), registry[use.user]
    declared = registry[home].tables.get(table)
    classes = declared.columns if declared is not None else {}
    why = f"{'the key' if use.key else 'the view'} of {use.by}"
    if use.key:
        yield from ((Right(on, user.owner, "REFERENCES", column), why) for column in use.columns)
        # Checking old rows is far slower without; a class above public is not worth it.
        if all(classes.get(column, "public") == "public" for column in use.columns):
            yield from ((Right(on, user.owner, "SELECT", column), why) for column in use.columns)
    elif not classes:
        yield Right(on, user.owner, "SELECT"), why
    else:
        shared = frozenset().union(*(registry.shared(home, s.name, table) for s in user.services))
        for column in use.columns:
            kind = classes.get(column, "public")
            if kind == "public" or (kind != "secret" and column in shared):
                yield Right(on, user.owner, "SELECT", column), why


def _table(schema: str, name: str) -> Securable:
    return Securable(SecurableKind.TABLE, schema, name)
