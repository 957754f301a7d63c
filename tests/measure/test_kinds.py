"""Lock mode, rewrite and scan of every kind of statement, on both majors, against the reference's table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bgce_migrate.desk import Desk
from bgce_migrate.measure.model import MeasuredStep
from bgce_migrate.measure.run import Wanted, measure
from tests.measure.cases import AS, CASES, FIRST, RS, Case, write

MAJORS = [18, 16]


def seen(step: MeasuredStep, case: Case, major: int) -> tuple[dict[str, str], set[str]]:
    """Locks on tables and work of the case's first statement, without its number."""
    number = str(step.id.version)
    expected = case.on.get(major, case.locks)
    statement = step.statements[0]

    def bare(name: object) -> str:
        return re.sub(rf"{number}$", "", str(name))

    locks = {bare(k.table): k.mode for k in statement.locks if not k.index and k.kind != "sequence"}
    kept = {t: m for t, m in locks.items() if m not in (AS, RS) or t in expected}
    return kept, {f"{w.kind.value} {bare(w.table)}" for w in statement.work}


@pytest.mark.parametrize("major", MAJORS)
def test_every_kind_as_the_reference_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, major: int) -> None:
    monkeypatch.chdir(tmp_path)
    desk = Desk.load(tmp_path, migrations=write(tmp_path, CASES, major))
    found = measure(desk.tree, desk.host, Wanted(tuple(desk.tree.migrations)), major=major)
    assert [s.error for s in found.steps if s.error] == []
    steps = {s.id.version: s for s in found.steps}
    wrong = []
    judged = 0
    for number, case in enumerate(CASES, FIRST):
        if case.since > major:
            continue
        judged += 1
        got = seen(steps[number], case, major)
        wanted = (case.on.get(major, case.locks), set(case.work))
        if got != wanted:
            wrong.append(f"{case.sql}\n    wanted {wanted}\n    got    {got}")
    assert not wrong, "\n".join(wrong)
    assert judged >= 60
