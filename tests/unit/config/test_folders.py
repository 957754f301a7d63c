"""A folder's files become migrations by version; what is wrong with them is told by name."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from bgce_migrate.config import read_folder, read_migrations
from bgce_migrate.config.paths import FileFault, read_listed
from bgce_migrate.domain import Domain
from bgce_migrate.errors import BgceError, ConfigError, SqlFileError
from tests.unit.config.tree import write


def domain(folder: Path, *, declared: bool = True) -> Domain:
    return Domain("cortex", folder, declared=declared, distribution="dist 1")


def told(folder: Path, type_: type[BgceError], *, declared: bool = True) -> list[str]:
    with pytest.raises(type_) as caught:
        read_migrations(domain(folder, declared=declared))
    return [str(p) for p in caught.value.problems]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    return tmp_path / "m"


def test_pairs_by_version_whatever_the_width_and_the_slug(folder: Path) -> None:
    write(
        folder,
        {
            "2_b.up.sql": "SELECT 2;",
            "000001_first_thing.up.sql": b"\xef\xbb\xbfSELECT 1;\r\n",
            "1_undo.down.sql": "SELECT -1;",
            "20240101120000_late.up.sql": "SELECT 3;",
            "10_.up.sql": "SELECT 10;",
            "domain.toml": "",
            "README.md": "",
            "x.go": "",
        },
    )
    migrations = read_migrations(domain(folder))
    assert [m.id.short for m in migrations] == [
        "cortex/000001",
        "cortex/000002",
        "cortex/000010",
        "cortex/20240101120000",
    ]
    first = migrations[0]
    assert str(first.id) == "cortex/000001_first_thing"
    assert first.up.path == "m/000001_first_thing.up.sql"
    assert first.up.text == "SELECT 1;\n"
    assert first.up.sha256 == hashlib.sha256(b"\xef\xbb\xbfSELECT 1;\r\n").hexdigest()
    assert first.down is not None
    assert first.down.path == "m/1_undo.down.sql"
    assert migrations[1].down is None
    assert first.distribution == "dist 1"


def test_two_files_of_one_version_are_named_both(folder: Path) -> None:
    names = [
        "1_a.up.sql",
        "01_b.up.sql",
        "3_a.down.sql",
        "003_a.down.sql",
        "3_a.up.sql",
        "5_x.up.sql",
        "5_X.up.sql",
    ]
    write(folder, dict.fromkeys(names, "SELECT 1;"))
    first, second, third = told(folder, ConfigError)
    assert "version 3 of cortex has two down files, 003_a.down.sql and 3_a.down.sql" in first + second + third
    assert "version 1 of cortex has two up files, 01_b.up.sql and 1_a.up.sql" in first + second + third
    assert "one file on systems that ignore upper and lower case" in first + second + third


def test_accents_spelt_in_two_ways(folder: Path) -> None:
    write(folder, {"1_\u00e9.up.sql": "SELECT 1;", "1_e\u0301.up.sql": "SELECT 1;"})
    (only,) = told(folder, ConfigError)
    assert "accents' spelling" in only


def test_a_down_without_an_up(folder: Path) -> None:
    write(folder, {"1_a.up.sql": "SELECT 1;", "2_b.down.sql": "SELECT 2;"})
    assert told(folder, ConfigError) == ["m/2_b.down.sql: 2_b.down.sql has no up file of the same version"]
    contents = read_folder(domain(folder, declared=False))
    assert [m.id.version for m in contents.migrations] == [1]
    assert [n.rule for n in contents.notes] == ["down-without-up"]


def test_sql_files_that_look_like_migrations_but_are_not_are_noted(folder: Path) -> None:
    names = [
        "1_a.up.sql",
        "000002-b.up.sql",
        "3_c.sql",
        "4_d.UP.sql",
        "5_e.up.SQL",
        "x_f.up.sql",
        "\u0661_g.up.sql",
    ]
    write(folder, dict.fromkeys(names, "SELECT 1;"))
    contents = read_folder(domain(folder))
    assert [m.id.version for m in contents.migrations] == [1]
    assert len(contents.notes) == 6
    assert {n.rule for n in contents.notes} == {"unread-file"}


@pytest.mark.parametrize("digits", [str(2**63), "9" * 200])
def test_versions_that_a_bigint_cannot_hold(folder: Path, digits: str) -> None:
    write(folder, {f"{digits}_a.up.sql": "SELECT 1;", f"{2**63 - 1}_b.up.sql": "SELECT 1;"})
    (only,) = told(folder, ConfigError)
    assert "has a version larger than 9223372036854775807" in only


def test_names_with_control_characters(folder: Path) -> None:
    write(folder, {"1_a\nb.up.sql": "SELECT 1;"})
    with open(os.fsencode(folder) + b"/2_\xff.up.sql", "wb") as file:
        file.write(b"SELECT 1;")
    first, second = told(folder, ConfigError)
    assert "1_a<U+000A>b.up.sql has a control character" in first
    assert "2_<U+DCFF>.up.sql has a control character or bytes that are not UTF-8" in second


def test_links_may_not_leave_the_folder(folder: Path, tmp_path: Path) -> None:
    write(tmp_path, {"secret.txt": "SELECT 'secret';"})
    write(folder, {"1_a.up.sql": "SELECT 1;"})
    (folder / "2_b.up.sql").symlink_to(tmp_path / "secret.txt")
    (folder / "3_c.up.sql").symlink_to("1_a.up.sql")
    (folder / "4_d.up.sql").symlink_to("nowhere.sql")
    first, second = told(folder, SqlFileError)
    assert first == "m/2_b.up.sql: 2_b.up.sql is a link that leads out of its folder"
    assert second.startswith("m/4_d.up.sql: 4_d.up.sql cannot be read")
    for name in ("2_b.up.sql", "4_d.up.sql"):
        (folder / name).unlink()
    assert [m.up.text for m in read_migrations(domain(folder))] == ["SELECT 1;"] * 2


def test_only_regular_files_are_opened(folder: Path) -> None:
    os.mkfifo(folder / "1_a.up.sql")
    (folder / "2_b.up.sql").mkdir()
    (folder / "3_c.up.sql").symlink_to("/dev/zero")
    first, second, third = told(folder, SqlFileError)
    assert first == "m/1_a.up.sql: 1_a.up.sql is not a regular file"
    assert second == "m/2_b.up.sql: 2_b.up.sql is not a regular file"
    assert third.endswith("3_c.up.sql is a link that leads out of its folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission(folder: Path) -> None:
    write(folder, {"1_a.up.sql": "SELECT 1;"})
    (folder / "1_a.up.sql").chmod(0)
    (only,) = told(folder, SqlFileError)
    assert "cannot be read: Permission denied" in only


def test_every_unreadable_file_is_told(folder: Path) -> None:
    write(
        folder, {"1_a.up.sql": b"SELECT '\xff';", "2_b.up.sql": b"SELECT 1\x00;", "3_c.up.sql": "SELECT 1;"}
    )
    problems = told(folder, SqlFileError)
    assert [p.partition(":")[0] for p in problems] == ["m/1_a.up.sql", "m/2_b.up.sql"]


@pytest.mark.parametrize("size", [16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 3 * 1024 * 1024])
def test_a_file_is_read_to_its_end(folder: Path, size: int) -> None:
    raw = b"SELECT 1;" + b" " * (size - 10) + b"\n"
    write(folder, {"1_a.up.sql": raw})
    (only,) = read_migrations(domain(folder))
    assert only.up.text.encode() == raw
    assert only.up.sha256 == hashlib.sha256(raw).hexdigest()


def test_what_becomes_a_link_after_it_was_listed_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("SELECT 1;")
    (tmp_path / "link").symlink_to("real")
    assert read_listed(str(tmp_path / "real"), 4) == b"SELE"
    with pytest.raises(FileFault, match="cannot be read"):
        read_listed(str(tmp_path / "link"), 4)


def test_a_huge_file_is_refused_quickly(folder: Path) -> None:
    with open(folder / "1_a.up.sql", "wb") as file:
        file.truncate(40 * 1024**3)
    started = time.monotonic()
    assert len(told(folder, SqlFileError)) == 1
    assert time.monotonic() - started < 1


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the folder of cortex cannot be read"):
        read_migrations(domain(tmp_path / "gone"))


def test_ten_thousand_files_are_read_in_about_a_second(folder: Path) -> None:
    for i in range(5000):
        (folder / f"{i:06d}_x.up.sql").write_text(f"CREATE TABLE t{i} (id bigint);\n")
        (folder / f"{i:06d}_x.down.sql").write_text(f"DROP TABLE t{i};\n")
    started = time.process_time()
    assert len(read_migrations(domain(folder))) == 5000
    assert time.process_time() - started < 3
