"""A deployment that is stopped at any instant can be gone on with, given up, or undone by its run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.fingerprint.compare import compare
from bgce_migrate.fingerprint.model import Catalog
from tests.cli.program import bgce, start, write
from tests.deploying.conftest import applied, words_of

pytestmark = pytest.mark.postgres(18)

BEFORE = ["cortex/1", "cortex/2", "postal/1"]
AFTER = [*BEFORE, "cortex/3", "cortex/4", "cortex/5"]
LINE = ("deploy", "--deployment", "d1", "--domain", "cortex", "--undo", "all")
GOES_ON = 20.0


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + GOES_ON
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def sleeps(database: str) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(40)%' AND state = 'active' AND pid <> pg_backend_pid()"
    with psycopg.connect(database) as connection:
        return connection.execute(query).fetchone() is not None


def begun(shop: Path, database: str, *command: str) -> subprocess.Popen[str]:
    return start(*LINE, "--", *command, cwd=shop, env={"BGCE_DATABASE_URL": database})


def again(shop: Path, database: str, *words: str, command: str = "true") -> int:
    return bgce(*LINE, *words, "--", "sh", "-c", command, cwd=shop, env={"BGCE_DATABASE_URL": database}).code


def finish(shop: Path, database: str) -> int:
    return bgce("deploy", "finish", "d1", "--failed", "--undo", "all", "-d", database, cwd=shop).code


def slow_step(shop: Path) -> Path:
    """The second step waits, before what it is there for."""
    file = shop / "migrations/cortex/000004_drop_bio.up.sql"
    file.write_text(file.read_text() + "SELECT pg_sleep(40);\n")
    return file


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_while_a_step_runs(number: signal.Signals, shop: Path, database: str, catalog: Callable[[], Catalog]) -> None:
    before, file = catalog(), slow_step(shop)
    process = begun(shop, database, "true")
    until(lambda: sleeps(database))
    process.send_signal(number)
    err = process.communicate(timeout=GOES_ON)[1]
    if number == signal.SIGTERM:
        assert process.returncode == 130, err
        assert "stays open" in err
        assert "--resume" in err
    until(lambda: not sleeps(database) or _end_sleep(database))
    assert applied(database) == [*BEFORE, "cortex/3"]
    file.write_text(file.read_text().replace("40", "0"))
    assert again(shop, database) == 3  # it is open
    assert again(shop, database, "--resume", command="exit 1") == 1
    assert applied(database) == BEFORE
    assert compare(before, catalog()) == ()


def _end_sleep(database: str) -> bool:
    """The server notices only later that a killed client is gone."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(40)%' AND pid <> pg_backend_pid()"
    with psycopg.connect(database) as connection:
        connection.execute(query)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_while_the_command_runs(number: signal.Signals, shop: Path, database: str) -> None:
    write(shop, {"slow.sh": "#!/bin/sh\necho $$ > pid\nsleep 40 &\necho $! > child\nwait\n"})
    process = begun(shop, database, "sh", "slow.sh")
    until(lambda: (shop / "child").exists() and (shop / "child").read_text() != "")
    process.send_signal(number)
    err = process.communicate(timeout=GOES_ON)[1]
    assert process.returncode == 130, err
    assert "stopped while the command was running" in err
    pids = [int((shop / name).read_text()) for name in ("pid", "child")]
    until(lambda: not any(map(_lives, pids)))
    assert applied(database) == AFTER
    assert words_of(database) == ["d1 begin cortex"]
    assert again(shop, database, "--resume") == 0
    assert words_of(database) == ["d1 begin cortex", "d1 begin cortex", "d1 ok cortex"]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def test_by_its_run(shop: Path, database: str) -> None:
    process = begun(shop, database, "sh", "-c", "echo $$ > pid; exec sleep 40")
    until(lambda: (shop / "pid").exists() and (shop / "pid").read_text() != "")
    process.send_signal(signal.SIGKILL)
    process.wait(GOES_ON)
    os.kill(int((shop / "pid").read_text()), signal.SIGKILL)
    process.communicate(timeout=GOES_ON)
    with psycopg.connect(database) as connection:
        run = connection.execute("SELECT run_id::text FROM bgce_migrate.migration_history WHERE error = 'begin cortex'").fetchone()
    assert run is not None
    assert bgce("down", "--run", run[0], "--yes", "-d", database, cwd=shop).code == 0
    assert applied(database) == BEFORE
    # What is undone already is no longer the deployment's; giving it up ends it.
    assert finish(shop, database) == 0
    assert again(shop, database) == 0


