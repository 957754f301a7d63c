"""Every down of the shipped domains undoes its up exactly."""

from __future__ import annotations

from collections.abc import Callable

from tests.plugins.shipped_domains import ROOT, Connection, all_pairs, run


def test_down_undoes_up_and_up_again_makes_the_same(
    connection: Connection, schema_dump: Callable[[], str]
) -> None:
    # What the second up made is compared once the next file has been undone on top of it.
    before, last = schema_dump(), "nothing"
    for pair in all_pairs():
        run(connection, pair.up)
        made = schema_dump()
        assert made != before, f"{pair} changes nothing"
        run(connection, pair.down)
        assert schema_dump() == before, f"{pair} is not undone, or {last} made something else the second time"
        run(connection, pair.up)
        before, last = made, str(pair)
    assert schema_dump() == before


def test_all_downs_in_reverse_leave_nothing(migrated: Connection, schema_dump: Callable[[], str]) -> None:
    assert "CREATE TABLE" in schema_dump()
    for pair in reversed(all_pairs()):
        run(migrated, pair.down)
    left = migrated.execute(
        "SELECT 'relation', relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " UNION ALL SELECT 'type', typname FROM pg_type WHERE typnamespace = 'public'::regnamespace"
    ).fetchall()
    assert left == []
    assert "CREATE" not in schema_dump()


def test_files_come_in_pairs_numbered_without_a_gap() -> None:
    assert len(all_pairs()) == 50
    for folder in (ROOT / "migrations").iterdir():
        names = sorted(file.name for file in folder.glob("*.sql"))
        numbers = [int(name.split("_")[0]) for name in names if name.endswith(".up.sql")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert names == sorted(
            name for up in names if up.endswith(".up.sql") for name in (up, up.replace(".up.", ".down."))
        )
