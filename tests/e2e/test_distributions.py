"""Two distributions: the engine without a domain, the platform's domains with their migrations; together, elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    done = subprocess.run(command, text=True, capture_output=True, cwd="/")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    place = tmp_path_factory.mktemp("wheels")
    for source in (ROOT, ROOT / "plugins"):
        pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(place), str(source))
    return {"engine": next(place.glob("bgce_migrate-*.whl")), "domains": next(place.glob("bgce_archive_domains-*.whl"))}


@pytest.fixture(scope="module")
def installed(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, installed not editable, in a folder that comes before everything else."""
    place = tmp_path_factory.mktemp("installed elsewhere")
    pip("install", "--quiet", "--no-deps", "--target", str(place), *(str(w) for w in wheels.values()))
    return place


def bgce(words: str, cwd: Path, packages: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(packages)}
    command = [sys.executable, "-m", "bgce_migrate", *words.split()]
    return subprocess.run(command, cwd=cwd, env=env, text=True, capture_output=True, timeout=120)


def test_the_engine_contains_no_domain(wheels: dict[str, Path]) -> None:
    names = zipfile.ZipFile(wheels["engine"]).namelist()
    assert not [n for n in names if n.endswith("domain.toml") or n.endswith(".up.sql") or n.startswith("bgce_cortex")]
    assert {"bgce_migrate/db/sql/bookkeeping.sql", "bgce_migrate/py.typed"} <= set(names)


def test_the_domains_come_with_their_migrations(wheels: dict[str, Path]) -> None:
    names = zipfile.ZipFile(wheels["domains"]).namelist()
    assert sum(n.endswith(".up.sql") for n in names) == 49
    assert sum(n.endswith("domain.toml") for n in names) == 11
    assert not [n for n in names if n.startswith("bgce_migrate/")]


@pytest.mark.postgres(18)
def test_together_elsewhere(installed: Path, tmp_path: Path, database: str) -> None:
    plugins = [f"bgce_{p.name}" for p in (ROOT / "migrations").iterdir() if (p / "domain.toml").is_file()]
    (tmp_path / "bgce.toml").write_text(f'[project]\nname = "elsewhere"\ndomains = []\nplugins = {json.dumps(plugins)}\n')
    where = subprocess.run(
        [sys.executable, "-c", "import bgce_migrate, bgce_cortex; print(bgce_migrate.__file__, bgce_cortex.__file__)"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)}, text=True, capture_output=True,
    ).stdout  # fmt: skip
    assert where.count(str(installed)) == 2, where
    up = bgce(f"up --json --no-input -d {database}", tmp_path, installed)
    assert up.returncode == 0, up.stderr
    assert len(json.loads(up.stdout)["steps"]) == 49


def test_the_engine_alone_plans_nothing(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "bgce.toml").write_text('[project]\nname = "alone"\ndomains = []\n')
    plan = bgce("plan --json", tmp_path, installed)
    assert plan.returncode == 0, plan.stderr
    assert json.loads(plan.stdout)["steps"] == []
    without = bgce("plan", tmp_path / "..", installed)
    assert without.returncode == 2 and "no bgce.toml" in without.stderr
