"""Honest statements of the shipped domains' kind, and the shipped domains themselves, raise no alarm."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bgce_migrate.lint.ownership import OWNERSHIP_RULES
from bgce_migrate.linting import Request, lint, load
from bgce_migrate.migration import Finding, Severity
from tests.lint_cases.honest import honest

ROOT = Path(__file__).parents[2]
OWNERSHIP = {rule.id for rule in OWNERSHIP_RULES}
#: So many statements are judged in one go, each in a migration of its own.
BATCH = 48


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("platform")
    text = (ROOT / "bgce.toml").read_text(encoding="utf-8")
    start, end = text.index("plugins = ["), text.index("history_view")
    (root / "bgce.toml").write_text(text[:start] + text[end:], encoding="utf-8")
    shutil.copy(ROOT / "bgce.lock", root)
    shutil.copytree(ROOT / "migrations", root / "migrations")
    return root


def _alarms(root: Path) -> list[Finding]:
    result = lint(load(root), Request(use_git=False, cache=False))
    return [f for f in result.findings if f.severity is not Severity.NOTE]


def test_shipped_domains_are_clean() -> None:
    result = lint(load(ROOT), Request(everything=True, use_git=False, cache=False))
    assert result.judged == result.migrations >= 50
    assert [f for f in result.findings if f.severity is not Severity.NOTE] == []


def test_300_honest_statements(platform: Path) -> None:
    loaded = load(platform)
    assert loaded.project is not None
    cases = list(honest(loaded.project))
    assert len(cases) >= 300
    for start in range(0, len(cases), BATCH):
        written: list[Path] = []
        for number, (domain, sql) in enumerate(cases[start : start + BATCH]):
            path = platform / "migrations" / domain.name / f"{900 + number:06d}_honest.up.sql"
            # Two statements about one table may make one name; each is judged on its own merits all the same.
            named = sql.replace("idx_", f"idx{number}_").replace("v_", f"v{number}_").replace("ck_", f"ck{number}_")
            path.write_text(f'-- bgce: irreversible reason="a test"\n{named}\n', encoding="utf-8")
            written.append(path)
        found = [f for f in _alarms(platform) if f.rule in OWNERSHIP]
        assert [(f.rule, f.message, f.where) for f in found] == []
        for path in written:
            path.unlink()
