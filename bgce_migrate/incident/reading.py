"""Reads what is going on: two or three round trips in one read-only transaction that waits for nothing long."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

from bgce_migrate.apply.asked import HEARD
from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Rows, Session
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.incident.model import (
    Asked,
    Failure,
    Other,
    Queue,
    Run,
    Scene,
    Unit,
    Waiting,
    Work,
)

_APPLICATION = re.compile(r"bgce-migrate (?P<run>[0-9a-f-]{36})(?: (?P<step>.*))?")
_NAME_LENGTH = 63  # bytes: NAMEDATALEN - 1
_MAY_NOT = "42501"
_BEGIN = (
    Command("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"),
    Command("SELECT set_config('statement_timeout', '10s', true), set_config('lock_timeout', '2s', true)"),
)
#: A step that meets a lock lets go and tries again, so that one look may fall between two tries.
_LOOKS, _PAUSE = 10, 0.1


def watch(session: Session) -> Scene:
    """`look` until the run that leads is seen waiting, or is seen at its work; at most a second."""
    for _ in range(_LOOKS):
        scene = look(session)
        run = scene.run
        if run is None or run.paused or any(w.waiting or w.seconds > 1 for w in run.works if w.busy):
            return scene
        time.sleep(_PAUSE)
    return scene


def look(session: Session) -> Scene:
    """What is to be seen now. Changes nothing: the transaction is READ ONLY."""
    with suppress(Failed):  # a migrator inherits nothing, so it must act as the role that may see what others run
        session.execute("SET ROLE pg_read_all_stats")
    try:
        session.run(_BEGIN)
        return _Reader(session).scene()
    finally:
        if session.usable:
            session.run([Command("ROLLBACK"), Command("RESET ROLE")])


class _Reader:
    def __init__(self, session: Session) -> None:
        self.session = session
        known, self.database, self.login, sees = session.ask("runs", "recorded")[0]
        self.known, self.sees = known == "true", sees == "true"
        self.waits: dict[int, tuple[Waiting, tuple[int, ...]]] = {}

    def scene(self) -> Scene:
        queries = [Command(self.session.query("locks", "waiting"))]
        if self.known:
            queries.append(Command(self.session.query("locks", "sessions_of_runs")))
        replies = self.session.run(queries)
        self.waits = {
            _int(pid): (Waiting(mode or "", what or "", owner, _float(age)), tuple(map(int, filter(None, (by or "").split(",")))))
            for pid, mode, what, owner, age, by in replies[0].rows
        }
        mine = self._by_run(replies[1].rows) if self.known else {}
        pids = {_int(row[0]) for rows in mine.values() for row in rows}
        others = self._others({pid for _, by in self.waits.values() for pid in by} - pids, mine)
        recorded = self._recorded(mine)
        runs = [self._run(run_id, rows, recorded, others) for run_id, rows in mine.items()]
        runs = sorted((r for r in runs if r.leads or r.works), key=lambda r: not r.leads)
        roots = [others[pid] for pid in sorted(others) if pid not in self.waits and self._blocks(pid)]
        return Scene(
            self.database or "", self.login or "", self.known, tuple(runs), _units(recorded["open_journal"]),
            _failures(recorded["last_failures"]), len(self.waits), tuple(roots), not self.sees,
        )  # fmt: skip

    def _blocks(self, pid: int) -> bool:
        return any(pid in by for _, by in self.waits.values())

    def _by_run(self, rows: Rows) -> dict[str, list[tuple[str | None, ...]]]:
        out: dict[str, list[tuple[str | None, ...]]] = {}
        for row in rows:
            found = _APPLICATION.match(row[2] or "")
            if found is not None:
                out.setdefault(found["run"], []).append(row)
        return out

    def _recorded(self, runs: Iterable[str]) -> dict[str, Rows]:
        """What the bookkeeping says; nothing where this login may not read it."""
        ids, s = (array(runs),), self.session
        work = {
            "runs": Command(s.query("runs", "runs"), ids),
            "steps": Command(s.query("runs", "steps"), ids),
            "open_journal": Command(s.query("history", "open_journal")),
            "last_failures": Command(s.query("history", "last_failures")),
        }
        nothing: dict[str, Rows] = dict.fromkeys(work, ())
        if not self.known:
            return nothing
        try:
            # As the login itself again: the role that sees sessions does not see the history.
            replies = s.run([Command("RESET ROLE"), *work.values()])
        except Failed as failed:
            if failed.error.sqlstate != _MAY_NOT:
                raise
            self.sees = False
            s.run([Command("ROLLBACK"), *_BEGIN])
            return nothing
        return {name: reply.rows for name, reply in zip(work, replies[1:], strict=True)}

    def _others(self, pids: set[int], mine: Mapping[str, object]) -> dict[int, Other]:
        if not pids:
            return {}
        rows = self.session.ask("locks", "sessions", "{" + ",".join(map(str, sorted(pids))) + "}")
        return {_int(row[0]): _other(row, self.sees) for row in rows}

    # -- one run -----------------------------------------------------------------------------------------------

    def _run(
        self, run_id: str, rows: list[tuple[str | None, ...]], recorded: Mapping[str, Rows], others: Mapping[int, Other]
    ) -> Run:
        said = next((row for row in recorded["runs"] if row[0] == run_id), (run_id, *(None,) * 9))
        leader = next((row for row in rows if row[7] == "true"), None)
        works = [self._work(row, recorded["open_journal"], others) for row in rows if row is not leader]
        steps = [row for row in recorded["steps"] if row[0] == run_id]
        return Run(
            run_id, said[1] or "", said[2] or "", said[3] or "", said[4] or "", _float(said[5]), leader is not None,
            _float(leader[6]) if leader is not None and leader[6] is not None else None,
            Asked(said[6], said[7] or "", _float(said[8]), _int(said[9])) if said[6] else None,
            max((_heard(row[2]) for row in rows), default=0),
            tuple(f"{s[1]}/{_int(s[2]):06d} {s[3]}" for s in steps),
            tuple(w for w in works if "/" in w.step),  # others look at locks, or idle
        )  # fmt: skip

    def _work(self, row: tuple[str | None, ...], journal: Rows, others: Mapping[int, Other]) -> Work:
        pid, login, application, state, query, age, _, _, progress = row
        number = _int(pid)
        found = _APPLICATION.match(application or "")
        step = (found["step"] or "") if found is not None else ""
        unit = next((u for u in journal if _int(u[6]) == number and u[8] != "true"), None)
        if unit is not None:
            step = f"{unit[0]}/{unit[1]}"
        cut = unit is None and len((application or "").encode()) >= _NAME_LENGTH
        wait, by = self.waits.get(number, (None, ()))
        blockers = [others[p] for p in by if p in others]
        if 0 in by:
            blockers += [_prepared(r) for r in self.session.ask("locks", "blockers", pid) if r[0] is None]
        return Work(
            number, login or "", _six(step, cut), cut, state or "hidden", query if state else None,
            _float(age), unit is not None, None, None, wait, tuple(blockers), self._queue(number), progress or "",
        )  # fmt: skip

    def _queue(self, pid: int) -> Queue:
        """Who waits for it, and who waits for those."""
        behind: set[int] = set()
        found = {pid}
        while found:
            found = {p for p, (_, by) in self.waits.items() if found & set(by)} - behind - {pid}
            behind |= found
        return Queue(len(behind), max((self.waits[p][0].seconds for p in behind), default=0.0))


def _heard(application: str | None) -> int:
    number = (application or "").partition(HEARD)[2]
    return int(number) if number.isdigit() else 0


def _six(step: str, cut: bool) -> str:
    domain, _, version = step.partition("/")
    return f"{domain}/{int(version):06d}" if version.isdigit() and not cut else step


def _other(row: tuple[str | None, ...], sees: bool) -> Other:
    pid, login, application, state, query, age = row
    found = _APPLICATION.match(application or "")
    return Other(
        _int(pid), login or "", application or "", state, query if state is not None or sees else None,
        None if age is None else float(age), found["run"] if found is not None else None,
    )  # fmt: skip


def _prepared(row: tuple[str | None, ...]) -> Other:
    _, owner, name, _, age = row
    return Other(None, owner or "", name or "", "prepared", None, _float(age))


def _units(rows: Rows) -> tuple[Unit, ...]:
    return tuple(Unit(f"{r[0]}/{_int(r[1]):06d}", _int(r[3]), r[5] or "", r[8] == "true") for r in rows)


def _failures(rows: Rows) -> tuple[Failure, ...]:
    return tuple(Failure(f"{r[0]}/{_int(r[1]):06d}", r[3] or "") for r in rows if r[2] != "true")


def _int(text: str | None) -> int:
    return int(text or 0)


def _float(text: str | None) -> float:
    return float(text or 0.0)


