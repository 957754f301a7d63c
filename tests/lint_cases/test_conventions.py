"""Every example of docs/conventions.md is what it says, as a new migration of the platform's own domains."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from bgce_migrate.linting import Request, lint, load
from bgce_migrate.migration import Severity

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"Rule `([a-z-]+)`, in `([a-z]+)`:\n\n```sql bad\n(.*?)```\n\n```sql good\n(.*?)```", PAGE, re.DOTALL)
#: Said of everything that is not recorded yet, and of a new table's place in the declarations.
BESIDE = {"not-locked", "undeclared-table"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("platform")
    text = (ROOT / "bgce.toml").read_text(encoding="utf-8")
    start, end = text.index("plugins = ["), text.index("history_view")
    (root / "bgce.toml").write_text(text[:start] + text[end:], encoding="utf-8")
    shutil.copy(ROOT / "bgce.lock", root)
    shutil.copytree(ROOT / "migrations", root / "migrations")
    return root


def _rules(platform: Path, domain: str, sql: str, *, notes: bool) -> set[str]:
    path = platform / "migrations" / domain / "000900_example.up.sql"
    path.write_text(f'-- bgce: irreversible reason="an example"\n{sql}', encoding="utf-8")
    try:
        found = lint(load(platform), Request(use_git=False, style=False, cache=False)).findings
    finally:
        path.unlink()
    return {f.rule for f in found if notes or f.severity is not Severity.NOTE}


def test_every_practice_has_its_examples() -> None:
    assert len(EXAMPLES) == PAGE.count("Rule `") == PAGE.count("```sql bad") >= 13
    assert len(re.findall(r"^## \d\. ", PAGE, re.MULTILINE)) == 7


@pytest.mark.parametrize(("rule", "domain", "bad", "good"), EXAMPLES, ids=[f"{r}-{n}" for n, (r, *_) in enumerate(EXAMPLES)])
def test_examples(platform: Path, rule: str, domain: str, bad: str, good: str) -> None:
    assert rule in _rules(platform, domain, bad, notes=True)
    assert rule not in _rules(platform, domain, good, notes=True)
    assert _rules(platform, domain, good, notes=False) - BESIDE == set()
