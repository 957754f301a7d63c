"""What a router takes from a project and its environment: servers, the key of tokens, settings, plugins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from bgce_migrate.errors import UsageError
from bgce_migrate.host import Host
from bgce_migrate.router.declared import Places, of_project, settings_of
from bgce_migrate.routing import RoutingSettings

_SHORTEST_KEY = 16  # bytes


class Loaded(Struct, frozen=True):
    """`key` is None where the environment has none: tokens are then good in this program only."""

    places: Places
    settings: RoutingSettings
    host: Host
    key: bytes | None = None


def loaded(directory: str | Path, database_url: str | None, environment: Mapping[str, str] | None) -> Loaded:
    """Read the project.

    Raises:
        BgceError: configuration mistakes, no database is named, or the key can be guessed.
    """
    from bgce_migrate import config
    from bgce_migrate.opening import load_project

    env = os.environ if environment is None else environment
    project, host = load_project(Path(directory))
    choice = config.resolve(project, flag=database_url, environment=env)
    variable = project.routing.key_env
    key = env.get(variable)
    if key is not None and len(key.encode()) < _SHORTEST_KEY:
        raise UsageError(f"{variable} is shorter than {_SHORTEST_KEY} bytes", hint="for example: openssl rand -hex 32")
    places = of_project(project, choice.conninfo, env)
    return Loaded(places, settings_of(project), host, key.encode() if key else None)
