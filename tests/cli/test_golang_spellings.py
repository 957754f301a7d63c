"""golang-migrate's command lines, as its users have them in scripts."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from bgce_migrate.commands.spelling import respell
from bgce_migrate.errors import UsageError
from tests.cli.program import PLAIN, bgce, write

pytestmark = pytest.mark.postgres(18)


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ("-path db -database X up 2", "--migrations db --database-url X up 2"),
        ("-path=db -database=a=b up", "--migrations db --database-url a=b up"),
        ("--path db --database X version", "--migrations db --database-url X version"),
        ("-source file://db/m -verbose up", "--migrations db/m --verbose up"),
        ("--source file:///srv/a%20b up", "--migrations /srv/a b up"),
        ("-source db up", "--migrations db up"),
        ("-lock-timeout 15 -prefetch 10 up", "--golang-lock-timeout 15 --golang-prefetch 10 up"),
        ("-version", "--version"),
        ("-help", "--help"),
        ("down -all", "down --all"),
        ("drop -f", "drop --force"),
        ("create -ext sql -dir db -seq add_x", "create --ext sql --dir db --seq add_x"),
        ("create -ext sql -dir db -digits 4 -format unix -tz UTC x",
         "create --ext sql --dir db --digits 4 --format unix --tz UTC x"),
        ("up --lock-timeout 5s", "up --lock-timeout 5s"),
        ("-v -d X status -h", "-v -d X status -h"),
        ("goto -- -path", "goto -- -path"),
    ],
)  # fmt: skip
def test_respelling(words: str, ours: str) -> None:
    assert " ".join(respell(words.split(" "))) == ours


@pytest.mark.parametrize("words", ["-source github://a/b up", "-source s3://b/p up", "up -path"])
def test_what_cannot_be_respelled(words: str) -> None:
    with pytest.raises(UsageError):
        respell(words.split())


def test_a_day_with_one_domain(plain: Path, database: str) -> None:
    def migrate(line: str) -> tuple[int, str]:
        answer = bgce(*f"-path db -database {database} {line}".split(), cwd=plain)
        return answer.code, answer.out

    assert migrate("up 2")[0] == 0
    assert migrate("version") == (0, "2\n")
    assert migrate("up")[0] == 0
    assert migrate("version") == (0, "3\n")
    assert migrate("up") == (0, "nothing to do: everything is applied\n")
    assert migrate("down 1")[0] == 0
    assert migrate("goto 1")[0] == 0
    assert migrate("version") == (0, "1\n")
    assert migrate("goto 3")[0] == 0
    assert migrate("force 2")[0] == 0
    assert migrate("version") == (0, "2\n")
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('posts') IS NOT NULL").fetchone() == (True,)
    assert migrate("force 3")[0] == 0
    assert migrate("down")[0] == 2
    assert migrate("down -all")[0] == 0
    assert migrate("version") == (0, "")
    assert migrate("force -1")[0] == 0


def test_a_source_url_and_the_parameters_of_its_database_url(plain: Path, database: str) -> None:
    url = f"{database}&x-migrations-table=schema_migrations&x-multi-statement=true"
    answer = bgce("-source", f"file://{plain}/db", "-database", url, "-lock-timeout", "15", "-verbose", "up", cwd=plain)
    assert answer.code == 0, answer.err
    assert "x-migrations-table" in answer.err


def test_the_lock_timeout_of_golang_migrate_is_how_long_we_wait_for_another_run(plain: Path, database: str) -> None:
    here = ("-path", "db", "-database", database)
    assert bgce(*here, "up", "1", cwd=plain).code == 0
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE bgce_migrate.run_lock IN EXCLUSIVE MODE")
        answer = bgce(*here, "-lock-timeout", "1", "up", cwd=plain, timeout=20)
    assert answer.code == 4


def test_over_several_domains_a_bare_version_is_not_enough(tmp_path: Path, database: str) -> None:
    for service in ("cortex", "postal"):
        table = {name: str(text).replace("users", service).replace("posts", f"{service}_2") for name, text in PLAIN.items()}
        write(tmp_path / "services" / service / "migrations", dict(table))
    here = ("--migrations", "services", "-d", database)
    assert bgce(*here, "up", cwd=tmp_path).code == 0
    for line in ("goto 1", "force 1", "down 1"):
        answer = bgce(*here, *line.split(), cwd=tmp_path)
        assert answer.code == 2
        assert "2 domains: cortex, postal" in answer.err
    assert bgce(*here, "version", cwd=tmp_path).out == "cortex  3\npostal  3\n"
    assert bgce(*here, "goto", "1", "--domain", "postal", cwd=tmp_path).code == 0
    assert bgce(*here, "version", "--domain", "postal", cwd=tmp_path).out == "1\n"


def test_create(tmp_path: Path) -> None:
    assert bgce(*["create", "-ext", "sql", "-dir", "db/m", "-seq", "create_users"], cwd=tmp_path).code == 0
    assert bgce(*["create", "-ext", "sql", "-dir", "db/m", "-seq", "add_bio"], cwd=tmp_path).code == 0
    assert sorted(p.name for p in (tmp_path / "db/m").iterdir()) == [
        "000001_create_users.down.sql", "000001_create_users.up.sql",
        "000002_add_bio.down.sql", "000002_add_bio.up.sql",
    ]  # fmt: skip
