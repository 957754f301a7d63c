"""A kept plan is shown only while it would be made again just so."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bgce_migrate.ahead import MANY
from bgce_migrate.desk import Desk
from bgce_migrate.errors import Refused, SqlFileError
from bgce_migrate.planning import PlanView, Selection
from bgce_migrate.previewing import preview
from bgce_migrate.report.listings import print_plan
from bgce_migrate.report.output import Output
from bgce_migrate.scaffold import init

EVERYTHING = Selection(allow_unlocked=True)


def write(root: Path, domain: str, declaration: str, *ups: str) -> None:
    folder = root / "migrations" / domain
    folder.mkdir(parents=True)
    (folder / "domain.toml").write_text(f'name = "{domain}"\n{declaration}')
    for version, up in enumerate(ups, 1):
        (folder / f"{version:06d}_a.up.sql").write_text(f"{up};\n")
        (folder / f"{version:06d}_a.down.sql").write_text("SELECT 1;\n")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    init(tmp_path)
    write(
        tmp_path,
        "alpha",
        "[tables.a]\n[tables.b]\n",
        "CREATE TABLE a (id int PRIMARY KEY)",
        "CREATE TABLE b (id int)",
    )
    write(tmp_path, "beta", 'requires = ["alpha"]\n[tables.c]\n', "CREATE TABLE c (a int REFERENCES a (id))")
    Desk.load(tmp_path).lock()
    return tmp_path


def kept(root: Path) -> list[Path]:
    return sorted((root / ".bgce" / "cache" / "plan").glob("plan-*"))


def shown(view: PlanView, capsys: pytest.CaptureFixture[str]) -> str:
    for as_json in (True, False):
        print_plan(Output(as_json=as_json), view, explain=True)
    out, err = capsys.readouterr()
    return out + err


def as_made(root: Path, selection: Selection, capsys: pytest.CaptureFixture[str]) -> str:
    s = selection
    made = Desk.load(root).plan(
        None, domain=s.domain, limit=s.limit, to=s.to, allow_unlocked=s.allow_unlocked
    )
    return shown(made, capsys)


@pytest.mark.parametrize(
    "selection", [EVERYTHING, Selection("beta", allow_unlocked=True), Selection(limit=1, allow_unlocked=True)]
)
def test_a_kept_plan_reads_like_a_new_one(
    project: Path, selection: Selection, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = as_made(project, selection, capsys)
    assert shown(preview(Desk.load(project).tree, selection), capsys) == expected
    assert len(kept(project)) == 1
    tree = Desk.load(project).tree
    assert shown(preview(tree, selection), capsys) == expected
    assert not tree._scripts, "something was parsed"


def edit_up(root: Path) -> None:
    (root / "migrations/alpha/000002_a.up.sql").write_text("CREATE TABLE b (id int);\n\n")
    Desk.load(root).lock()


def edit_declaration(root: Path) -> None:
    (root / "migrations/beta/domain.toml").write_text(
        'name = "beta"\ntitle = "B"\nrequires = ["alpha"]\n[tables.c]\n'
    )


def edit_lock_file(root: Path) -> None:
    lock = root / "bgce.lock"
    head, tail = lock.read_text().splitlines()[:2], lock.read_text().splitlines()[2:]
    a1, a2, b1 = sorted(tail)
    order = [a1, b1, a2] if tail != [a1, b1, a2] else [a1, a2, b1]
    lock.write_text("\n".join([*head, *order]) + "\n")


def add_migration(root: Path) -> None:
    (root / "migrations/alpha/000003_a.up.sql").write_text("ALTER TABLE b ADD n int;\n")
    (root / "migrations/alpha/000003_a.down.sql").write_text("ALTER TABLE b DROP n;\n")


def spoil(root: Path) -> None:
    for file in kept(root):
        file.write_bytes(random.Random(1).randbytes(200))


def cut(root: Path) -> None:
    for file in kept(root):
        file.write_bytes(file.read_bytes()[:-3])


@pytest.mark.parametrize("change", [edit_up, edit_declaration, edit_lock_file, add_migration, spoil, cut])
def test_after_any_change_the_plan_is_made_anew(
    project: Path, change: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    preview(Desk.load(project).tree, EVERYTHING)
    change(project)
    tree = Desk.load(project).tree
    view = preview(tree, EVERYTHING)
    assert tree._scripts, "the old plan was taken"
    assert shown(view, capsys) == as_made(project, EVERYTHING, capsys)


def test_a_folder_whose_name_is_not_utf8(tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        root.mkdir()
    except OSError:
        pytest.skip("no such names here")
    init(root)
    write(root, "alpha", "[tables.a]\n", "CREATE TABLE a (id int)")
    Desk.load(root).lock()
    for _ in range(2):
        assert len(preview(Desk.load(root).tree, EVERYTHING).plan.steps) == 1
    assert len(kept(root)) == 1


@pytest.mark.parametrize("name", ["alpha/000002_a.up.sql", "beta/000001_a.up.sql"])
def test_an_edit_that_only_the_bytes_tell_is_seen(project: Path, name: str) -> None:
    preview(Desk.load(project).tree, EVERYTHING)
    file = project / "migrations" / name
    before = file.stat()
    file.write_text(file.read_text().replace(" int", " oid"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    with pytest.raises(Refused, match="was edited after it was locked"):
        preview(Desk.load(project).tree, EVERYTHING)


def test_a_down_broken_since_is_refused(project: Path) -> None:
    preview(Desk.load(project).tree, EVERYTHING)
    (project / "migrations/beta/000001_a.down.sql").write_text("DROP TABEL c;\n")
    with pytest.raises(SqlFileError):
        preview(Desk.load(project).tree, EVERYTHING)


def test_many_files_read_on_two_processors_say_what_one_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(tmp_path)
    names = [f"t{n}" for n in range(MANY + 5)]
    write(
        tmp_path,
        "many",
        "".join(f"[tables.{n}]\n" for n in names),
        *(f"CREATE TABLE {n} (id int)" for n in names),
    )
    folder = tmp_path / "migrations" / "many"
    (folder / "000002_a.up.sql").write_text('-- bgce: irreversible reason="x"\nCREATE TABLE t1 (id int);\n')
    (folder / "000002_a.down.sql").write_text("-- nothing\n")
    assert shown(preview(Desk.load(tmp_path).tree, EVERYTHING), capsys) == as_made(
        tmp_path, EVERYTHING, capsys
    )
    assert not kept(tmp_path), "nothing is kept without a lock file"
    (folder / "000007_a.down.sql").write_text("-- nothing\n")
    with pytest.raises(SqlFileError, match="no statement"):
        preview(Desk.load(tmp_path).tree, EVERYTHING)
