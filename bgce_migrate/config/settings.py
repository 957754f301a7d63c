"""What `bgce.toml` says, checked value by value, and as a Project."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import cast, get_args

from msgspec import UnsetType

from bgce_migrate.config.mistakes import Mistakes
from bgce_migrate.config.project import (
    Compat,
    Database,
    Environment,
    Lint,
    Mode,
    Project,
    Provider,
    Replica,
    Scratch,
)
from bgce_migrate.config.routes import check_routing, routing
from bgce_migrate.config.schema import BgceToml
from bgce_migrate.config.surroundings import (
    check_alerts,
    check_code_owners,
    check_notices,
    check_pooler,
    code_owners,
    notices,
    pooler,
    thresholds,
)
from bgce_migrate.config.toml_file import TomlFile
from bgce_migrate.domain import Domain
from bgce_migrate.migration import Severity
from bgce_migrate.registry import Registry
from bgce_migrate.registry.references import (
    KeyPath,
    did_you_mean,
    identifier_fault,
    key_text,
    printable,
    schema_fault,
)

LOCK_FILE = "bgce.lock"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
_EXTENSION = re.compile(r"[a-z_][a-z0-9_-]{0,62}\Z")
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}\Z")
_COMPAT = re.compile(r"[a-z0-9_]*(?:\{service\}[a-z0-9_]*)?(?<=.)\Z")
_RULE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}\Z")
_TABLE = re.compile(r"[a-z][a-z0-9_]*:[^\s:]{1,63}\Z")
_BRANCH = re.compile(r"[!-~]{1,255}\Z")

#: key path, message, hint
Fault = tuple[KeyPath, str, "str | None"]


def check_settings(
    file: TomlFile, said: BgceToml, services: Collection[str], mistakes: Mistakes, *, judge_services: bool
) -> None:
    """Record every wrong value of `bgce.toml`; services of replicas only when all domains could be read."""
    around = (
        check_pooler(said.pgbouncer), check_code_owners(said.codeowners), check_alerts(said.alerts),
        check_notices(said.notifications, said.environments), _variables(said.notifications.url_env, ("notifications", "url_env")),
    )  # fmt: skip
    for faults in (_project(said), _database(said), _environments(said), _scratch(said), _lint(said), *around):
        for path, message, hint in faults:
            mistakes.add(f"{key_text(path)}: {message}", file.where(path), hint)
    known = services if judge_services else None
    for path, message, hint in (*_replicas(said, known), *check_routing(said.routing, known)):
        mistakes.add(f"{key_text(path)}: {message}", file.where(path), hint)


def _match(pattern: re.Pattern[str], value: str, path: KeyPath, what: str) -> Iterator[Fault]:
    if not pattern.match(value):
        yield path, f"'{printable(value[:80])}' is not {what}", None


def _project(said: BgceToml) -> Iterator[Fault]:
    project = said.project
    yield from _match(_LABEL, project.name, ("project", "name"), "a name of letters, digits, . _ and -")
    yield from _match(_ZONE, project.timezone, ("project", "timezone"), "a time zone such as UTC")
    for i, plugin in enumerate(project.plugins):
        path: KeyPath = ("project", "plugins", i)
        yield from _match(_LABEL, plugin, path, "the name of an entry point")
        if plugin in project.plugins[:i]:
            yield path, f"{printable(plugin)} is said twice", None
    if project.history_view is not None:
        path = ("project", "history_view")
        schema, dot, name = project.history_view.partition(".")
        fault = (schema_fault(schema) or identifier_fault(name)) if dot else "not of the form schema.view"
        if fault:
            yield path, fault, None
    if said.compat.golang_migrate is not None:
        what = "a table's name, with {service} in it where there are several domains"
        yield from _match(_COMPAT, said.compat.golang_migrate, ("compat", "golang_migrate"), what)


def check_version_tables(
    file: TomlFile, said: BgceToml, domains: tuple[Domain, ...], mistakes: Mistakes
) -> None:
    """Record where golang-migrate's tables could not be, or would be one for two domains."""
    path: KeyPath = ("compat", "golang_migrate")
    seen: dict[tuple[str, str], str] = {}
    for domain in domains:
        for place in Compat(said.compat.golang_migrate).tables([domain]).values():
            name = ".".join(place)
            fault = identifier_fault(place[1]) if _COMPAT.match(said.compat.golang_migrate or "") else None
            if fault is None and place in seen:
                fault = f"{name} would be of {seen[place]} and of {domain.name}"
            elif fault is None and place[1] in domain.tables:
                fault = f"{name} is a table of {domain.name} itself"
            if fault is not None:
                mistakes.add(f"{key_text(path)}: {fault}", file.where(path), 'for example "{service}_schema_migrations"')
            seen[place] = domain.name


def _database(said: BgceToml) -> Iterator[Fault]:
    database = said.database
    yield from _variables(database.url_env, ("database", "url_env"))
    if fault := schema_fault(database.bookkeeping_schema):
        yield ("database", "bookkeeping_schema"), fault, None
    elif database.bookkeeping_schema.lower() == "public":
        message = "the bookkeeping has a schema of its own, public is the services'"
        yield ("database", "bookkeeping_schema"), message, None
    for i, extension in enumerate(database.extensions):
        yield from _match(_EXTENSION, extension, ("database", "extensions", i), "the name of an extension")
    if database.mode not in get_args(Mode):
        yield ("database", "mode"), f"'{printable(database.mode)}' is not role or login", None


