"""What can be wrong between declarations; every check yields all its problems, none stops the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

from bgce_migrate.domain import Domain, name_fault
from bgce_migrate.errors import Problem, Where
from bgce_migrate.registry.circles import circles
from bgce_migrate.registry.columns import check_calls, check_reads, check_shares
from bgce_migrate.registry.references import (
    KeyPath,
    ReferenceFault,
    did_you_mean,
    identifier_fault,
    key_text,
    parse_target,
    printable,
    role_fault,
    schema_fault,
)
from bgce_migrate.registry.scope import Fault, Scope

Locate: TypeAlias = Callable[[Domain, KeyPath], Where]

#: Roles of the engine itself; `bgce` is a reserved domain name for the same reason.
ENGINE_ROLES = ("bgce_owner", "bgce_migrator")
FUNCTION_CLASSES = ("private", "shared")


def file_of(domain: Domain, path: KeyPath) -> Where:
    """The declaration's file; used where no lines are known."""
    return Where(str(domain.folder / "domain.toml"))


def find_problems(
    domains: Sequence[Domain], locate: Locate = file_of, unreadable: Collection[str] = ()
) -> tuple[Problem, ...]:
    """Every mistake in and between the declarations, sorted by place.

    Args:
        domains: all domains of the project.
        locate: where a key stands.
        unreadable: names of domains whose own file has mistakes; references to them are not judged.
    """
    domains = sorted(domains, key=lambda d: (d.rank, d.name, str(d.folder)))
    scope = Scope.of(domains, unreadable)
    faults: list[Fault] = []
    for domain in domains:
        if domain.declared:
            faults += _names(domain)
            faults += _tables(domain)
            faults += _requires(domain, scope)
            faults += check_reads(domain, scope)
            faults += check_shares(domain, scope)
            faults += check_calls(domain, scope)
    faults += _once_each(domains)
    faults += _roles(domains)
    faults += _circles(domains)
    return tuple(_problem(fault, locate) for fault in faults)


def _problem(fault: Fault, locate: Locate) -> Problem:
    where = locate(fault.domain, fault.path)
    key = key_text(fault.path)
    return Problem(f"{key}: {fault.message}" if key else fault.message, where, fault.hint)


def _names(domain: Domain) -> Iterator[Fault]:
    if fault := name_fault(domain.name):
        yield Fault(domain, ("name",), printable(fault))
    if fault := schema_fault(domain.schema):
        yield Fault(domain, ("schema",), fault)
    for i, service in enumerate(domain.services):
        if fault := name_fault(service.name):
            yield Fault(domain, ("services", i, "name"), printable(fault))
        if fault := role_fault(service.login):
            yield Fault(domain, ("services", i, "login"), fault)
        if service.pool is not None and not 1 <= service.pool <= 10_000:
            yield Fault(domain, ("services", i, "pool"), f"{service.pool} is not between 1 and 10000")
    for name, kind in domain.functions.items():
        if fault := identifier_fault(name):
            yield Fault(domain, ("functions", name), fault)
        if kind not in FUNCTION_CLASSES:
            hint = did_you_mean(kind, FUNCTION_CLASSES) or 'say "shared" or "private"'
            yield Fault(domain, ("functions", name), f"'{printable(kind)}' is not a class of functions", hint)


def _tables(domain: Domain) -> Iterator[Fault]:
    folded: dict[str, str] = {}
    for name, table in domain.tables.items():
        path: KeyPath = ("tables", name)
        if fault := identifier_fault(name):
            yield Fault(domain, path, fault)
        if (other := folded.setdefault(name.lower(), name)) != name:
            yield Fault(domain, path, f"differs from table {other} in upper and lower case only")
        for column in table.columns:
            if fault := identifier_fault(column):
                yield Fault(domain, (*path, "columns", column), fault)
        for set_name, columns in table.sets.items():
            if fault := identifier_fault(set_name):
                yield Fault(domain, (*path, "sets", set_name), fault)
            for i, column in enumerate(columns):
                if fault := identifier_fault(column):
                    yield Fault(domain, (*path, "sets", set_name, i), fault)
                elif table.columns.get(column) == "secret":
                    yield Fault(
                        domain, (*path, "sets", set_name, i), f"column {column} is secret, no one reads it"
                    )
    for i, text in enumerate(domain.loose):
        try:
            name, loose_columns, _ = parse_target(text)
        except ReferenceFault as error:
            yield Fault(domain, ("loose", i), str(error))
            continue
        if not loose_columns:
            yield Fault(domain, ("loose", i), f"'{text}' names no columns", f'say "{name}(column, ...)"')
        elif name not in domain.tables:
            yield Fault(
                domain,
                ("loose", i),
                f"{domain.name} declares no table {name}",
                did_you_mean(name, domain.tables),
            )


