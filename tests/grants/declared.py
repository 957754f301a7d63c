"""Small declarations for tests of wanted rights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bgce_migrate.domain import Domain, Service, Table
from bgce_migrate.registry import Registry, build
from bgce_migrate.registry.references import parse_read


def service(name: str, writes: str = "", reads: str = "", calls: str = "") -> Service:
    """A service with blank-separated lists."""
    return Service(
        name,
        f"{name}_user",
        writes=tuple(writes.split()),
        reads=tuple(parse_read(r) for r in reads.split()),
        calls=tuple(calls.split()),
    )


def domain(name: str, tables: Mapping[str, Table | None], *services: Service, **more: object) -> Domain:
    """A domain whose tables are given by name; None is a table without classes."""
    found = {t: value or Table(t) for t, value in tables.items()}
    return Domain(name, Path(name), tables=found, services=services, **more)  # type: ignore[arg-type]


def registry(*domains: Domain) -> Registry:
    """The checked declarations."""
    return build(domains)


def users(**classes: str) -> Table:
    """A table with classes and a set."""
    return Table("users", columns=classes, sets={"profile": ("id", "name")})  # type: ignore[arg-type]