def _variables(value: list[str] | str, path: KeyPath) -> Iterator[Fault]:
    if isinstance(value, str):
        yield from _match(_VARIABLE, value, path, "the name of an environment variable")
        return
    for i, name in enumerate(value):
        yield from _match(_VARIABLE, name, (*path, i), "the name of an environment variable")


def _environments(said: BgceToml) -> Iterator[Fault]:
    for name, environment in said.environments.items():
        path: KeyPath = ("environments", name)
        yield from _match(_LABEL, name, path, "a name of letters, digits, . _ and -")
        if not isinstance(environment.url_env, UnsetType):
            yield from _variables(environment.url_env, (*path, "url_env"))
        if environment.branch is not None:
            yield from _match(_BRANCH, environment.branch, (*path, "branch"), "the name of a branch")


def _replicas(said: BgceToml, services: Collection[str] | None) -> Iterator[Fault]:
    names: set[str] = set()
    for i, replica in enumerate(said.replica):
        path: KeyPath = ("replica", i)
        yield from _match(_LABEL, replica.name, (*path, "name"), "a name of letters, digits, . _ and -")
        yield from _match(
            _VARIABLE, replica.url_env, (*path, "url_env"), "the name of an environment variable"
        )
        if replica.name in names:
            yield (*path, "name"), f"there are two replicas {printable(replica.name)}", None
        names.add(replica.name)
        for j, service in enumerate(replica.services):
            if services is not None and service not in services:
                hint = did_you_mean(service, services)
                yield (*path, "services", j), f"there is no service '{printable(service)}'", hint


def _scratch(said: BgceToml) -> Iterator[Fault]:
    scratch = said.scratch
    if scratch.provider is not None and scratch.provider not in get_args(Provider):
        hint = did_you_mean(scratch.provider, get_args(Provider)) or f"one of {', '.join(get_args(Provider))}"
        yield ("scratch", "provider"), f"there is no provider '{printable(scratch.provider)}'", hint
    if scratch.major is not None and not 14 <= scratch.major <= 99:
        yield ("scratch", "major"), f"{scratch.major} is not a supported major version, 14 or later", None
    if scratch.image is not None:
        yield from _match(_BRANCH, scratch.image, ("scratch", "image"), "the name of an image")


def _lint(said: BgceToml) -> Iterator[Fault]:
    lint = said.lint
    if not 14 <= lint.target <= 18:
        yield ("lint", "target"), f"{lint.target} is not a supported major version, 14 to 18", None
    levels = [level.value for level in Severity]
    if lint.fail_on not in levels:
        hint = did_you_mean(lint.fail_on, levels) or f"one of {', '.join(levels)}"
        yield ("lint", "fail_on"), f"'{printable(lint.fail_on)}' is no severity", hint
    for rule, level in lint.severity.items():
        path: KeyPath = ("lint", "severity", rule)
        yield from _match(_RULE, rule, path, "the id of a rule, such as foreign-write")
        if level not in (*levels, "off"):
            hint = did_you_mean(level, (*levels, "off")) or "one of off, note, warning, error"
            yield path, f"'{printable(level)}' is no severity", hint
    for i, table in enumerate(lint.hot):
        yield from _match(_TABLE, table, ("lint", "hot", i), "of the form domain:table")


def settings(path: Path, said: BgceToml, domains: tuple[Domain, ...], registry: Registry) -> Project:
    """The checked file as a Project."""
    database = said.database
    return Project(
        root=path.parent,
        name=said.project.name,
        domains=domains,
        registry=registry,
        lock_path=path.parent / LOCK_FILE,
        plugins=tuple(said.project.plugins),
        history_view=said.project.history_view,
        timezone=said.project.timezone,
        database=Database(
            url_env=_names(database.url_env),
            bookkeeping_schema=database.bookkeeping_schema,
            extensions=tuple(database.extensions),
            mode=cast(Mode, database.mode),
            restore_points=database.restore_points,
        ),
        environments=MappingProxyType(
            {
                name: Environment(
                    name,
                    _names(database.url_env if isinstance(e.url_env, UnsetType) else e.url_env),
                    e.branch,
                )
                for name, e in said.environments.items()
            }
        ),
        replicas=tuple(Replica(r.name, r.url_env, tuple(r.services)) for r in said.replica),
        routing=routing(said.routing),
        compat=Compat(said.compat.golang_migrate),
        scratch=Scratch(
            cast("Provider | None", said.scratch.provider), said.scratch.major, said.scratch.image
        ),
        lint=Lint(
            target=said.lint.target,
            fail_on=Severity(said.lint.fail_on),
            severities=MappingProxyType(
                {rule: None if level == "off" else Severity(level) for rule, level in said.lint.severity.items()}
            ),
            hot=tuple(said.lint.hot),
        ),
        pooler=pooler(said.pgbouncer),
        code_owners=code_owners(said.codeowners),
        alerts=thresholds(said.alerts),
        notices=notices(said.notifications),
        file=path,
        patterns=tuple(said.project.domains),
    )


def _names(value: list[str] | str) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
