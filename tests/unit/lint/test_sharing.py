"""Files read in two processes: nothing is read twice, nothing is missing, whatever becomes of the other process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bgce_migrate.beside import Tickets, beside, can_fork
from bgce_migrate.linting.analysis import Analysis, Begun, Task, analyse, begin
from bgce_migrate.linting.cache import decode_analysis, encode, joined
from bgce_migrate.linting.sharing import in_two
from bgce_migrate.migration import Direction, MigrationId, SourceFile

pytestmark = pytest.mark.skipif(not can_fork(), reason="a second process is not to be had here")

_TEXTS = (
    "CREATE TABLE carts (id bigint PRIMARY KEY, total numeric(12, 2) NOT NULL DEFAULT 0);\n",
    "SELECT set_config('role', 'shop', true); SELECT id FROM carts FOR UPDATE;\n",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN LOCK TABLE carts; END $$;\n",
    "ALTER TABLE carts ADD COLUMN;\n",
    "-- bgce: opaque reason=\"a newer server's\"\nMAKE CARTS;\n",
    "BEGIN; COMMIT; DROP TABLE carts;\n",
)


def _tasks(count: int) -> list[tuple[str, Task]]:
    tasks = []
    for number in range(count):
        text = f"{_TEXTS[number % len(_TEXTS)]}-- {number}\n"
        source = SourceFile(f"{number:06d}_x.up.sql", text, str(number))
        tasks.append((f"key{number}", Task(source, True, Direction.UP, "public", MigrationId("shop", number))))
    return tasks


def _leave_alone() -> None:
    """The other process goes on."""


def _kill_the_other() -> None:
    """SIGKILL to every child of this process."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = entry.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == os.getpid():
            os.kill(int(entry.parent.name), signal.SIGKILL)


@pytest.mark.parametrize("meanwhile", [_leave_alone, _kill_the_other])
def test_everything_is_read(meanwhile: Callable[[], None]) -> None:
    cold = _tasks(120)
    found: dict[str, Analysis] = {}
    with in_two(cold, found, meanwhile) as rest:
        assert sorted(found) == [task.source.path for _, task in cold]
        for _, task in cold:
            assert found[task.source.path].effects == analyse(task).effects
        kept = rest()
    for key, task in cold:
        whole = analyse(task)
        assert found[task.source.path] == whole
        assert kept[key] == encode(whole)
    assert len(kept) == len(cold)


@pytest.mark.parametrize("count", [0, 1, 1_024, 5_000])
def test_each_ticket_is_taken_once(count: int) -> None:
    tickets = Tickets(count)
    with beside(lambda pipe: pipe.writelines(f"{n}\n".encode() for n in tickets)) as answer:
        ours = list(tickets)
        theirs = [int(line) for line in answer().split()]
    tickets.close()
    assert sorted(ours + theirs) == list(range(count))


@pytest.mark.parametrize("text", _TEXTS)
def test_bytes_of_both_parts_are_those_of_the_whole(text: str) -> None:
    task = Task(SourceFile("000001_x.up.sql", text, "x"), True, Direction.UP, "public", MigrationId("shop", 1))
    begun, whole = begin(task), analyse(task)
    if isinstance(begun, Begun):
        raw = joined(encode(begun.known), encode(begun.depths()))
        assert raw == encode(whole)
        assert decode_analysis(raw) == whole
    else:
        assert begun == whole
