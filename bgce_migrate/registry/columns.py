"""Checks of what services read, write and call, and of what owners share."""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.domain import Domain, Read, Service, Table
from bgce_migrate.registry.references import (
    KeyPath,
    ReferenceFault,
    did_you_mean,
    parse_call,
    parse_target,
    printable,
)
from bgce_migrate.registry.scope import Fault, Scope


def check_reads(domain: Domain, scope: Scope) -> Iterator[Fault]:
    """Unknown domain, table or set; secret columns; columns above public that the owner does not share."""
    for i, service in enumerate(domain.services):
        for j, name in enumerate(service.writes):
            if name not in domain.tables:
                yield _foreign_write(domain, ("services", i, "writes", j), name, scope)
        for j, read in enumerate(service.reads):
            yield from _read(domain, service, ("services", i, "reads", j), read, scope)


def _foreign_write(domain: Domain, path: KeyPath, name: str, scope: Scope) -> Fault:
    owner = next((d.name for d in scope.domains.values() if name in d.tables), None)
    if owner is None:
        message = f"{domain.name} declares no table {printable(name)}"
        return Fault(domain, path, message, did_you_mean(name, domain.tables))
    message = f"{domain.name} cannot write {name}, a table of {owner}"
    return Fault(domain, path, message, "a write across domains goes through a function of the owner: calls")


def _read(domain: Domain, service: Service, path: KeyPath, read: Read, scope: Scope) -> Iterator[Fault]:
    if not scope.exists(read.domain):
        hint = did_you_mean(read.domain, scope.domains)
        yield Fault(domain, path, f"there is no domain '{printable(read.domain)}'", hint)
        return
    owner = scope.judged(read.domain)
    if owner is None or read.table == "*":
        return
    table = owner.tables.get(read.table)
    if table is None:
        hint = did_you_mean(read.table, owner.tables)
        yield Fault(domain, path, f"{owner.name} declares no table {read.table}", hint)
        return
    if read.set_name is not None and read.set_name not in table.sets:
        hint = did_you_mean(read.set_name, table.sets)
        yield Fault(domain, path, f"table {read.table} of {owner.name} has no set {read.set_name}", hint)
        return
    columns = table.sets[read.set_name] if read.set_name is not None else read.columns or ()
    consent = _shared(owner, read.table, {domain.name, service.name})
    for column in columns:
        kind = table.columns.get(column, "public")
        if kind == "secret":
            yield Fault(
                domain, path, f"column {read.table}.{column} of {owner.name} is secret, no one reads it"
            )
        elif kind != "public" and owner is not domain and column not in consent:
            message = (
                f"column {read.table}.{column} of {owner.name} is {kind}, {owner.name} does not share it"
            )
            hint = f'{owner.name} has to say shares = {{ {domain.name} = ["{read.table}({column})"] }}'
            yield Fault(domain, path, message, hint)


def _shared(owner: Domain, table: str, readers: set[str]) -> set[str]:
    out: set[str] = set()
    for reader, targets in owner.shares.items():
        for target in targets if reader in readers else ():
            try:
                name, columns, set_name = parse_target(target)
            except ReferenceFault:
                continue
            if name == table and name in owner.tables:
                out.update(owner.tables[name].sets.get(set_name, ()) if set_name else columns or ())
    return out


def check_shares(domain: Domain, scope: Scope) -> Iterator[Fault]:
    """Unknown reader, table, set or column; a share of a secret; a share that gives nothing."""
    for reader, targets in domain.shares.items():
        path: KeyPath = ("shares", reader)
        if not scope.exists(reader) and reader not in scope.homes:
            # A service of a domain whose file cannot be read may be meant.
            if not scope.unreadable:
                hint = did_you_mean(reader, [*scope.domains, *scope.homes])
                yield Fault(domain, path, f"there is no domain or service '{printable(reader)}'", hint)
        elif reader == domain.name:
            yield Fault(domain, path, f"{domain.name} need not share with itself")
        for i, target in enumerate(targets):
            yield from _share(domain, (*path, i), target)


def _share(domain: Domain, path: KeyPath, target: str) -> Iterator[Fault]:
    try:
        name, columns, set_name = parse_target(target)
    except ReferenceFault as error:
        yield Fault(domain, path, str(error))
        return
    table = domain.tables.get(name)
    if table is None:
        yield Fault(
            domain, path, f"{domain.name} declares no table {name}", did_you_mean(name, domain.tables)
        )
    elif set_name is not None:
        if set_name not in table.sets:
            message = f"table {name} has no set {set_name}"
            yield Fault(domain, path, message, did_you_mean(set_name, table.sets))
    elif columns is None:
        message = f"'{name}' names no columns; public columns need no consent"
        yield Fault(domain, path, message, f'say "{name}(column, ...)"')
    else:
        yield from _shared_columns(domain, path, table, columns)


def _shared_columns(domain: Domain, path: KeyPath, table: Table, columns: tuple[str, ...]) -> Iterator[Fault]:
    for column in columns:
        kind = table.columns.get(column, "public")
        if kind == "secret":
            yield Fault(domain, path, f"column {table.name}.{column} is secret and cannot be shared")
        elif kind == "public":
            message = f"column {column} has no class above public in [tables.{table.name}]"
            hint = did_you_mean(column, table.columns) or "public columns need no consent"
            yield Fault(domain, path, message, hint)


def check_calls(domain: Domain, scope: Scope) -> Iterator[Fault]:
    """Calls of functions that no domain ships or that their owner keeps private."""
    for i, service in enumerate(domain.services):
        for j, text in enumerate(service.calls):
            path: KeyPath = ("services", i, "calls", j)
            try:
                owner_name, function = parse_call(text)
            except ReferenceFault as error:
                yield Fault(domain, path, str(error))
                continue
            owner = scope.judged(owner_name)
            if not scope.exists(owner_name):
                hint = did_you_mean(owner_name, scope.domains)
                yield Fault(domain, path, f"there is no domain '{printable(owner_name)}'", hint)
            elif owner is not None and function not in owner.functions:
                hint = did_you_mean(function, owner.functions)
                yield Fault(domain, path, f"{owner_name} declares no function {function}", hint)
            elif owner is not None and owner is not domain and owner.functions[function] == "private":
                message = f"function {function} of {owner_name} is private"
                yield Fault(
                    domain, path, message, f'{owner_name} has to say functions = {{ {function} = "shared" }}'
                )
