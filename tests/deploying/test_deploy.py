"""`deploy` as people run it: what is undone when a step, the command or the health check fails, and what stays."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.fingerprint.compare import compare
from bgce_migrate.fingerprint.model import Catalog
from tests.cli.program import Answer, bgce, write
from tests.deploying.conftest import applied, words_of

pytestmark = pytest.mark.postgres(18)

BEFORE = ["cortex/1", "cortex/2", "postal/1"]
AFTER = [*BEFORE, "cortex/3", "cortex/4", "cortex/5"]
#: What the programs of before send; ours as another program starts it.
BGCE = f"{sys.executable} -m bgce_migrate"
OLD_CODE = ("INSERT INTO users (id, email, bio) VALUES (%s, 'a@b', 'me')", "SELECT id, email, bio FROM users")


def deploy(shop: Path, database: str, *words: str, command: str = "true", domain: str = "cortex") -> Answer:
    line = ("deploy", "--deployment", "d1", "--domain", domain, *words, "--", "sh", "-c", command)
    return bgce(*line, cwd=shop, env={"BGCE_DATABASE_URL": database})


def old_code_runs(database: str, number: int) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(OLD_CODE[0], (number,))
        assert connection.execute(OLD_CODE[1]).fetchall()
        connection.execute("TRUNCATE users CASCADE")


def test_it_goes_well(shop: Path, database: str) -> None:
    answer = deploy(shop, database, "--health", "true", "--json", command="echo said by the command")
    assert answer.code == 0, answer.err
    document = answer.document
    assert (document["schema"], document["result"], document["domain"]) == ("bgce-migrate/deploy/1", "done", "cortex")
    assert [p["what"] for p in document["programs"]] == ["command", "health"]
    assert "said by the command" in answer.err
    assert applied(database) == AFTER
    assert words_of(database) == ["d1 begin cortex", "d1 ok cortex"]
    assert bgce("history", "--verify", "-d", database, cwd=shop).code == 0


def test_no_lock_is_held_while_the_command_runs(shop: Path, database: str) -> None:
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    write(shop, {"look.py": (
        "import os, psycopg\nwith psycopg.connect(os.environ['BGCE_DATABASE_URL']) as c:\n"
        f"    print(os.environ['BGCE_DEPLOYMENT'], c.execute({sessions!r}).fetchone()[0])\n"
    )})  # fmt: skip
    answer = deploy(shop, database, command=f"{sys.executable} look.py > seen")
    assert answer.code == 0, answer.err
    assert (shop / "seen").read_text() == "d1 0\n"


@pytest.mark.postgres(18, 16)
@pytest.mark.parametrize("failing", ["command", "health"])
def test_what_old_programs_can_live_with_stays(failing: str, shop: Path, database: str) -> None:
    commands = {"command": ["exit 7"], "health": ["true", "--health", "false", "--timeout", "1.5"]}[failing]
    answer = deploy(shop, database, *commands[1:], "--json", command=commands[0])
    assert answer.code == 1, answer.err
    document = answer.document
    assert document["result"] == "undone"
    # The index was made after the column went, in the same domain: it goes along.
    assert [s["id"] for s in document["undo"]["steps"]] == ["cortex/000005_index", "cortex/000004_drop_bio"]
    assert [k["id"] for k in document["kept"]] == ["cortex/000003_add_phone"]
    assert applied(database) == [*BEFORE, "cortex/3"]
    assert words_of(database) == ["d1 begin cortex", "d1 undo cortex", "d1 undone cortex"]
    old_code_runs(database, 1)


@pytest.mark.parametrize("k", [3, 4, 5, 6], ids=["first", "second", "third", "command"])
def test_every_failure_leaves_what_was_before(
    k: int, shop: Path, database: str, catalog: Callable[[], Catalog]
) -> None:
    before = catalog()
    if k < 6:
        (file,) = (shop / "migrations/cortex").glob(f"00000{k}_*.up.sql")
        file.write_text(file.read_text() + "SELECT 1/0;\n")
    answer = deploy(shop, database, "--undo", "all", command="exit 1")
    assert answer.code == (5 if k < 6 else 1), answer.err
    assert applied(database) == BEFORE
    assert compare(before, catalog()) == ()
    old_code_runs(database, 2)


def test_after_a_failure_the_next_one_goes_well(shop: Path, database: str) -> None:
    assert deploy(shop, database, command="exit 1").code == 1
    assert deploy(shop, database).code == 0
    assert applied(database) == [*BEFORE, "cortex/3", "cortex/4", "cortex/5"]
    # What has ended well is not undone by a second try under the same ID.
    again = deploy(shop, database, "--undo", "all", command="exit 1")
    assert again.code == 1
    assert applied(database) == AFTER


def test_a_run_of_the_action_is_joined(shop: Path, database: str) -> None:
    assert bgce("up", "-d", database, "--deployment", "d1", cwd=shop).code == 0
    assert deploy(shop, database, "--undo", "all", command="exit 1").code == 1
    assert applied(database) == BEFORE


def test_nothing_is_undone_where_that_is_said(shop: Path, database: str) -> None:
    answer = deploy(shop, database, "--undo", "none", command="exit 1")
    assert answer.code == 1
    assert "nothing is undone" in answer.out
    assert applied(database) == AFTER


def test_live_data_is_not_lost_unasked(shop: Path, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        assert deploy(shop, database, "--undo", "none").code == 0
        connection.execute("INSERT INTO users (id, phone) VALUES (1, '5')")
    write(shop, {
        "migrations/cortex/000006_add_fax.up.sql": "ALTER TABLE users ADD COLUMN fax text NOT NULL DEFAULT 'none';\n",
        "migrations/cortex/000006_add_fax.down.sql": "ALTER TABLE users DROP COLUMN fax;\n",
    })  # fmt: skip
    answer = deploy(shop, database, "--undo", "all", command="exit 1")
    assert answer.code == 6
    assert "cortex/000006_add_fax: column users.fax has values" in answer.err
    assert "--accept-data-loss" in answer.err
    assert applied(database)[-1] == "cortex/6"
    # It is open: the same command does not begin anew, and giving it up with consent ends it.
    assert deploy(shop, database).code == 3
    words = ("deploy", "finish", "d1", "--failed", "--undo", "all", "-d", database)
    assert bgce(*words, cwd=shop).code == 6
    ended = bgce(*words, "--accept-data-loss", cwd=shop)
    assert ended.code == 0, ended.err
    assert applied(database) == AFTER


def test_what_others_have_built_on_it_is_named(shop: Path, database: str) -> None:
    write(shop, {
        "migrations/postal/000002_phone.up.sql": "CREATE TABLE calls (phone text, u bigint REFERENCES users (id));\n"
                                                 "CREATE VIEW phones AS SELECT phone FROM users;\n",
        "migrations/postal/000002_phone.down.sql": "DROP VIEW phones;\nDROP TABLE calls;\n",
        "migrations/postal/domain.toml": 'name = "postal"\nrequires = ["cortex"]\n[tables.posts]\n[tables.calls]\n',
    })  # fmt: skip
    up = f"{BGCE} up --domain postal --deployment other"
    answer = deploy(shop, database, "--undo", "all", command=f"{up} && exit 1")
    assert answer.code == 6, answer.err
    assert "postal/000002_phone" in answer.err
    assert applied(database) == [*AFTER, "postal/2"]


def test_another_domains_deployment_of_the_same_commit_is_untouched(shop: Path, database: str) -> None:
    write(shop, {
        "migrations/postal/000002_title.up.sql": "ALTER TABLE posts ADD COLUMN title text;\n",
        "migrations/postal/000002_title.down.sql": "ALTER TABLE posts DROP COLUMN title;\n",
    })  # fmt: skip
    inner = f"{BGCE} deploy --deployment d1 --domain postal -- true"
    answer = deploy(shop, database, "--undo", "all", command=f"{inner} && exit 1")
    assert answer.code == 1, answer.err
    assert applied(database) == [*BEFORE, "postal/2"]


def test_what_another_deployment_stands_on_stays(shop: Path, database: str) -> None:
    write(shop, {
        "migrations/postal/000002_title.up.sql": "CREATE TABLE lines (u bigint REFERENCES users (id), phone text);\n"
                                                 "CREATE VIEW phones AS SELECT phone FROM users;\n",
        "migrations/postal/000002_title.down.sql": "DROP VIEW phones;\nDROP TABLE lines;\n",
        "migrations/postal/domain.toml": 'name = "postal"\nrequires = ["cortex"]\n[tables.posts]\n[tables.lines]\n',
    })  # fmt: skip
    inner = f"{BGCE} deploy --deployment d2 --domain cortex -- true"
    answer = deploy(shop, database, "--undo", "all", "--json", command=f"{inner} && exit 1", domain="postal")
    assert answer.code == 1, answer.err
    assert "cortex/000003_add_phone" in [k["id"] for k in answer.document["kept"]]
    assert "deployment d2 of cortex stands on it" in answer.out
    assert "postal/2" not in applied(database)
    assert "cortex/3" in applied(database)


def test_begin_and_finish_elsewhere(shop: Path, database: str) -> None:
    said = ("-d", database)
    assert bgce("deploy", "begin", "d9", "--all-domains", *said, cwd=shop).code == 0
    assert bgce("deploy", "begin", "d9", "--all-domains", *said, cwd=shop).code == 3
    assert bgce("up", "--deployment", "d9", "--to", "cortex/4", *said, cwd=shop).code == 0
    assert bgce("up", "--deployment", "d9", *said, cwd=shop).code == 0
    answer = bgce("deploy", "finish", "d9", "--failed", "--undo", "all", *said, cwd=shop)
    assert answer.code == 0, answer.err
    assert applied(database) == BEFORE
    assert bgce("deploy", "finish", "d9", "--ok", *said, cwd=shop).code == 3
    assert bgce("deploy", "begin", "d9", "--all-domains", *said, cwd=shop).code == 0
    assert bgce("deploy", "finish", "d9", "--ok", *said, cwd=shop).code == 0
    assert bgce("deploy", "finish", "d9", "--ok", *said, cwd=shop).code == 0
    assert bgce("deploy", "finish", "d9", "--failed", *said, cwd=shop).code == 3


def test_what_cannot_be(shop: Path, database: str) -> None:
    said = ("-d", database)
    for words, message in (
        (("deploy", "--deployment", "x", "--", "true"), "could be about each of 2 domains"),
        (("deploy", "--deployment", "x", "--domain", "cortex"), "missing argument"),
        (("deploy", "--deployment", "x", "--domain", "cortex", "--", "./not-there"), "there is no program ./not-there"),
        (("deploy", "--deployment", "x", "--domain", "cortex", "--all-domains", "--", "true"), "two answers"),
        (("deploy", "finish", "x"), "say --ok or --failed"),
    ):
        answer = bgce(*words, *(() if "--" in words else said), cwd=shop, env={"BGCE_DATABASE_URL": database})
        assert answer.code == 2, answer.err
        assert message in answer.err
    assert bgce("deploy", "--deployment", "x", "--domain", "cortex", "--resume", *said, "--", "true", cwd=shop).code == 3
    assert applied(database) == BEFORE
    assert words_of(database) == []


def test_a_step_outside_of_transactions(shop: Path, database: str, catalog: Callable[[], Catalog]) -> None:
    unique = "CREATE UNIQUE INDEX CONCURRENTLY u ON users (email);\n"
    up = "migrations/cortex/000006_unique.up.sql"
    write(shop, {
        up: f"-- bgce: no-transaction\n{unique}",
        "migrations/cortex/000006_unique.down.sql": "-- bgce: no-transaction\nDROP INDEX CONCURRENTLY u;\n",
    })  # fmt: skip
    before = catalog()
    assert deploy(shop, database, "--undo", "all", command="exit 1").code == 1
    assert (applied(database), compare(before, catalog())) == (BEFORE, ())
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO users (id, email) VALUES (1, 'a'), (2, 'a')")
    # What fails alone leaves nothing; what is half done is left for a person, and said.
    answer = deploy(shop, database, "--undo", "all")
    assert answer.code == 5
    assert "mend it and deploy again" in answer.err
    assert (applied(database), compare(before, catalog())) == (BEFORE, ())
    write(shop, {up: f"-- bgce: no-transaction\nCREATE INDEX CONCURRENTLY first ON users (email);\n{unique}"})
    assert deploy(shop, database, "--undo", "all").code == 6
    words = ("deploy", "finish", "d1", "--failed", "--undo", "all", "-d", database)
    given_up = bgce(*words, cwd=shop)
    assert given_up.code == 6
    assert "cortex/000006 is half done" in given_up.err
    assert "repair --forget-journal cortex/000006" in given_up.err
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP INDEX first")
    assert bgce("repair", "--forget-journal", "cortex/6", "-d", database, cwd=shop).code == 0
    assert bgce(*words, cwd=shop).code == 0
    assert (applied(database), compare(before, catalog())) == (BEFORE, ())
