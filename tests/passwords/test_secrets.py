"""Seeded passwords, searched for wherever they could have gone: arguments, output, the server's log, the database."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from bgce_migrate.servers import Server
from tests.cli.program import COMMAND, SHOP, Answer, bgce, environment, write
from tests.e2e.scene import as_role, make_owner, query
from tests.servers import as_superuser

pytestmark = pytest.mark.postgres(18)

SEEDS = {
    "signs": "s33d:/@ %ed?pw#1'\"\\$(id)`;--",
    "unicode": "pässwörd—Ⅸ—密碼",
    "toml": "[a]\nb"[:3] + "= {x}&sslmode=disable",
    "long": "x7" * 400,
}


def forms(secret: str) -> list[str]:
    doubled = secret.replace("'", "''")
    return [secret, doubled, doubled.replace("\\", "\\\\"), quote(secret), quote(secret, safe=""), secret.encode().hex()]


def search(text: str, secret: str, where: str) -> None:
    for form in forms(secret):
        assert form not in text, where


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", SHOP)


@pytest.fixture
def noisy(database: str) -> str:
    """A database whose sessions log all they are asked, and how long it took."""
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        for name, value in (("log_statement", "all"), ("log_min_duration_statement", "0"), ("log_min_messages", "debug1")):
            words = sql.SQL("ALTER DATABASE {} SET {} = {}")
            connection.execute(words.format(sql.Identifier(connection.info.dbname), sql.Identifier(name), sql.Literal(value)))
    return database


def log_of(server: Server) -> Path:
    return Path(server.data).parent / "log"


@contextmanager
def watched(secret: str) -> Iterator[list[str]]:
    """Arguments of every process on this machine in which the secret stood meanwhile."""
    found: list[str] = []
    ends = threading.Event()

    def watch() -> None:
        while not ends.wait(0.003):
            for line in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    text = line.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                    if "grants password" in text and any(form in text for form in forms(secret)):
                        found.append(text)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ends.set()
        thread.join(10)


def give(way: str, secret: str, folder: Path, url: str, *words: str) -> Answer:
    """Set it by variable, file or standard input."""
    command = ["grants", "password", "cortex", "-v", "-d", url, *words]
    if way == "variable":
        return bgce(*command, "--from-env", "NEW_SECRET", cwd=folder, env={"NEW_SECRET": secret})
    if way == "file":
        file = folder.parent / "secret"
        file.write_text(secret + "\n", encoding="utf-8")
        file.chmod(0o600)
        return bgce(*command, "--from-file", file, cwd=folder)
    return bgce(*command, "--from-file", "-", cwd=folder, answers=secret + "\n")


@pytest.mark.parametrize(("seed", "way"), [
    ("signs", "variable"), ("toml", "file"), ("unicode", "input"), ("long", "file"),
])  # fmt: skip
@pytest.mark.parametrize("who", [pytest.param("superuser", marks=pytest.mark.superuser("one may set passwords")), "administrator"])
def test_a_password_is_nowhere(who: str, seed: str, way: str, shop: Path, server: Server, noisy: str) -> None:
    secret = SEEDS[seed]
    admin = make_owner(noisy, "admin", "CREATEROLE")
    assert bgce("bootstrap", "-d", admin, cwd=shop).code == 0
    url = as_superuser(noisy) if who == "superuser" else admin
    begins = log_of(server).stat().st_size
    with watched(secret) as arguments:
        for words in (("--json",), ("--second",)):
            answer = give(way, secret, shop, url, *words)
            assert answer.code == 0, answer.err
            search(answer.out + answer.err, secret, "output")
    assert arguments == []
    psycopg.connect(as_role(noisy, "cortex_user", secret)).close()
    psycopg.connect(as_role(noisy, "cortex_user_b", secret)).close()
    bgce("up", "-d", admin, cwd=shop)
    log = log_of(server).read_bytes()[begins:].decode("utf-8", "replace")
    assert "statement: " in log or "execute " in log
    search(log, secret, "the server's log")
    if who == "superuser":
        assert "SCRAM-SHA-256$" not in log, "not even the verifier, where we may say so"
    for text in dump(as_superuser(noisy)):
        search(text, secret, "the database")
    for file in shop.rglob("*"):
        if file.is_file():
            search(file.read_text(encoding="utf-8"), secret, str(file))
    stored = query(as_superuser(noisy), "SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'cortex_user%'")
    assert len({str(row[0]) for row in stored}) == 2
    assert all(str(row[0]).startswith("SCRAM-SHA-256$") for row in stored)


def dump(url: str) -> Iterator[str]:
    """Every row of the bookkeeping, of activity and of the roles."""
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'bgce_migrate'").fetchall()
        assert tables
        names = [sql.Identifier("bgce_migrate", str(name)) for (name,) in tables]
        for name in (*names, sql.Identifier("pg_stat_activity"), sql.Identifier("pg_authid"), sql.Identifier("pg_settings")):
            for (row,) in connection.execute(sql.SQL("SELECT x::text FROM {} x").format(name)):
                yield str(row)


def test_failures_do_not_tell_either(shop: Path, server: Server, noisy: str) -> None:
    secret = SEEDS["signs"]
    admin = make_owner(noisy, "admin", "CREATEROLE")
    assert bgce("bootstrap", "-d", admin, cwd=shop).code == 0
    query(as_superuser(noisy), "ALTER ROLE postal_user PASSWORD 'known'")
    begins = log_of(server).stat().st_size
    clerk = as_role(noisy, "postal_user", "known")
    for url, code in ((clerk, 3), (server.url().replace(str(server.port), "1"), 4), (as_role(noisy, "nobody_here", "x"), 4)):
        for way, words in (("variable", ()), ("file", ("--json", "--second"))):
            answer = give(way, secret, shop, url, *words)
            assert answer.code == code, answer.err
            search(answer.out + answer.err, secret, "output")
    search(log_of(server).read_bytes()[begins:].decode("utf-8", "replace"), secret, "the server's log")


def test_what_is_refused_before_anything_is_asked(shop: Path, administrator: str) -> None:
    assert bgce("bootstrap", "-d", administrator, cwd=shop).code == 0
    two = shop.parent / "two"
    two.write_text("one\ntwo\n")
    open_file = shop.parent / "open"
    open_file.write_text("readable by all")
    open_file.chmod(0o644)
    for words, told in (
        ((), "there is nobody to ask for the password of cortex_user"),
        (("--from-env", "NOT_SET"), "NOT_SET is not set"),
        (("--from-env", "EMPTY"), "EMPTY is set and empty"),
        (("--from-env", "hunter2!"), "takes the name of an environment variable, never a password"),
        (("--from-file", "nowhere"), "nowhere cannot be read"),
        (("--from-file", str(two)), "does not hold one line"),
        (("--from-env", "A", "--from-file", "b"), "two places for one password"),
        (("--retire", "--from-env", "A"), "--retire takes no password"),
    ):
        answer = bgce("grants", "password", "cortex", *words, "-d", administrator, cwd=shop, env={"EMPTY": ""})
        assert answer.code == 2, answer.err
        assert told in answer.err
        assert "hunter2" not in answer.err + answer.out
    answer = bgce("grants", "password", "nobody", "--from-env", "A", "-d", administrator, cwd=shop)
    assert "there is no service nobody" in answer.err and "cortex, postal" in answer.err
    answer = bgce("grants", "password", "bgce_migrator", "--second", "--from-env", "A", "-d", administrator, cwd=shop, env={"A": "b"})
    assert "only services have a second one" in answer.err
    answer = bgce("grants", "password", "bgce_migrator", "--from-file", open_file, "-d", administrator, cwd=shop)
    assert answer.code == 0 and "others may read" in answer.err
    psycopg.connect(as_role(administrator, "bgce_migrator", "readable by all")).close()


def test_retiring_by_command(shop: Path, administrator: str) -> None:
    assert bgce("bootstrap", "-d", administrator, cwd=shop).code == 0
    env = {"NEW": "a new one of theirs"}
    assert bgce("grants", "password", "cortex", "--second", "--from-env", "NEW", "-d", administrator, cwd=shop, env=env).code == 0
    with psycopg.connect(as_role(administrator, "cortex_user_b", env["NEW"])):
        answer = bgce("grants", "password", "cortex", "--second", "--retire", "-d", administrator, cwd=shop)
        assert answer.code == 3 and "cortex_user_b has 1 session" in answer.err
        again = bgce("grants", "password", "cortex_user_b", "--retire", "-d", administrator, cwd=shop)
        assert again.code == 2, "a service is named, not its second login"
    for _ in range(100):
        if not query(as_superuser(administrator), "SELECT 1 FROM pg_stat_activity WHERE usename = 'cortex_user_b'"):
            break
        time.sleep(0.02)
    answer = bgce("grants", "password", "cortex", "--second", "--retire", "-d", administrator, cwd=shop)
    assert (answer.code, answer.out) == (0, "cortex_user_b is closed: nobody can log in as it\n")
    checked = bgce("grants", "check", "-d", administrator, cwd=shop)
    assert "cortex_user_b" not in checked.out, "the second login's membership is no drift"


def typed(folder: Path, url: str, *answers: str) -> tuple[int, str]:
    """What a person at a terminal sees, typing each answer at its prompt."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "grants", "password", "cortex", "-d", url], cwd=folder, env=environment(), stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True, preexec_fn=lambda: _control(0),
    )  # fmt: skip
    os.close(theirs)
    seen, left = b"", list(answers)
    try:
        while select.select([ours], [], [], 20)[0]:
            try:
                more = os.read(ours, 4096)
            except OSError:
                break
            if not more:
                break
            seen += more
            if seen.endswith(b": ") and left:
                time.sleep(0.1)  # the echo is off by then
                os.write(ours, left.pop(0).encode())
    finally:
        code = process.wait(20)
        os.close(ours)
    return code, seen.decode()


def _control(descriptor: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


def test_at_a_prompt(shop: Path, administrator: str) -> None:
    assert bgce("bootstrap", "-d", administrator, cwd=shop).code == 0
    secret = "typed: s33d é"
    code, seen = typed(shop, administrator, secret + "\n", secret + "\n")
    assert code == 0, seen
    assert "new password of cortex_user:" in seen
    assert "set the password of cortex_user" in seen
    assert secret not in seen
    psycopg.connect(as_role(administrator, "cortex_user", secret)).close()
    code, seen = typed(shop, administrator, "one-of-two\n", "two-of-two\n")
    assert (code, "the two passwords differ" in seen) == (2, True)
    assert "one-of-two" not in seen and "two-of-two" not in seen
    code, seen = typed(shop, administrator, "half-of-it\x03")
    assert (code, "nothing was changed" in seen, "half-of-it" in seen) == (130, True, False)
    psycopg.connect(as_role(administrator, "cortex_user", secret)).close()
