"""Every command block of the README, run as it stands in a clone of this repository with a space in its path."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> list[list[str]]:
    """The commands of each `sh` block, comments taken off."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [[line.split("  #")[0].strip() for line in b.splitlines() if line.strip()] for b in BLOCK.findall(text)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone whose `.venv` is the one the tests run in, so that nothing is fetched anew."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    place = tmp_path_factory.mktemp("readme") / "a clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(place)], check=True)
    (place / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "bgce-migrate"):
        program = place / ".venv" / "bin" / name
        words = f'"{sys.executable}"' if name == "python" else f'"{sys.executable}" -m bgce_migrate'
        program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        program.chmod(0o755)
    for stamp in ("run", "dev"):
        (place / ".venv" / stamp).touch()
    yield place
    subprocess.run([sys.executable, "-m", "bgce_migrate", "server", "stop"], cwd=place, check=False, capture_output=True)
    shutil.rmtree(place, ignore_errors=True)


def run(line: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    path = f"{cwd / '.venv' / 'bin'}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "plugins"), **more}
    return subprocess.run(line, shell=True, cwd=cwd, env=env, text=True, capture_output=True, timeout=300)


def test_the_blocks_are_the_ones_tested_here() -> None:
    """A new block must get its test below."""
    first_words = [block[0] for block in blocks()]
    assert first_words == [
        "make migrate-up",
        "make migrate-status",
        "make test",  # that is what you are running
        "bgce-migrate look ./db/migrations",
        "bgce-migrate init",
        "bgce-migrate lint",
        "bgce-migrate bootstrap --print",
    ]


def test_try_it(clone: Path) -> None:
    first = run("make migrate-up", clone)
    assert first.returncode == 0, first.stderr
    url = re.search(r"connect with: (\S+)", first.stdout)
    assert url, first.stdout
    with psycopg.connect(url[1]) as connection:  # another program, after the command has ended
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert row == (48,)
    again = run("make migrate-up", clone)
    assert again.returncode == 0 and "nothing to do" in again.stdout
    for line in blocks()[1]:
        done = run(line, clone)
        assert done.returncode == 0, f"{line}: {done.stderr}"


def test_on_what_you_have_and_a_project_of_your_own(clone: Path, tmp_path: Path) -> None:
    place = tmp_path / "a service"
    folder = place / "db" / "migrations"
    folder.mkdir(parents=True)
    (folder / "1_first.up.sql").write_text("CREATE TABLE first (id int PRIMARY KEY);")
    (folder / "1_first.down.sql").write_text("DROP TABLE first;")
    path = f"{clone / '.venv' / 'bin'}:{os.environ['PATH']}"
    try:
        for line in (*blocks()[3], *blocks()[4]):
            done = run(line, place, PATH=path)
            assert done.returncode == 0, f"{line}: {done.stderr}"
    finally:
        run("bgce-migrate server stop", place, PATH=path)
    assert sorted(p.name for p in (place / "migrations" / "billing").glob("*.up.sql"))[-1].endswith("create_invoices.up.sql")


def test_in_review(clone: Path) -> None:
    for line in blocks()[5]:
        done = run(line, clone)
        assert done.returncode == 0, f"{line}: {done.stderr}"


@pytest.mark.postgres(18)
def test_on_a_real_database(clone: Path, database: str) -> None:
    env = {"DATABASE_URL": database}
    printed = run(blocks()[6][0], clone, **env)
    assert printed.returncode == 0 and "CREATE ROLE" in printed.stdout
    plan = run("bgce-migrate plan --explain --json", clone, **env)
    assert plan.returncode == 0, plan.stderr
    fingerprint = re.search(r'"fingerprint": ?"([0-9a-f]{16})"', plan.stdout)
    assert fingerprint
    expect = next(line for line in blocks()[6] if "--expect" in line)
    assert run(expect, clone, **env).returncode == 3, "the README's fingerprint is not this plan's"
    up = run(expect.replace("0123456789abcdef", fingerprint[1]), clone, **env)
    assert up.returncode == 0, up.stderr
    verify = run("bgce-migrate history --verify", clone, **env)
    assert verify.returncode == 0 and "whole" in verify.stdout
    drift = run("bgce-migrate drift", clone, **env)
    assert drift.returncode == 0, drift.stdout + drift.stderr
