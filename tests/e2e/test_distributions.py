"""Engine and domains as two wheels, installed away from the checkout; the library in two threads."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bgce_migrate import library
from tests.e2e.desks import require_done
from tests.e2e.platform import ROOT, copy_platform, shipped_domains
from tests.e2e.scene import MakeDatabase, dump, make_owner, query, write

PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both wheels, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheels")
    how = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    for source in (ROOT, ROOT / "plugins"):
        subprocess.run([*PIP, "wheel", *how, "--no-deps", str(source), "-w", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def elsewhere(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bgce-migrate` of a fresh environment into which both wheels are installed."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [str(python), *PIP[1:], "install", *map(str, wheels.glob("*.whl"))]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip("no package index answers here")
    assert done.returncode == 0, done.stderr
    return python.with_name("bgce-migrate")


def run(program: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """One command, started in `folder`."""
    return subprocess.run([str(program), *words], cwd=folder, capture_output=True, text=True, check=False)


def project(folder: Path, plugins: list[str]) -> Path:
    """A repository that only names plugins."""
    listed = ", ".join(f'"{name}"' for name in plugins)
    return write(folder, {"bgce.toml": f'[project]\nname = "deploy"\nplugins = [{listed}]\n'})


def test_the_engines_wheel_holds_no_domain(wheels: Path) -> None:
    (wheel,) = wheels.glob("bgce_migrate-*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        assert {name.split("/")[0].split("-")[0] for name in names} == {"bgce_migrate"}
        assert not [n for n in names if n.endswith(("domain.toml", ".up.sql", ".down.sql"))]
        entry_points = next(n for n in names if n.endswith("entry_points.txt"))
        assert "[bgce_migrate]" not in file.read(entry_points).decode()
        for own in ("py.typed", "db/sql/bookkeeping.sql"):
            assert f"bgce_migrate/{own}" in names


@pytest.mark.slow
def test_both_wheels_work_together_away_from_the_checkout(
    elsewhere: Path, make_database: MakeDatabase, tmp_path: Path
) -> None:
    folder = project(tmp_path / "deploy", [f"bgce_{name}" for name in shipped_domains()])
    planned = run(elsewhere, folder, "plan", "--json", "-d", make_owner(make_database()))
    assert planned.returncode == 0, planned.stderr
    steps = [step["id"] for step in json.loads(planned.stdout)["steps"]]
    assert len(steps) == len(list((ROOT / "migrations").glob("*/*.up.sql")))
    assert run(elsewhere, folder, "lock").returncode == 0
    locked = (folder / "bgce.lock").read_text()
    assert "bgce-archive-domains" in locked
    url = make_owner(make_database())
    done = run(elsewhere, folder, "up", "-d", url)
    assert done.returncode == 0, done.stderr
    assert query(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(48,)]
    undone = run(elsewhere, folder, "down", "--all", "--yes", "-d", url)
    assert undone.returncode == 0, undone.stderr
    assert query(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


@pytest.mark.slow
def test_the_engine_alone_plans_nothing(elsewhere: Path, database: str, tmp_path: Path) -> None:
    url = make_owner(database)
    folder = project(tmp_path / "empty", [])
    planned = run(elsewhere, folder, "plan", "--json", "-d", url)
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["steps"] == []
    plain = write(tmp_path / "db", {"1_a.up.sql": "CREATE TABLE a ()"})
    planned = run(elsewhere, folder, "--migrations", str(plain), "plan", "--json", "-d", url)
    assert [step["id"] for step in json.loads(planned.stdout)["steps"]] == ["db/000001_a"]
    nothing = run(elsewhere, tmp_path, "plan", "-d", url)
    assert nothing.returncode == 2 and "bgce.toml" in nothing.stderr


def test_two_threads_on_two_databases(make_database: MakeDatabase, tmp_path: Path) -> None:
    platform = copy_platform(tmp_path / "platform")
    other = write(tmp_path / "other", {f"{n}_t.up.sql": f"CREATE TABLE t{n} (id int)" for n in range(1, 30)})
    urls = [make_owner(make_database()) for _ in range(4)]
    places = [{"directory": platform}, {"migrations": other}] * 2
    with ThreadPoolExecutor(4) as threads:
        jobs = [
            threads.submit(library.up, database_url=url, **place)  # type: ignore[arg-type]
            for url, place in zip(urls, places, strict=True)
        ]
        reports = [require_done(job.result()) for job in jobs]
    assert len({r.run_id for r in reports}) == 4
    assert reports[0].fingerprint == reports[2].fingerprint != reports[1].fingerprint
    assert dump(urls[0]) == dump(urls[2]) and dump(urls[1]) == dump(urls[3])
    assert len(library.status(migrations=other, database_url=urls[1])) == 29
