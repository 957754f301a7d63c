"""`[routing]`: every mistake with file, line and key; what is said reaches the router, the rest stays as it is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bgce_migrate.config import load
from bgce_migrate.config.routes import _KEYS
from bgce_migrate.router import of_project, settings_of
from bgce_migrate.routing import RoutingSettings
from tests.unit.config.test_documentation import documented
from tests.unit.config.tree import BGCE, mistakes, repository


def test_what_is_said_reaches_the_router(tmp_path: Path) -> None:
    said = "[routing]\nmax_lag_seconds = 3\nreturn_below = 0.25\nfailures = 5\nkey_env = 'TOKENS'\npools = { postal = 40 }\n"
    project = load(repository(tmp_path, bgce=BGCE + said))
    assert settings_of(project) == RoutingSettings(max_lag=3, return_below=0.25, failures=5)
    assert project.routing.key_env == "TOKENS"
    pools = of_project(project, "", {}).pools
    assert (pools["postal"], pools["cortex"]) == (40, 5)


def test_nothing_said_is_the_default(tmp_path: Path) -> None:
    assert settings_of(load(repository(tmp_path))) == RoutingSettings()


def test_the_page_has_the_settings_defaults() -> None:
    rows = documented("bgce.toml")
    defaults = {info.name: info.default for info in msgspec.structs.fields(RoutingSettings)}
    assert {name for name, _, _ in _KEYS.values()} == set(defaults)
    for key, (name, least, most) in _KEYS.items():
        assert rows[f"routing.{key}"][1] == f"`{defaults[name]}`"
        assert least <= defaults[name] <= most


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("polls = 1", "routing.polls: unknown key"),
        ('failures = "3"', "routing.failures: expected a whole number, got '3'"),
        ("failures = 0", "routing.failures: 0 is not a number from 1 to 1000"),
        ("max_lag_seconds = -1", "routing.max_lag_seconds: -1 is not a number from 0.1 to 86400"),
        ("return_below = 2.0", "routing.return_below: 2 is not a number from 0.01 to 1"),
        ('key_env = "a key"', "routing.key_env: 'a key' is not the name of an environment variable"),
        ("pools = { postel = 3 }", "routing.pools.postel: there is no service 'postel'"),
        ("pools = { postal = 0 }", "routing.pools.postal: 0 is not a number from 1 to 10000"),
        ("max_lag_seconds = 60", "routing.max_lag_seconds: tokens live 30 s, and replicas may be 62 s behind"),
        ("poll_seconds = 1.5", "routing.poll_seconds: a look every 1.5 s and silence after 2 s do not fit"),
        ("rest_seconds = 40", "routing.rest_seconds: a rest of 40 s is longer than the longest, 30 s"),
    ],
)
def test_each_mistake_has_its_place(said: str, told: str, tmp_path: Path) -> None:
    bgce = f"{BGCE}[routing]\n{said}\n"
    (found,) = mistakes(repository(tmp_path, bgce=bgce))
    assert told in found
    assert f"bgce.toml:{bgce[: bgce.index(said)].count(chr(10)) + 1}:" in found, found


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    bgce = BGCE + '[routing]\nfailures = 0\npoll_seconds = 0\nkey_env = "1"\npools = { postal = 0, nobody = 1 }\n'
    assert len(mistakes(repository(tmp_path, bgce=bgce))) == 5
