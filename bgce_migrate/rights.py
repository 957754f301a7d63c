"""Grants as code for a project and an open database: what differs, and making it as declared."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bgce_migrate.apply import granting
from bgce_migrate.apply.context import Context, Options, RunInfo
from bgce_migrate.apply.target import Address, Target, require_writable
from bgce_migrate.config import Project
from bgce_migrate.db import acl
from bgce_migrate.db.history import State
from bgce_migrate.db.reach import read_web
from bgce_migrate.db.session import connect
from bgce_migrate.db.statements import BOOKKEEPER, MIGRATOR
from bgce_migrate.db.target import read_facts, read_meta, require_changeable, require_recorded
from bgce_migrate.errors import Refused, UsageError
from bgce_migrate.grants import showing
from bgce_migrate.grants.effective import Effective
from bgce_migrate.grants.scope import ABSENT, Absent, Mode, Scope
from bgce_migrate.grants.surroundings import wanted

if TYPE_CHECKING:
    from bgce_migrate.host import Host


@contextmanager
def opened(address: Address, *, changing: bool) -> Iterator[Target]:
    """The open database without its history, which an administrator may not read.

    Args:
        changing: refuse what may not be changed, and another target than the recorded one.

    Raises:
        Unavailable: no server answers.
        Refused: see `require_changeable` and `require_recorded`.
    """
    with connect(address.conninfo, address.schema) as control:
        facts = read_facts(control)
        meta = read_meta(control) if facts.has_bookkeeping else None
        if changing:
            require_changeable(facts)
            if meta is not None:
                require_recorded(facts, meta)
        yield Target(address, control, facts, State(meta=meta))


def scope_of(project: Project, host: Host, target: Target, absent: Collection[Absent] = ABSENT) -> Scope:
    """What grants are about here.

    Args:
        absent: what everybody is not to have.

    Raises:
        UsageError: nothing is declared.
        Refused: a plugin asks for what it may not; nothing was ever applied here.
    """
    declared = [d for d in project.domains if d.declared]
    if not declared:
        raise UsageError(
            "nothing is declared here, so nothing is known of who may do what",
            hint="`bgce-migrate new domain NAME` writes a declaration",
        )
    if target.layout == "none":
        raise Refused(
            f"database {target.facts.database} has no bookkeeping yet, so no domain owns anything in it",
            hint="an administrator runs once: bgce-migrate bootstrap; then bgce-migrate up",
        )
    by_domain = {d.migrator: (d.owner,) for d in declared}
    everything = {MIGRATOR: tuple(d.owner for d in declared)}
    places = [f"{project.database.bookkeeping_schema}.migration_state", project.history_view or ""]
    tables = project.compat.tables(declared)
    return Scope(
        registry=project.registry,
        guarded=target.layout == "guarded",
        session_role=target.facts.login,
        migrators={MIGRATOR: (), **by_domain} if project.database.mode == "login" else everything,
        bookkeeping=project.database.bookkeeping_schema,
        bookkeeper=BOOKKEEPER,
        states=tuple((schema, name) for schema, dot, name in (p.partition(".") for p in places) if dot),
        versions={s.name: tables[d.name] for d in declared if d.name in tables for s in d.services},
        absent=frozenset(absent),
        extra=tuple((d.name, grant) for d in declared for grant in host.grants(d, project.registry)),
    )


def compare(scope: Scope, target: Target, mode: Mode = Mode.AUTHORITATIVE) -> granting.Found:
    """What differs; reads only."""
    return granting.find(target.control, scope, mode)


def apply(scope: Scope, target: Target, info: RunInfo, options: Options, mode: Mode) -> granting.Found:
    """Make what differs as declared, as far as this login can.

    Raises BgceError; then nothing was changed.
    """
    require_writable(target)
    context = Context(
        info, target.access(info), options.limits, target.facts, options.stop, options.progress, options.time_zone
    )
    return granting.apply(context, target.control, scope, mode)


def declared_lines(scope: Scope, target: Target) -> tuple[showing.Line, ...]:
    """What every service is given, as far as its objects exist, with wildcards expanded."""
    current = acl.read(target.control, scope)
    return showing.declared(scope, wanted(scope, current))


def lines_of_service(scope: Scope, target: Target, service: str) -> tuple[showing.Line, ...]:
    """What a service can do to anything of the project, through whatever. Raises UsageError."""
    return showing.of_service(scope, _effective(scope, target), service)


def lines_of_object(scope: Scope, target: Target, name: str) -> tuple[showing.Line, ...]:
    """Who can do what to `table` or `table.column`. Raises UsageError."""
    return showing.who(scope, _effective(scope, target), name)


def why(scope: Scope, target: Target, service: str, table: str) -> showing.Why:
    """What a service may read of a table. Raises UsageError."""
    effective = _effective(scope, target)
    return showing.why(scope, effective, wanted(scope, effective.current), service, table)


def _effective(scope: Scope, target: Target) -> Effective:
    return Effective(acl.read(target.control, scope), read_web(target.control, scope))


def require_environment(target: Target, name: str) -> None:
    """Refuse a database that is recorded as another environment, where this login may read what is recorded."""
    from bgce_migrate.apply import environments

    if target.facts.login == MIGRATOR or target.layout == "plain" or target.facts.superuser:
        environments.require_environment(target, name)
