"""SIGTERM and Ctrl-C: the step under way is rolled back, the rest not begun, exit 130, soon."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.cli.program import COMMAND, bgce, environment, start, write

LONG = "CREATE TABLE posts (id bigint);\nSELECT pg_sleep(60);\n"
SLOW = {"migrations/postal/000001_create_posts.up.sql": LONG}


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def sleeping(database: str) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()"
    with psycopg.connect(database) as connection:
        return connection.execute(query).fetchone() is not None


def others(database: str) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(database) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGTERM, signal.SIGINT, signal.SIGTERM]], ids=["one", "three"])
def test_a_long_step_is_rolled_back(signals: list[signal.Signals], shop: Path, database: str) -> None:
    write(shop, SLOW)
    process = start("up", "--json", "-d", database, cwd=shop)
    wait_until(lambda: sleeping(database))
    asked = time.monotonic()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.05)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - asked < 2
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert '"result": "interrupted"' in out
    wait_until(lambda: others(database) == 0, 3)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('posts') IS NULL").fetchone() == (True,)
        applied = connection.execute("SELECT count(*) FROM bgce_migrate.migration_state WHERE applied").fetchone()
        assert applied == (2,)
    write(shop, {"migrations/postal/000001_create_posts.up.sql": LONG.replace("60", "0")})
    assert bgce("up", "-d", database, cwd=shop).code == 0


@pytest.mark.postgres(18)
def test_with_lanes(shop: Path, database: str) -> None:
    write(shop, SLOW)
    process = start("up", "--jobs", "3", "-d", database, cwd=shop)
    wait_until(lambda: sleeping(database))
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert time.monotonic() - asked < 2
    assert process.returncode == 130, err


@pytest.mark.postgres(18)
def test_while_waiting_for_another_run(shop: Path, database: str) -> None:
    assert bgce("up", "1", "-d", database, cwd=shop).code == 0
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE bgce_migrate.run_lock IN EXCLUSIVE MODE")
        process = start("up", "-d", database, cwd=shop)
        assert process.stderr is not None
        assert "waiting for the run lock" in process.stderr.readline()
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert time.monotonic() - asked < 2
    assert process.returncode == 130
    assert "nothing" in err


def test_before_the_database_answers(shop: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        process = start("up", "-d", f"postgresql://u@127.0.0.1:{port}/d", cwd=shop)
        connection, _ = silent.accept()
        time.sleep(0.2)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
        connection.close()
    assert time.monotonic() - asked < 2
    assert process.returncode == 130
    assert "error: interrupted" in err


class Terminal:
    """The program with a terminal of its own, typed into and read."""

    def __init__(self, *arguments: str, cwd: Path, env: dict[str, str] | None = None) -> None:
        self.master, slave = pty.openpty()
        more = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40", **(env or {})}
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], cwd=cwd, env=environment(more), stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=_own_terminal,
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def read_until(self, words: str, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < end, self.seen
            self._read()

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        while self._read():
            pass
        os.close(self.master)
        return self.process.wait(timeout=20)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.master], [], [], 30)
        if not ready:
            self.process.kill()
            raise AssertionError(f"nothing more came after: {self.seen}")
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)


def _own_terminal() -> None:
    import fcntl
    import termios

    # What the test's own shell may have ignored is heard again.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def filled(shop: Path, database: str) -> None:
    assert bgce("up", "-d", database, cwd=shop).code == 0
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO users VALUES (1, 'a@b', 'me')")


@pytest.mark.postgres(18)
@pytest.mark.parametrize(("keys", "code"), [("y\n", 0), ("n\n", 3), ("\n", 3), ("\x03", 130), ("\x04", 130)])
def test_a_person_is_asked_before_data_is_lost(keys: str, code: int, shop: Path, database: str) -> None:
    filled(shop, database)
    terminal = Terminal("down", "--to", "cortex/1", "-d", database, cwd=shop)
    terminal.read_until("[y/N]")
    terminal.type(keys)
    assert terminal.end() == code, terminal.seen
    assert "column users.bio has values" in terminal.seen
    versions = bgce("version", "--domain", "cortex", "-d", database, cwd=shop).out
    assert versions == ("1\n" if code == 0 else "2\n")


@pytest.mark.postgres(18)
def test_no_input_asks_nobody(shop: Path, database: str) -> None:
    filled(shop, database)
    terminal = Terminal("down", "--to", "cortex/1", "--no-input", "-d", database, cwd=shop)
    assert terminal.end() == 3
    assert "[y/N]" not in terminal.seen


@pytest.mark.postgres(18)
def test_drop_wants_the_name(shop: Path, database: str) -> None:
    assert bgce("up", "-d", database, cwd=shop).code == 0
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    for typed, code in (("yes", 3), (str(name), 0)):
        terminal = Terminal("drop", "-d", database, cwd=shop)
        terminal.read_until("type the database's name")
        terminal.type(f"{typed}\n")
        assert terminal.end() == code, terminal.seen
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('users') IS NULL").fetchone() == (True,)


@pytest.mark.postgres(18)
def test_progress_on_a_terminal_and_ctrl_c(shop: Path, database: str) -> None:
    write(shop, SLOW)
    terminal = Terminal("up", "-d", database, cwd=shop)
    terminal.read_until("statement 2/2")
    assert "2 done" in terminal.seen
    terminal.type("\x03")
    assert terminal.end() == 130, terminal.seen
    assert "not run" in terminal.seen or "failed" in terminal.seen


@pytest.mark.postgres(18)
def test_colour_on_a_terminal_only_and_not_with_no_color(shop: Path, database: str) -> None:
    assert bgce("up", "-d", database, cwd=shop).code == 0
    coloured, grey = (Terminal("status", "-d", database, cwd=shop, env=env) for env in ({}, {"NO_COLOR": "1"}))
    assert (coloured.end(), grey.end()) == (0, 0)
    assert "\x1b[32m" in coloured.seen
    assert "\x1b[3" not in grey.seen
    assert "\x1b" not in bgce("status", "-d", database, cwd=shop).out
