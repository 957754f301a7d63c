"""A situation and the exit code it has: one sentence, a hint, no traceback, nothing changed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from bgce_migrate.servers import Server
from tests.cli.program import SHOP, Answer, bgce, write
from tests.servers import as_superuser

UP = "migrations/cortex/000001_create_users.up.sql"


def sentence(answer: Answer) -> str:
    """The error's first line, which must be there with a hint below."""
    lines = [line for line in answer.err.splitlines() if line.startswith("error: ")]
    assert lines, answer.err
    return lines[0].removeprefix("error: ")


def hinted(answer: Answer) -> None:
    assert any(line.lstrip().startswith("hint: ") for line in answer.err.splitlines()), answer.err


def tables(url: str) -> int:
    query = "SELECT count(*) FROM pg_class WHERE relnamespace >= 16384 OR (oid >= 16384 AND relkind = 'r')"
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


BAD_FILES: dict[str, tuple[bytes, str, str]] = {
    "syntax": (b"-- users\nCREATE TABLE users (\n  id bigint,,\n);\n", 'syntax error at or near ","', f"{UP}:3:13"),
    "unterminated": (b"CREATE TABLE users (id bigint);\nSELECT 'abc;\n", "unterminated quoted string", f"{UP}:2:8"),
    "nul": (b"CREATE TABLE users (id bigint);\n\x00", "NUL", f"{UP}:2"),
    "latin1": ("CREATE TABLE users (id bigint); -- caf\u00e9\n".encode("latin-1"), "UTF-8", f"{UP}:1"),
    "utf16": ("CREATE TABLE users (id bigint);\n".encode("utf-16"), "UTF-16", UP),
    "bidi": ("CREATE TABLE users (id bigint); -- \u202e\n".encode(), "U+202E", f"{UP}:1"),
    "directive": (b"-- bgce: no-transactoin\nCREATE TABLE users (id bigint);\n", "no-transactoin", f"{UP}:1"),
    "commit": (b"CREATE TABLE users (id bigint);\nCOMMIT;\nSELECT 1;\n", "COMMIT", f"{UP}:2"),
    "meta": (b"\\connect other\nCREATE TABLE users (id bigint);\n", "psql", f"{UP}:1"),
    "role": (b"CREATE TABLE users (id bigint);\nSET ROLE postgres;\n", "SET ROLE", f"{UP}:2"),
    "empty": (b"-- nothing\n", "no statement", UP),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.postgres(18)
def test_a_file_that_cannot_be_run_is_refused_before_anything_runs(name: str, shop: Path, database: str) -> None:
    raw, words, place = BAD_FILES[name]
    write(shop, {UP: raw})
    before = tables(database)
    answer = bgce("up", "-d", database, cwd=shop)
    assert answer.code == 2
    assert words.lower() in answer.err.lower()
    assert place in answer.err
    assert tables(database) == before


def test_an_unreadable_file(shop: Path) -> None:
    (shop / UP).unlink()
    (shop / UP).symlink_to("/etc/hostname")
    answer = bgce("plan", cwd=shop)
    assert answer.code == 2
    assert "leads out of its folder" in answer.err


def test_a_file_over_the_limit(shop: Path) -> None:
    write(shop, {UP: b"-- " + b"x" * (16 * 1024 * 1024)})
    answer = bgce("plan", cwd=shop, timeout=10)
    assert answer.code == 2
    assert "a migration may have 16" in answer.err


@pytest.mark.parametrize(
    "variable", ["DATABASE_URL", "BGCE_DATABASE_URL", "PGHOST", "PGDATABASE", "PGSERVICE", "PGPASSWORD", "PGPORT"]
)
def test_a_database_variable_that_is_set_and_empty(variable: str, shop: Path) -> None:
    for command in ("up", "status", "plan"):
        answer = bgce(command, cwd=shop, env={variable: ""})
        assert answer.code == 2
        assert "empty" in sentence(answer)
        hinted(answer)
    assert not (shop / ".bgce").exists()


@pytest.mark.parametrize("command", ["up", "status", "history", "version", "down --all", "goto 1 --domain cortex"])
def test_no_terminal_and_no_database(command: str, shop: Path) -> None:
    answer = bgce(*command.split(), cwd=shop)
    assert answer.code == 2
    assert sentence(answer) == "no database is named, and there is no terminal to ask"
    hinted(answer)
    assert not (shop / ".bgce").exists()


@pytest.mark.parametrize(
    "url", ["mysql://u:pw-very-secret@h/d", "postgresql://u:pw-very-secret@h:port/d", "postgresql://u:pw-very%secret@h/d",
            "just words pw-very-secret", "postgresql://u:pw-very-secret@[::1/d"],
)  # fmt: skip
def test_a_wrong_url(url: str, shop: Path) -> None:
    answer = bgce("up", "-d", url, cwd=shop)
    assert answer.code == 2
    hinted(answer)
    assert "pw-very" not in answer.out + answer.err


def test_nobody_listens(shop: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = bgce("up", "-d", f"postgresql://u:pw-very-secret@127.0.0.1:{port}/d", cwd=shop)
    assert answer.code == 4
    assert f"127.0.0.1:{port}/d" in sentence(answer)
    hinted(answer)
    assert "secret" not in answer.err


@pytest.mark.postgres(18)
def test_a_wrong_password(shop: Path, server: Server) -> None:
    url = server.url(role="postgres", password="pw-very-secret")
    answer = bgce("up", "-d", url, cwd=shop)
    assert answer.code == 4
    assert "password authentication failed" in sentence(answer)
    hinted(answer)
    assert "secret" not in answer.out + answer.err


@pytest.mark.postgres(18)
def test_no_such_database(shop: Path, database: str) -> None:
    answer = bgce("up", "-d", make_conninfo(database, dbname="is_not_here"), cwd=shop)
    assert answer.code == 4
    assert "is_not_here" in sentence(answer)
    hinted(answer)


def test_a_server_that_is_too_old(shop: Path) -> None:
    """No such server can be installed here, so a stand-in speaks the few words of the protocol it takes."""
    from tests.cli.old_server import OldServer

    with OldServer() as old:
        answer = bgce("up", "-d", old.url, cwd=shop)
    assert answer.code == 3
    assert "PostgreSQL 13" in sentence(answer)


CALLS: list[tuple[str, int, str]] = [
    ("up nonsense", 2, "nonsense"),
    ("up 0", 2, "0"),
    ("up -d", 2, "requires an argument"),
    ("up --jobs 0", 2, "--jobs"),
    ("up --lock-timeout 15", 2, "not a duration"),
    ("up --to cortex", 2, "domain/version"),
    ("up --after nowhere.json", 2, "cannot be read"),
    ("up --after bgce.toml", 2, "not a receipt"),
    ("up --report no/such/folder/r.json", 2, "cannot be written"),
    ("up --domain cortx", 2, "cortx"),
    ("up --env production", 2, "production"),
    ("down", 2, "told what to undo"),
    ("down 1 --all", 2, "two answers"),
    ("down 1", 2, "cortex, postal"),
    ("down --all --from-file --from-history", 2, "two sources"),
    ("down --run not-a-uuid", 2, "not-a-uuid"),
    ("down --to cortex/1 --domain postal", 2, "postal"),
    ("goto 1", 2, "cortex, postal"),
    ("goto", 2, "missing argument"),
    ("goto 9 --domain cortex", 2, "9"),
    ("force 1", 2, "cortex, postal"),
    ("force 9 --domain cortex", 2, "9"),
    ("force x --domain cortex", 2, "x"),
    ("repair", 2, "told what"),
    ("repair --accept-cluster=", 2, "reason"),
    ("drop", 2, "no terminal"),
    ("drop -f", 2, "not taken here"),
    ("new migration nowhere create_x", 2, "nowhere"),
    ("new migration cortex Bad-Slug", 2, "Bad-Slug"),
    ("new domain cortex", 2, "exists already"),
    ("new domain Bad", 2, "Bad"),
    ("create x_y", 2, "cortex, postal"),
    ("create -ext txt -dir here x_y", 2, "txt"),
    ("bootstrap --password-from NOT_SET", 2, "not set"),
    ("bootstrap --password-from s3cr3t!", 2, "name of an environment variable"),
    ("graph --format png", 2, "png"),
    ("server start --image x", 2, "--image"),
    ("--config nowhere.toml plan", 2, "nowhere.toml"),
    ("--migrations nowhere plan", 2, "nowhere"),
    ("-source github://a/b up", 2, "github"),
    ("status --embedded -d postgresql:///x", 2, "two databases"),
    ("plan --check", 1, ""),
    ("lock --check", 1, ""),
    ("status --check", 1, ""),
    ("history", 0, ""),
    ("version --domain postal", 0, ""),
]  # fmt: skip


@pytest.mark.parametrize(("line", "code", "words"), CALLS, ids=[line for line, _, _ in CALLS])
@pytest.mark.postgres(18)
def test_calls(line: str, code: int, words: str, shop: Path, database: str) -> None:
    before = tables(database)
    answer = bgce(*line.split(), cwd=shop, env={"DATABASE_URL": database})
    assert answer.code == code, answer.err
    assert words in answer.err
    if code > 1:
        assert sentence(answer)
    assert tables(database) == before


def test_no_project_here(tmp_path: Path) -> None:
    answer = bgce("up", cwd=tmp_path)
    assert answer.code == 2
    assert "bgce-migrate init" in answer.err


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    import subprocess

    from tests.cli.program import COMMAND, environment

    script = f"mkdir gone && cd gone && rmdir ../gone && {' '.join(COMMAND)} plan"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 2
    assert "current folder does not exist" in done.stderr


def test_broken_declarations_are_told_all_at_once(shop: Path) -> None:
    write(shop, {
        "bgce.toml": str(SHOP["bgce.toml"]) + "colour = 1\n",
        "migrations/cortex/domain.toml": 'name = "cortex"\ntables = 3\n',
        "migrations/postal/domain.toml": 'name = "postal"\nrequires = ["cortx"]\n',
    })  # fmt: skip
    answer = bgce("plan", cwd=shop)
    assert answer.code == 2
    for words in ("colour", "tables", "cortx"):
        assert words in answer.err


def test_a_failing_step_is_5_and_leaves_nothing(shop: Path, database: str) -> None:
    write(shop, {UP: "CREATE TABLE users (id bigint);\nALTER TABLE users ADD COLUMN id text;\n"})
    answer = bgce("up", "-d", database, cwd=shop)
    assert answer.code == 5
    assert f"at: {UP}:2:1" in answer.err
    assert "sqlstate: 42701" in answer.err
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('users') IS NULL").fetchone() == (True,)


def test_another_run_holds_the_lock(shop: Path, database: str) -> None:
    assert bgce("up", "1", "-d", database, cwd=shop).code == 0
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE bgce_migrate.run_lock IN EXCLUSIVE MODE")
        answer = bgce("up", "--lock-wait", "0.3", "-d", database, cwd=shop)
    assert answer.code == 4
    assert "another run holds the lock" in sentence(answer)
    hinted(answer)


def test_a_table_that_somebody_holds(shop: Path, database: str) -> None:
    assert bgce("up", "1", "-d", database, cwd=shop).code == 0
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE users IN ACCESS SHARE MODE")
        pid = holder.info.backend_pid
        answer = bgce("up", "--retry-for", "0.5", "-d", database, cwd=shop)
    assert answer.code == 4
    assert str(pid) in answer.err


def test_expecting_another_plan(shop: Path, database: str) -> None:
    answer = bgce("up", "--expect", "0123456789abcdef", "-d", database, cwd=shop)
    assert answer.code == 3
    right = bgce("plan", "--json", "-d", database, cwd=shop).document["fingerprint"]
    assert bgce("up", "--expect", right, "-d", database, cwd=shop).code == 0


def test_a_history_that_was_changed(shop: Path, database: str) -> None:
    assert bgce("up", "-d", database, cwd=shop).code == 0
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE bgce_migrate.migration_history SET name = 'forged' WHERE version = 2")
    answer = bgce("history", "--verify", "-d", database, cwd=shop)
    assert answer.code == 3
    assert "row 2" in answer.out
    assert "NOT whole" in answer.out


def test_a_receipt_from_a_longer_history(shop: Path, make_database: Callable[..., str], tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    assert bgce("up", "-d", make_database(), "--report", receipt, cwd=shop).code == 0
    other = make_database()
    answer = bgce("up", "-d", other, "--after", receipt, cwd=shop)
    assert answer.code == 3
    assert "receipt" in sentence(answer)
    assert bgce("history", "--after", receipt, "-d", other, cwd=shop).code == 3


def test_our_own_bug_is_one_line_and_a_file(shop: Path, tmp_path: Path) -> None:
    """A plugin host that cannot exist: the engine's own module is broken on purpose."""
    write(tmp_path, {"broken/sitecustomize.py": (
        "import sys\nclass Broken:\n    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'bgce_migrate.desk':\n            raise ValueError('secret-in-a-traceback')\n"
        "sys.meta_path.insert(0, Broken())\n"
    )})  # fmt: skip
    from tests.cli.program import REPOSITORY

    env = {"PYTHONPATH": f"{tmp_path / 'broken'}:{REPOSITORY}", "TMPDIR": str(tmp_path), "PGPASSWORD": "secret-in-a-traceback"}
    answer = bgce("up", cwd=shop, env=env)
    assert answer.code == 70
    assert answer.err.count("\n") == 2
    assert "unexpected ValueError" in answer.err
    file = next(tmp_path.glob("bgce-migrate-*.log"))
    assert str(file) in answer.err
    text = file.read_text()
    assert "Traceback" in text
    assert "secret-in-a-traceback" not in text
    assert file.stat().st_mode & 0o077 == 0
