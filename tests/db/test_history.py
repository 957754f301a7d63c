"""What history says, in the order in which it happened."""

from __future__ import annotations

from pathlib import Path

from bgce_migrate import library
from bgce_migrate.db.history import read_rows, read_state, read_stored
from bgce_migrate.db.session import connect


def test_order_of_application_is_not_the_order_of_digits(tmp_path: Path, database: str) -> None:
    """Twelve rows: as text, 10 comes before 2."""
    for n in range(1, 13):
        (tmp_path / f"{n}_t{n}.up.sql").write_text(f"CREATE TABLE t{n} (id int)")
        (tmp_path / f"{n}_t{n}.down.sql").write_text(f"DROP TABLE t{n}")
    report = library.up(migrations=tmp_path, database_url=database)
    assert report.failure is None
    with connect(database, "bgce_migrate") as session:
        expected = list(range(1, 13))
        assert [a.id.version for a in read_state(session).versions] == expected
        assert [s.id.version for s in read_stored(session)] == expected
        assert [r.version for r in read_rows(session)] == expected
        assert [s.id.name for s in read_stored(session)] == [f"t{n}" for n in expected]
