"""`pgbouncer render` and `check` on the command line, without a pooler."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import bgce
from tests.ownership.shipped import shipped
from tests.pools.scene import project

URL = "postgresql://somebody:s33d-pw@db.example:6000/archive?sslmode=verify-full&sslrootcert=/etc/ca.pem"


def test_the_platforms_file(tmp_path: Path) -> None:
    platform = shipped(tmp_path)
    env = {"BGCE_REPLICA1_URL": "postgresql://x:s33d-pw@r1:5433/bgce_archive", "BGCE_REPLICA2_URL": "host=r2 port=5434 dbname=bgce_archive"}
    answer = bgce("pgbouncer", "render", "-d", "postgresql://m:s33d-pw@db/bgce_archive", cwd=platform, env=env)
    assert answer.code == 0, answer.err
    entries = [line.split(" = ")[0] for line in answer.out.splitlines() if " = host=" in line]
    assert len(entries) == 13 + 5
    assert {"postal_ro", "community_ro", "learning_ro", "competition_ro", "analytics_ro"} < set(entries)
    assert "postal_ro = host=r1 port=5433 dbname=bgce_archive pool_size=20 max_db_connections=20" in answer.out
    assert "s33d-pw" not in answer.out + answer.err
    assert answer.out == bgce("pgbouncer", "render", "-d", "host=db dbname=bgce_archive", cwd=platform, env=env).out
    checked = bgce("pgbouncer", "check", "--max-connections", "200", cwd=platform)
    assert checked.code == 0
    assert checked.out.startswith("primary: pools may hold 144 connections of 147: 3 to spare\n")
    assert bgce("pgbouncer", "check", "--max-connections", "190", cwd=platform).code == 1


def test_where_it_goes_and_what_it_says_of_tls(tmp_path: Path) -> None:
    folder = project(tmp_path)
    answer = bgce("pgbouncer", "render", "--output", "p.ini", "--listen-addr", "*", "--pooler-version", "1.21", "-d", URL, cwd=folder)
    assert (answer.code, answer.out) == (0, "p.ini\n")
    lines = (folder / "p.ini").read_text().splitlines()
    for line in ("listen_addr = *", "server_tls_sslmode = verify-full", "server_tls_ca_file = /etc/ca.pem",
                 "auth_dbname = bgce_pooler", "max_prepared_statements = 200",
                 "cortex = host=db.example port=6000 dbname=archive pool_size=5 max_db_connections=5"):  # fmt: skip
        assert line in lines
    document = bgce("pgbouncer", "render", "--json", "-d", URL, cwd=folder).document
    assert document["schema"] == "bgce-migrate/pgbouncer/1"
    assert set(document["drivers"]) == {"database/sql", "pgx", "GORM", "psycopg"}


def test_settings_of_the_project(tmp_path: Path) -> None:
    more = '[pgbouncer]\nversion = "1.24"\nprocesses = 2\nclients = 50\nheadroom = 1\nreserve = { migrator = 8, cron = 5 }\n'
    folder = project(tmp_path, more=more)
    text = bgce("pgbouncer", "render", "-d", "host=a dbname=b", cwd=folder).out
    assert "cortex = host=a port=5432 dbname=b pool_size=2 max_db_connections=2" in text
    assert "max_client_conn = 50" in text
    out = bgce("pgbouncer", "check", "--max-connections", "100", cwd=folder).out.splitlines()
    assert out[1] == "  (cortex 2 + postal 1 + community 2 + look-ups 2) x 2 poolers = 14"
    assert out[2].endswith("migrator 8 - exporter 2 - backup 2 - admin 3 - spare 2 - cron 5 = 75")


@pytest.mark.parametrize(("more", "told"), [
    ('[pgbouncer]\nversion = "new"\n', "'new' is not a version such as 1.21"),
    ('[pgbouncer]\nversion = "1.9"\n', "PgBouncer 1.9 is older than 1.18"),
    ("[pgbouncer]\nprocesses = 0\n", "0 is not a number from 1 to"),
    ("[pgbouncer]\nheadroom = 1.5\n", "1.5 is not above 0 and at most 1"),
    ("[pgbouncer]\nheadroom = nan\n", "nan is not above 0 and at most 1"),
    ("[pgbouncer.reserve]\nbackup = -1\n", "-1 is not a number from 0 to"),
    ('[pgbouncer.reserve]\n"a - b\\n" = 1\n', "is not a name of letters, digits and blanks"),
])  # fmt: skip
def test_settings_that_cannot_be(more: str, told: str, tmp_path: Path) -> None:
    answer = bgce("pgbouncer", "check", "--max-connections", "9", cwd=project(tmp_path, more=more))
    assert answer.code == 2
    assert told in answer.err


@pytest.mark.parametrize(("words", "told"), [
    (("render", "-d", "host=a,b dbname=c"), "the address names several servers: a,b"),
    (("render", "--pooler-version", "0.1", "-d", "host=a"), "'0.1' is not a version of PgBouncer from 1.18 on"),
    (("render", "--users-file", "a\nauth_type = any", "-d", "host=a"), "--users-file is one line"),
    (("check", "--enforce-pools", "--max-connections", "9"), "--max-connections asks none"),
])  # fmt: skip
def test_what_is_refused(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    answer = bgce("pgbouncer", *words, cwd=project(tmp_path))
    assert answer.code == 2, answer.err
    assert told in answer.err


def test_an_empty_variable_of_a_replica_is_an_error(tmp_path: Path) -> None:
    answer = bgce("pgbouncer", "render", "-d", "host=a", cwd=project(tmp_path), env={"REPLICA_URL": ""})
    assert answer.code == 2
    assert "REPLICA_URL is set and empty" in answer.err


@pytest.mark.parametrize("url", ["postgresql://r1/x%0Aauth_type%20=%20any", "postgresql://r1/x?sslrootcert=/a%0D%0Ab"])
def test_an_address_cannot_add_lines(url: str, tmp_path: Path) -> None:
    answer = bgce("pgbouncer", "render", "-d", "host=a", cwd=project(tmp_path), env={"REPLICA_URL": url})
    assert answer.code == 2
    assert "of the address cannot stand in a pooler's file" in answer.err
    assert "auth_type" not in answer.out


def test_services_whose_entries_clash(tmp_path: Path) -> None:
    folder = project(tmp_path, {"cortex": 1, "postal": 1, "community": 1})
    toml = folder / "migrations/cortex/domain.toml"
    toml.write_text(toml.read_text().replace('[[services]]\nname = "cortex"', '[[services]]\nname = "postal_ro"'))
    answer = bgce("pgbouncer", "check", "--max-connections", "100", cwd=folder)
    assert (answer.code, "service postal_ro has the name of postal's entry for reads" in answer.err) == (2, True)
