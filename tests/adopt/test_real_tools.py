"""Databases that the real tools have made here and now; each test is skipped where its tool is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adopt.real import WITH_FILES, WITHOUT_FILES
from tests.adopt.scene import ask, call, fingerprint, run_sql, write_tree

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.postgres(18)]


@pytest.mark.parametrize("tool", WITH_FILES)
def test_a_tool_whose_files_are_ours(tool: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tool").mkdir()
    WITH_FILES[tool](tmp_path / "tool", database)
    given = ["-d", database, "--migrations", str(write_tree(tmp_path / "shop"))]
    run_sql(database, "ALTER TABLE people ADD COLUMN phone text")
    code, document, _ = call(capsys, "adopt", "--yes", *given)
    assert (code, [d["text"] for d in document["differences"]]) == (3, ["column public.people.phone is new"])
    assert not ask(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'bgce_migrate'")
    run_sql(database, "ALTER TABLE people DROP COLUMN phone")
    _adopted(tool, database, given, capsys)


@pytest.mark.parametrize("tool", WITHOUT_FILES)
def test_a_tool_whose_migrations_are_programs(
    tool: str, database: str, tmp_path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    WITHOUT_FILES[tool](tmp_path, database)
    out = here / f"written_{tool}"
    before = fingerprint(database)
    code, document, said = call(capsys, "adopt", "--generate", "--yes", "--into", str(out), "-d", database)
    assert (code, document["equal"]) == (0, True), (document, said)
    given = ["-d", database, "--migrations", str(out / "migrations")]
    table = document["tables"][0]["table"]
    run_sql(database, f"ALTER TABLE {table} ADD COLUMN phone text")
    code, document, _ = call(capsys, "adopt", "--yes", *given)
    assert (code, [d["text"] for d in document["differences"]]) == (3, [f"column {table}.phone is new"])
    run_sql(database, f"ALTER TABLE {table} DROP COLUMN phone")
    assert fingerprint(database) == before
    _adopted(tool, database, given, capsys)


def _adopted(tool: str, database: str, given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It is taken over, `up` has nothing to do, the catalog is what it was, and so are the tool's own tables."""
    before = fingerprint(database)
    code, document, said = call(capsys, "adopt", "--yes", *given)
    assert (code, document["differences"], document["pending"]) == (0, [], []), said
    assert [ledger["tool"] for ledger in document["ledgers"]] == ([tool] if tool != "sqlalchemy" else [])
    assert document["recorded"]
    code, document, _ = call(capsys, "up", *given)
    assert (code, document["result"]) == (0, "nothing_to_do")
    assert fingerprint(database) == before
