"""Public projects' own folders: the schema that `up` and `down` make is the one that psql makes of the same files.

None of their files is kept here. `BGCE_REAL_FOLDERS` names folders, separated by ":"; without it the tests skip.
"""

from __future__ import annotations

import os
from collections import Counter
from itertools import takewhile
from pathlib import Path

import pytest

from bgce_migrate import library
from bgce_migrate.desk import Desk
from bgce_migrate.migration import MigrationId
from tests.e2e.desks import down, force, open_desk, version
from tests.e2e.scene import Outcome, dump, make_owner, psql_file, up_files
from tests.servers import DatabaseMaker

FOLDERS = [Path(text) for text in os.environ.get("BGCE_REAL_FOLDERS", "").split(":") if text]

pytestmark = pytest.mark.skipif(not FOLDERS, reason="BGCE_REAL_FOLDERS names no folder of a public project")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_schema_equals_what_psql_makes(folder: Path, maker: DatabaseMaker) -> None:
    ours, theirs = (make_owner(maker()) for _ in range(2))
    files = up_files(folder)
    said = Outcome("")
    for file in files:
        said = psql_file(theirs, file)
        if said.sqlstate:
            break
    report = library.up(migrations=folder, database_url=ours)
    applied = [s for s in report.steps if s.status.value == "applied"]
    if said.sqlstate:
        assert report.failure is not None, said
        assert report.failure.facts.get("sqlstate") == said.sqlstate, (said, report.failure)
        assert report.failure.where is not None and Path(report.failure.where.file).name == said.file
    else:
        assert report.failure is None and len(applied) == len(files)
    assert dump(ours) == dump(theirs)

    counts = undo_alike(folder, ours, theirs, files[: len(applied)])
    assert dump(ours) == dump(theirs)
    print(f"{folder}: {len(files)} files, {len(applied)} applied; downs: {counts}")


def undo_alike(folder: Path, ours: str, theirs: str, files: list[Path]) -> Counter[str]:
    """Every down, newest first, on both; where there is none or it fails, both are told to go on without it."""
    desk = open_desk(folder)
    ids = {int(i.version): i for i in desk.tree.migrations}
    counts: Counter[str] = Counter()
    left = [ids[int(file.name.split("_")[0])] for file in files]
    while left:
        batch = list(takewhile(lambda i: desk.tree.down(i)[0] is not None, reversed(left)))
        if batch:
            report = down(folder, ours, count=len(batch))
            done = [s for s in report.steps if s.status.value == "applied"]
            for step in done:
                said = psql_file(theirs, down_file(desk, step.id))
                assert said.sqlstate is None, f"ours undid {step.id}, psql says {said}"
            counts["undone"] += len(done)
            left = left[: len(left) - len(done)]
            if len(done) == len(batch):
                continue
            said = psql_file(theirs, down_file(desk, left[-1]))
            assert report.failure is not None
            assert report.failure.facts.get("sqlstate") == said.sqlstate, (said, report.failure)
            counts[f"failed alike ({said.sqlstate})"] += 1
        else:
            text = down_file(desk, left[-1])
            said = psql_file(theirs, text) if text.is_file() else Outcome("")
            counts["broken in both" if said.sqlstate else "no statements"] += 1
        left.pop()
        force(folder, ours, None, left[-1].version if left else 0)
    assert version(folder, ours) == {desk.project.domains[0].name: None}
    return counts


def down_file(desk: Desk, migration: MigrationId) -> Path:
    """The down of a migration; a file that is not there where it has none."""
    found = desk.tree.migrations[migration].down
    return Path(found.path if found is not None else "none")