def test_while_it_is_undone(shop: Path, database: str, catalog: Callable[[], Catalog]) -> None:
    before = catalog()
    down = shop / "migrations/cortex/000004_drop_bio.down.sql"
    text = down.read_text()
    # Slow the first time only: the text of history is what runs.
    down.write_text("SELECT CASE WHEN to_regclass('slow') IS NULL THEN pg_sleep(40) END;\n" + text)
    process = begun(shop, database, sys.executable, "-c", "raise SystemExit(1)")
    until(lambda: sleeps_any(database))
    process.send_signal(signal.SIGTERM)
    err = process.communicate(timeout=GOES_ON)[1]
    assert process.returncode == 130, err
    assert applied(database) == [*BEFORE, "cortex/3", "cortex/4"]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE slow ()")
    # The command does not run a second time: it had failed.
    assert again(shop, database, "--resume", command="touch ran") == 1
    assert not (shop / "ran").exists()
    assert applied(database) == BEFORE
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP TABLE slow")
    assert compare(before, catalog()) == ()
    assert words_of(database) == ["d1 begin cortex", "d1 undo cortex", "d1 undone cortex"]


def sleeps_any(database: str) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    with psycopg.connect(database) as connection:
        return connection.execute(query).fetchone() is not None


def test_too_slow_a_command_is_ended(shop: Path, database: str) -> None:
    write(shop, {"slow.sh": "#!/bin/sh\necho $$ > pid\nsleep 40\n"})
    answer = bgce(*LINE, "--timeout", "0.5", "--", "sh", "slow.sh", cwd=shop, env={"BGCE_DATABASE_URL": database})
    assert answer.code == 1
    assert "the command was not done in time" in answer.err
    assert not _lives(int((shop / "pid").read_text()))
    assert applied(database) == BEFORE


def test_somebody_else_ends_it_while_the_command_runs(shop: Path, database: str) -> None:
    finish = f"{sys.executable} -m bgce_migrate deploy finish d1"
    line = (*LINE, "--", "sh", "-c", f"{finish} --failed --undo all")
    given_up = bgce(*line, cwd=shop, env={"BGCE_DATABASE_URL": database})
    assert given_up.code == 6
    assert "it is undone" in given_up.err
    assert applied(database) == BEFORE
    line = (*LINE, "--", "sh", "-c", f"{finish} --ok && exit 1")
    ended = bgce(*line, cwd=shop, env={"BGCE_DATABASE_URL": database})
    assert ended.code == 6
    assert "has ended well" in ended.err
    assert applied(database) == AFTER


def test_two_at_once_begin_once(shop: Path, database: str) -> None:
    both = [begun(shop, database, "sleep", "1") for _ in range(2)]
    codes = []
    for process in both:
        process.communicate(timeout=GOES_ON)
        codes.append(process.returncode)
    assert sorted(codes) == [0, 3]
    assert words_of(database) == ["d1 begin cortex", "d1 ok cortex"]


def _stop_and_mend(way: str, number: signal.Signals, seconds: float, shop: Path, database: str) -> tuple[str, int]:
    """Begin a deployment that is going to fail, stop it, and end it in one of three ways; where it was stopped."""
    process = begun(shop, database, "sh", "-c", "sleep 0.05; exit 1")
    time.sleep(seconds)
    process.send_signal(number)
    process.communicate(timeout=GOES_ON)
    words = words_of(database)
    last, there = words[-1].split()[1] if words else "", len(applied(database))
    if way == "resume" and last in ("begin", "undo"):
        assert again(shop, database, "--resume", command="exit 1") == 1
    if way == "run" and last in ("begin", "undo"):
        with psycopg.connect(database) as connection:
            query = "SELECT run_id::text FROM bgce_migrate.migration_history WHERE error = 'begin cortex' ORDER BY id DESC LIMIT 1"
            run = connection.execute(query).fetchone()
        assert run is not None
        assert bgce("down", "--run", run[0], "--yes", "-d", database, cwd=shop).code == 0
        assert applied(database) == BEFORE
    if way != "resume":
        assert finish(shop, database) == 0
    assert applied(database) == BEFORE
    return last, there


@pytest.mark.parametrize("way", ["resume", "run"])
def test_at_some_instants(way: str, shop: Path, database: str, catalog: Callable[[], Catalog]) -> None:
    before = catalog()
    for seconds in (0.3, 0.55, 0.75):
        _stop_and_mend(way, signal.SIGTERM, seconds, shop, database)
        assert compare(before, catalog()) == ()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("way", ["resume", "finish", "run"])
def test_at_any_instant(
    way: str, number: signal.Signals, shop: Path, database: str, catalog: Callable[[], Catalog]
) -> None:
    before, seen = catalog(), set()
    for instant in range(16):
        seen.add(_stop_and_mend(way, number, 0.25 + instant * 0.08, shop, database))
        assert compare(before, catalog()) == ()
    assert len(seen) > 1, "always at the same instant"