def _requires(domain: Domain, scope: Scope) -> Iterator[Fault]:
    for i, name in enumerate(domain.requires):
        if name == domain.name:
            yield Fault(domain, ("requires", i), f"{name} requires itself")
        elif name not in scope.domains and name not in scope.unreadable:
            hint = did_you_mean(name, scope.domains)
            yield Fault(domain, ("requires", i), f"there is no domain '{printable(name)}'", hint)
        elif name in domain.requires[:i]:
            yield Fault(domain, ("requires", i), f"{name} is said twice")


def _once_each(domains: Sequence[Domain]) -> Iterator[Fault]:
    """A domain, a table, a service and a login belong to one domain each."""
    owners: dict[str, Domain] = {}
    tables: dict[tuple[str, str], Domain] = {}
    services: dict[str, Domain] = {}
    for domain in domains:
        first = owners.setdefault(domain.name, domain)
        if first is not domain:
            message = f"domain {printable(domain.name)} is in two folders, {first.folder} and {domain.folder}"
            yield Fault(domain, ("name",) if domain.declared else (), message)
            continue
        for table in domain.tables:
            owner = tables.setdefault((domain.schema, table), domain)
            if owner is not domain:
                message = f"table {table} is owned by {owner.name} already, {domain.name} claims it too"
                hint = f'one domain owns a table; to read it say reads = ["{owner.name}:{table}"]'
                yield Fault(domain, ("tables", table), message, hint)
        for i, service in enumerate(domain.services):
            home = services.get(service.name)
            if home is not None:
                message = f"service {service.name} is declared by {home.name} already"
                yield Fault(domain, ("services", i, "name"), message)
            services.setdefault(service.name, domain)


def _roles(domains: Sequence[Domain]) -> Iterator[Fault]:
    """No two roles may be one after PostgreSQL has folded and cut their names to 63 bytes."""
    taken: dict[bytes, str] = {name.encode(): "the engine's own role" for name in ENGINE_ROLES}
    roles: list[tuple[str, str, Fault]] = []
    names: set[str] = set()
    for domain in domains:
        if not domain.declared or domain.name in names:
            continue
        names.add(domain.name)
        for role, what in ((domain.owner, "owner role"), (domain.migrator, "migrator")):
            roles.append((role, f"the {what} of {domain.name}", Fault(domain, ("name",), "")))
    for domain in domains:
        for i, service in enumerate(domain.services if domain.declared else ()):
            what = f"the login of service {service.name}"
            roles.append((service.login, what, Fault(domain, ("services", i, "login"), "")))
    for role, what, at in roles:
        raw = role.encode("utf-8", "surrogatepass")
        if len(raw) > 63:
            yield at.saying(f"role {printable(role)} ({what}) is {len(raw)} bytes long, PostgreSQL keeps 63")
        key = role.lower().encode("utf-8", "surrogatepass")[:63]
        if key in taken:
            yield at.saying(f"role {printable(role)} would be {what} and {taken[key]}")
        taken.setdefault(key, what)


def _circles(domains: Sequence[Domain]) -> Iterator[Fault]:
    by_name: dict[str, Domain] = {}
    for domain in domains:
        by_name.setdefault(domain.name, domain)
    for circle in circles({name: d.requires for name, d in by_name.items()}):
        first = by_name[circle[0]]
        path = ("requires", first.requires.index(circle[1]))
        yield Fault(first, path, f"the domains require each other in a circle: {' -> '.join(circle)}")
