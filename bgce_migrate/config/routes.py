"""`[routing]` of `bgce.toml`: how servers are watched, how old a read may be, who has how many connections."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from types import MappingProxyType

from msgspec import UnsetType
from msgspec.structs import fields

from bgce_migrate.config.project import Routing
from bgce_migrate.config.schema import RoutingTable
from bgce_migrate.registry.references import KeyPath, did_you_mean, printable

Fault = tuple[KeyPath, str, "str | None"]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MOST_CONNECTIONS = 10_000  # as of a service's own `pool`
#: The field of `RoutingSettings` for each key, with the least and the most that make sense.
_KEYS: dict[str, tuple[str, float, float]] = {
    "poll_seconds": ("poll", 0.01, 60.0),
    "max_wait_seconds": ("max_wait", 0.0, 60.0),
    "max_lag_bytes": ("max_lag_bytes", 0, 2**40),
    "max_lag_seconds": ("max_lag", 0.1, 86_400.0),
    "return_below": ("return_below", 0.01, 1.0),
    "silence_seconds": ("silence", 0.1, 3_600.0),
    "token_seconds": ("token_lifetime", 1.0, 604_800.0),
    "failures": ("failures", 1, 1_000),
    "rest_seconds": ("rest", 0.1, 3_600.0),
    "rest_most_seconds": ("rest_most", 0.1, 86_400.0),
    "patience_seconds": ("patience", 0.1, 300.0),
}


def check_routing(said: RoutingTable, services: Collection[str] | None) -> Iterator[Fault]:
    """Every wrong value of `[routing]`.

    Args:
        services: of all domains; None where not all of them could be read.
    """
    if not _VARIABLE.match(said.key_env):
        yield ("routing", "key_env"), f"'{printable(said.key_env[:80])}' is not the name of an environment variable", None
    for service, size in said.pools.items():
        path: KeyPath = ("routing", "pools", service)
        if services is not None and service not in services:
            yield path, f"there is no service '{printable(service)}'", did_you_mean(service, services)
        if not 1 <= size <= _MOST_CONNECTIONS:
            yield path, f"{size} is not a number from 1 to {_MOST_CONNECTIONS}", None
    values, wrong = _values(said), False
    for key, (name, least, most) in _KEYS.items():
        if name in values and not least <= values[name] <= most:
            wrong = True
            yield ("routing", key), f"{values[name]:g} is not a number from {least:g} to {most:g}", None
    if values and not wrong:
        yield from _misfits(values)


def _misfits(values: dict[str, float]) -> Iterator[Fault]:
    from bgce_migrate.routing.model import RoutingSettings, misfits

    keys = {name: key for key, (name, _, _) in _KEYS.items()}
    for misfit in misfits({info.name: info.default for info in fields(RoutingSettings)} | values):
        said = next(name for name in misfit.names if name in values)
        yield ("routing", keys[said]), misfit.message, misfit.hint


def _values(said: RoutingTable) -> dict[str, float]:
    found = {name: getattr(said, key) for key, (name, _, _) in _KEYS.items()}
    return {name: value for name, value in found.items() if not isinstance(value, UnsetType)}


def routing(said: RoutingTable) -> Routing:
    """The checked table as a value."""
    return Routing(MappingProxyType(_values(said)), said.key_env, MappingProxyType(dict(said.pools)))
