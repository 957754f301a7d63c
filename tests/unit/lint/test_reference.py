"""The reference of rules is what the rules' pages say."""

from __future__ import annotations

from pathlib import Path

from bgce_migrate.lint.pages import reference
from bgce_migrate.lint.rules import RULES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "rules.md"


def test_the_reference_is_current() -> None:
    """Mend it with: python -c "from tests.unit.lint.test_reference import write; write()"."""
    assert PAGE.read_text(encoding="utf-8") == reference(RULES)


def write() -> None:
    PAGE.write_text(reference(RULES), encoding="utf-8")
