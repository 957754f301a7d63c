"""Seeded passwords in every place they can come from, and every command's whole output searched for them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from bgce_migrate.servers import Server
from tests.cli.program import bgce, write
from tests.servers import as_superuser, make_administrator

pytestmark = pytest.mark.postgres(18)

SEED = "s33d:/@ %ed?pw#1"
LINES = [
    "up --json -v", "status --json", "up -v", "plan --explain", "doctor", "history --json", "down --all --yes",
    "bootstrap --json", "up --report receipt.json", "force 0 --domain cortex", "drop", "up --nope",
]  # fmt: skip


def forms(secret: str) -> list[str]:
    return [secret, quote(secret, safe=""), quote(secret)]


def search(text: str, secret: str = SEED) -> None:
    for form in forms(secret):
        assert form not in text


@pytest.fixture
def login(server: Server, database: str) -> str:
    """The URL of an administrator with the seeded password."""
    name = psycopg.conninfo.conninfo_to_dict(make_administrator(database, "seeded"))["dbname"]
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE seeded PASSWORD {}").format(sql.Literal(SEED)))
    return server.url(role="seeded", password=SEED, database=str(name))


def pairs(url: str, password: str) -> str:
    info = psycopg.conninfo.conninfo_to_dict(url)
    return psycopg.conninfo.make_conninfo(**{**info, "password": password})


@pytest.mark.parametrize("way", ["flag", "variable", "pairs", "PG*", ".env"])
def test_a_password_that_works_is_never_printed(way: str, shop: Path, login: str) -> None:
    info = psycopg.conninfo.conninfo_to_dict(login)
    env: dict[str, str] = {"BGCE_PASSWORD_CORTEX": SEED}
    flag: list[str] = []
    if way == "flag":
        flag = ["-d", login]
    elif way == "variable":
        env["DATABASE_URL"] = login
    elif way == "pairs":
        flag = ["--database-url", pairs(login, SEED)]
    elif way == ".env":
        write(shop, {".env": f"DATABASE_URL={login}\n"})
    else:
        env |= {"PGHOST": str(info["host"]), "PGPORT": str(info["port"]), "PGDATABASE": str(info["dbname"]),
                "PGUSER": "seeded", "PGPASSWORD": SEED}  # fmt: skip
    for line in LINES if way == "flag" else LINES[:3]:
        answer = bgce(*line.split(), *flag, cwd=shop, env=env)
        assert answer.code not in (4, 70), answer.err
        search(answer.out + answer.err)
    for file in shop.glob("*.json"):
        search(file.read_text())


def test_a_password_that_does_not_work_is_never_printed(shop: Path, server: Server) -> None:
    wrong = server.url(role="postgres", password=SEED)
    for url in (wrong, wrong.replace("127.0.0.1", "no.such.host.invalid"), wrong.replace("127.0.0.1", "[::1"),
                wrong.replace(quote(SEED, safe=""), SEED), wrong.replace("postgresql:", "mysql:"),
                pairs(wrong, SEED), f"password='{SEED}", f"hots=x password='{SEED}'", SEED):  # fmt: skip
        for line in ("up --json -v", "doctor"):
            answer = bgce(*line.split(), "-d", url, cwd=shop)
            assert answer.code in (0, 2, 4), answer.err
            search(answer.out + answer.err)


def test_passwords_for_bootstrap(shop: Path, login: str) -> None:
    env = {"DATABASE_URL": login, "MIGRATOR_PW": SEED + "2", "CORTEX_PW": SEED + "3"}
    line = "bootstrap --password-from MIGRATOR_PW --password-from cortex_user=CORTEX_PW"
    for more in ("--print", "--json"):
        answer = bgce(*f"{line} {more}".split(), cwd=shop, env=env)
        assert answer.code == 0, answer.err
        search(answer.out + answer.err)
    info = psycopg.conninfo.conninfo_to_dict(login)
    for role, secret in (("bgce_migrator", SEED + "2"), ("cortex_user", SEED + "3")):
        with psycopg.connect(host=info["host"], port=info["port"], dbname=info["dbname"], user=role, password=secret):
            pass


def test_a_password_in_a_file_that_fails_is_not_our_output_twice(shop: Path, login: str) -> None:
    """The server's message may quote a statement; a password we were given is masked wherever it comes from."""
    write(shop, {"migrations/cortex/000002_add_bio.up.sql": f"DO $$BEGIN RAISE EXCEPTION 'it is %', '{SEED}'; END$$;\n"})
    answer = bgce("up", "-v", "-d", login, cwd=shop)
    assert answer.code == 5
    search(answer.out + answer.err)
    assert "it is ***" in answer.err
