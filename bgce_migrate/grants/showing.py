"""Who may do what, gathered for people: by service, by object, and what a service may read of one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from bgce_migrate.domain import Service
from bgce_migrate.errors import UsageError
from bgce_migrate.grants.current import Current
from bgce_migrate.grants.effective import Effective, Grip
from bgce_migrate.grants.model import PUBLIC, Access, Securable, SecurableKind
from bgce_migrate.grants.scope import Scope
from bgce_migrate.registry.references import did_you_mean


class Line(Struct, frozen=True):
    """What one role can do to one object in one way.

    Attributes:
        columns: those it is limited to; empty for all.
        how: how it comes by it, or why it is wanted.
    """

    role: str
    on: Securable
    privileges: tuple[str, ...]
    columns: tuple[str, ...]
    how: str
    direct: bool = True


class Why(Struct, frozen=True):
    """What a service may read of a table.

    Attributes:
        columns: all columns, each with how it is read, or None.
        declared: the declarations it follows from.
        views: views the service may read that show nothing else of the table.
        view: SQL of a view for programs that want `SELECT *`; empty where the whole table may be read.
    """

    service: str
    login: str
    table: str
    columns: dict[str, str | None]
    declared: tuple[str, ...]
    views: tuple[str, ...]
    view: str


def declared(scope: Scope, access: Access) -> tuple[Line, ...]:
    """What every service is given, wildcards expanded."""
    return tuple(
        _gathered(
            Grip(right.grantee, right.on, right.privilege, why, right.column)
            for right, why in access.rights.items()
            if right.grantee in scope.logins and right.on.kind in (SecurableKind.TABLE, SecurableKind.SEQUENCE, SecurableKind.FUNCTION)
        )
    )  # fmt: skip


def of_service(scope: Scope, effective: Effective, name: str) -> tuple[Line, ...]:
    """Everything the login of a service can do to anything of the project."""
    login = service_named(scope, name).login
    return tuple(_gathered(g for on in _objects(effective.current) for g in _all_grips(effective, login, on)))


def who(scope: Scope, effective: Effective, text: str) -> tuple[Line, ...]:
    """Everybody who can do anything to `table`, `schema.table` or one column of it."""
    on, column = _find(scope, effective.current, text)
    roles = sorted({*effective.current.accounts, *effective.web.inherits, *(r.grantee for r in effective.current.access.rights)})
    roles = [r for r in roles if r not in effective.web.superusers and r != PUBLIC and not r.startswith("pg_")]
    if column:
        return tuple(_gathered(g for role in roles for g in effective.grips(role, on, column)))
    return tuple(_gathered(g for role in roles for g in _all_grips(effective, role, on)))


def why(scope: Scope, effective: Effective, access: Access, name: str, table: str) -> Why:
    """What a service may read of one table, and the view to use where a program wants `SELECT *`."""
    service = service_named(scope, name)
    on, _ = _find(scope, effective.current, table)
    names = effective.current.existing.columns[on.schema, on.name]
    columns = {column: effective.directly(service.login, on, "SELECT", column) for column in names}
    readable = tuple(column for column, way in columns.items() if way)
    reasons = [w for r, w in access.rights.items() if (r.on, r.grantee, r.privilege) == (on, service.login, "SELECT")]
    views = [
        f"{shown.view[0]}.{shown.view[1]}"
        for shown in effective.web.shown
        if shown.table == (on.schema, on.name)
        and shown.columns <= set(readable)
        and effective.directly(service.login, Securable(SecurableKind.TABLE, *shown.view), "SELECT")
    ]
    whole = len(readable) == len(columns)
    return Why(
        service.name, service.login, f"{on.schema}.{on.name}", columns, tuple(dict.fromkeys(reasons)), tuple(sorted(views)),
        "" if whole or not readable else _view(scope, service, on, readable),
    )  # fmt: skip


def service_named(scope: Scope, name: str) -> Service:
    """The service of that name or login.

    Raises:
        UsageError: there is none.
    """
    name = scope.logins.get(name, name)
    if name not in scope.registry.services:
        hint = did_you_mean(name, scope.registry.services) or f"there are: {', '.join(scope.registry.services)}"
        raise UsageError(f"there is no service '{name}'", hint=hint)
    return scope.registry.services[name]


def _view(scope: Scope, service: Service, on: Securable, columns: tuple[str, ...]) -> str:
    """A migration of the service's own domain; its owner role may read the same columns."""
    home = scope.registry.domain_of(service.name)
    listed = ", ".join(columns)
    return f"CREATE VIEW {home.schema}.{service.name}_{on.name} AS SELECT {listed} FROM {on.schema}.{on.name}"


def _objects(current: Current) -> Iterator[Securable]:
    return (on for on in current.access.owners if on.kind is not SecurableKind.TYPE)


def _all_grips(effective: Effective, role: str, on: Securable) -> Iterator[Grip]:
    """On the whole object; column by column where the whole is not had."""
    found = list(effective.grips(role, on))
    yield from found
    if on.kind is SecurableKind.TABLE:
        had = {(g.privilege, g.way) for g in found}
        for column in effective.current.existing.columns.get((on.schema, on.name), ()):
            yield from (g for g in effective.grips(role, on, column) if g.column and (g.privilege, g.way) not in had)


def _gathered(grips: Iterable[Grip]) -> Iterator[Line]:
    """Privileges that are had alike, in one line."""
    columns: dict[tuple[str, Securable, str, str, bool], list[str]] = {}
    for grip in grips:
        listed = columns.setdefault((grip.role, grip.on, grip.way, grip.privilege, grip.direct), [])
        if grip.column:
            listed.append(grip.column)
    lines: dict[tuple[str, Securable, str, tuple[str, ...], bool], list[str]] = {}
    for (role, on, way, privilege, direct), named in columns.items():
        lines.setdefault((role, on, way, tuple(named), direct), []).append(privilege)
    for (role, on, way, names, direct), privileges in lines.items():
        yield Line(role, on, tuple(privileges), names, way, direct)


def _find(scope: Scope, current: Current, text: str) -> tuple[Securable, str]:
    """The table, and the column if one is named; `table` may stand in any of the domains' schemas."""
    for place in current.existing.columns:
        for name in (f"{place[0]}.{place[1]}", place[1]):
            if text == name:
                return Securable(SecurableKind.TABLE, *place), ""
            column = text[len(name) + 1 :]
            if text.startswith(f"{name}.") and column in current.existing.columns[place]:
                return Securable(SecurableKind.TABLE, *place), column
    names = [name for _, name in current.existing.columns]
    hint = did_you_mean(text.partition(".")[0], names) or "say table, schema.table or table.column; `bgce-migrate grants show` lists them"
    raise UsageError(f"there is no table or column '{text}' of the domains", hint=hint)
