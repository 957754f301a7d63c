"""Our findings inside sqlfluff: the same rules at the same places as `lint` prints them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import SHOP, bgce, write
from tests.git.repos import pair

pytest.importorskip("sqlfluff", reason="needs sqlfluff")

BAD = "SELECT 1;\nALTER TABLE users ADD COLUMN number bigserial;\nDROP TABLE posts;\n"
FILE = "migrations/cortex/000003_bad.up.sql"


def sqlfluff_says(path: Path, text: str) -> list[Any]:
    from sqlfluff.core import FluffConfig, Linter

    from bgce_migrate.sqlfluff_plugin import get_rules

    rules = get_rules()
    config = FluffConfig(overrides={"dialect": "postgres", "rules": "bgce"})
    known = {code for code, *_ in Linter(config=config).rule_tuples()}
    # Where this package is installed its entry point has brought them already.
    more = [] if "BGCE_SAFE" in known else rules
    linted = Linter(config=config, user_rules=more).lint_string(text, fname=str(path))
    return list(linted.get_violations())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = write(tmp_path / "shop", SHOP)
    assert bgce("lock", cwd=root).code == 0
    return write(root, {n: t for n, t in pair("cortex", 3, "bad", BAD).items() if t is not None})


def test_the_same_findings_at_the_same_places(project: Path) -> None:
    violations = sqlfluff_says(project / FILE, BAD)
    here = {(v.rule_code(), v.line_no, v.line_pos) for v in violations}
    assert ("BGCE_SAFE", 2, 30) in here
    assert ("BGCE_OWNS", 3, 12) in here
    answer = bgce("lint", FILE, "--format", "json", cwd=project)
    ours = {(f["rule"], f["line"] or 1, f["column"] or 1) for f in answer.document["findings"]}
    said = {(v.desc().split("[")[1].split("]")[0], v.line_no, v.line_pos) for v in violations}
    assert said == ours


def test_what_is_not_saved_yet_is_judged(project: Path) -> None:
    text = "ALTER TABLE users ADD COLUMN age int;\n"
    assert not [v for v in sqlfluff_says(project / FILE, text) if v.rule_code() != "BGCE_REST"]
    violations = sqlfluff_says(project / "migrations/cortex/000009_new.up.sql", BAD)
    assert "BGCE_SAFE" in {v.rule_code() for v in violations}


def test_other_files_are_left_alone(project: Path, tmp_path: Path) -> None:
    assert sqlfluff_says(project / "queries.sql", BAD) == []
    assert sqlfluff_says(project / "000001_a.up.sql", BAD) == []
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert sqlfluff_says(elsewhere / "000001_a.up.sql", BAD) == []
    assert sqlfluff_says(Path("stdin"), BAD) == []


def test_a_project_that_cannot_be_read_is_said_once(project: Path) -> None:
    (project / "migrations/cortex/domain.toml").write_text("name = \n")
    violations = sqlfluff_says(project / FILE, BAD)
    assert {v.rule_code() for v in violations} <= {"BGCE_REST"}


def test_it_is_an_entry_point() -> None:
    text = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text()
    assert '[project.entry-points.sqlfluff]\nbgce = "bgce_migrate.sqlfluff_plugin"' in text
    assert shutil.which("git")
