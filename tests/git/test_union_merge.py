"""Two branches that both record migrations merge without a conflict, and `lock` accepts what comes of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.git.repos import Site, pair

#: Versions that a branch adds, by domain; two branches never share one (that is what `renumber` is for).
VERSIONS = st.lists(st.tuples(st.sampled_from(["cortex", "postal"]), st.integers(3, 12)), min_size=1, max_size=8, unique=True)


def lock_ids(site: Site) -> list[str]:
    return [line.split()[0] for line in (site.root / "bgce.lock").read_text().splitlines() if not line.startswith("#")]


def record(site: Site, domain: str, version: int) -> None:
    table = "users" if domain == "cortex" else "posts"
    column = f"c{version}"
    site.write(pair(domain, version, column, f"ALTER TABLE {table} ADD COLUMN {column} int;\n",
                    f"ALTER TABLE {table} DROP COLUMN {column};\n"))  # fmt: skip
    site.desk().lock()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(added=VERSIONS, split=st.data())
def test_both_branches_record_and_merge(first_shop: Path, added: list[tuple[str, int]], split: st.DataObject) -> None:
    ours = split.draw(st.sets(st.sampled_from(added)))
    with TemporaryDirectory() as folder:
        site = Site(Path(shutil.copytree(first_shop, Path(folder, "shop"), symlinks=True)))
        before = lock_ids(site)
        site.git("checkout", "-q", "-b", "feature")
        for domain, version in (a for a in added if a in ours):
            record(site, domain, version)
        site.commit("ours")
        mine = lock_ids(site)
        site.git("checkout", "-q", "main")
        for domain, version in (a for a in added if a not in ours):
            record(site, domain, version)
        site.commit("theirs")
        theirs = lock_ids(site)
        site.git("merge", "-q", "-m", "merge", "feature")
        merged = lock_ids(site)
        # Nothing is lost, what was there comes first, and each side's order is kept.
        assert merged[: len(before)] == before
        assert [i for i in merged if i in theirs] == theirs
        assert [i for i in merged if i in mine] == mine
        desk = site.desk()
        assert set(merged) == {str(i) for i in desk.tree.migrations}
        assert desk.lock(check=True).added == ()
        assert desk.lock().added == ()
        assert lock_ids(site) == merged


def test_a_late_lower_version_is_recorded_behind(site: Site) -> None:
    record(site, "cortex", 9)
    site.commit("nine")
    site.git("checkout", "-q", "-b", "feature")
    record(site, "cortex", 5)
    assert lock_ids(site)[-2:] == ["cortex/000009_c9", "cortex/000005_c5"]
    site.commit("five")
    answer = site.bgce("check")
    assert answer.code == 0, answer.out


def test_the_same_line_from_both_branches_counts_once(site: Site) -> None:
    site.git("checkout", "-q", "-b", "feature")
    record(site, "cortex", 3)
    site.commit("ours")
    record(site, "cortex", 4)
    site.commit("ours too")
    site.git("checkout", "-q", "main")
    record(site, "cortex", 3)
    site.commit("the same")
    site.git("merge", "-q", "-m", "merge", "feature")
    assert site.bgce("lock").code == 0
    assert sorted(lock_ids(site)) == sorted(set(lock_ids(site)))
    assert site.bgce("check").code == 0
