"""The highest version below which nothing is missing, against the sentence itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bgce_migrate.plan.version_row import VersionRow, Watermark

VERSIONS = st.frozensets(st.integers(0, 12))


def plainly(files: frozenset[int], applied: set[int]) -> int | None:
    everything = files | applied
    return max((v for v in applied if all(u in applied for u in everything if u <= v)), default=None)


@given(VERSIONS, VERSIONS, st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=30))
def test_it_is_the_highest_version_below_which_nothing_is_missing(
    files: frozenset[int], applied: frozenset[int], moves: list[tuple[int, bool]]
) -> None:
    mark, now = Watermark(files, applied), set(applied)
    assert mark.version == plainly(files, now)
    for version, up in moves:
        wanted = now | {version} if up else now - {version}
        assert mark.after(version, up) == plainly(files, wanted)
        assert mark.version == plainly(files, now), "looking ahead changes nothing"
        mark.switch(version, up)
        now = wanted
        assert mark.version == plainly(files, now) and mark.applied == now
        assert set(mark.gaps()) == {v for v in files - now if any(v < u for u in now)}


def test_what_stands_in_the_table() -> None:
    assert VersionRow().stored is None and str(VersionRow()) == "nothing"
    assert VersionRow(None, True).stored == -1 and str(VersionRow(None, True)) == "nothing, dirty"
    assert VersionRow(0).stored == 0 and str(VersionRow(7, True)) == "version 7, dirty"
