"""`bgce.lock`: what is written is read back, merges of two branches are taken, mistakes name their line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgce_migrate.errors import ConfigError
from bgce_migrate.migration import Direction, Migration, MigrationId, SourceFile
from bgce_migrate.order.lockfile import (
    Edited,
    LockFile,
    LockLine,
    Missing,
    Renumbered,
    Unlocked,
    check,
    parse,
    render,
    render_line,
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def line(domain: str, version: int, name: str = "x", up: str = "up", down: str | None = "down") -> LockLine:
    """A line as `lock` would write it for files with these texts."""
    return LockLine(
        MigrationId(domain, version, name),
        f"v1:{digest('tokens ' + up)}",
        digest(up),
        f"v1:{digest('tokens ' + down)}" if down else None,
        digest(down) if down else None,
    )


def on_disk(domain: str, version: int, up: str = "up", down: str | None = "down") -> Migration:
    """A migration whose files hold these texts."""
    back = SourceFile("x.down.sql", down, digest(down)) if down else None
    return Migration(MigrationId(domain, version), SourceFile("x.up.sql", up, digest(up)), back)


NAMES = st.text(st.characters(codec="utf-8"), max_size=20)
LINES = st.builds(
    LockLine,
    st.builds(MigrationId, NAMES.filter(bool), st.integers(0, 10**16), NAMES),
    st.text("0123456789abcdef", min_size=64, max_size=64).map("v1:{}".format),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.none(),
    st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
    st.none() | NAMES.filter(bool),
)


@given(st.lists(LINES, unique_by=lambda each: each.id, max_size=8))
def test_any_names_survive(lines: list[LockLine]) -> None:
    text = render(LockFile(tuple(lines)))
    assert len(text.splitlines()) == 2 + len(lines)
    read = parse(text).lines
    assert [(r.id, r.id.name, r.distribution) for r in read] == [
        (x.id, x.id.name, x.distribution) for x in lines
    ]
    assert all(a.same_files(b) for a, b in zip(read, lines, strict=True))


@given(st.lists(LINES, unique_by=lambda each: each.id, max_size=8))
def test_a_file_read_at_one_go_is_what_its_lines_say(lines: list[LockLine]) -> None:
    text = render(LockFile(tuple(lines)))
    assert parse(text) == parse(text + "# read line by line\n")


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-2] + "\n", lambda t: t.replace(" up=", "  up=x", 1), lambda t: t + "<<<<<<< ours\n"]
)
def test_one_bad_line_among_good_ones_is_told(spoil: Callable[[str], str]) -> None:
    text = render(LockFile((line("a", 1), line("b", 1))))
    with pytest.raises(ConfigError):
        parse(spoil(text))


def test_a_line_is_readable() -> None:
    one = line("cortex", 1, "create_tenants")
    one = LockLine(one.id, one.up_checksum, one.up_sha256, distribution="bgce-archive-domains==1.0")
    assert render_line(one) == (
        f"cortex/000001_create_tenants up={one.up_checksum} up-raw={one.up_sha256}"
        " from=bgce-archive-domains==1.0"
    )


def test_a_union_merge_is_taken_and_a_late_lower_version_too() -> None:
    ours, theirs = line("a", 6), line("a", 5)
    text = render(LockFile((line("b", 1), ours))) + render(LockFile((line("b", 1), theirs)))
    assert parse(text.replace("\n", "\r\n")).order == (MigrationId("b", 1), ours.id, theirs.id)


def test_the_order_of_lines_is_the_order() -> None:
    lock = LockFile((line("b", 2), line("a", 1))).append([line("b", 1)])
    assert parse(render(lock)).order == lock.order
    found = lock.get(MigrationId("a", 1))
    assert found is not None and found.id.name == "x"
    assert lock.get(MigrationId("a", 9)) is None


def test_all_mistakes_are_told_with_their_lines() -> None:
    good = render_line(line("a", 1))
    text = "\n".join(
        [
            "# bgce.lock 99: from the future",
            good,
            render_line(line("a", 1, up="other")),
            "<<<<<<< HEAD",
            "nonsense",
            good.replace("a/000001", "a/000002").replace("up=v1:", "up=sha:"),
            "a/000003 up=v1:" + "0" * 64,
            good.replace("a/000001", "a/000004") + " extra=1",
            good.replace("a/000001", "a/000005").split(" down-raw")[0],
        ]
    )
    with pytest.raises(ConfigError) as error:
        parse(text, "sub/bgce.lock")
    assert error.value.exit_code == 2
    told = [(str(p.where), p.message) for p in error.value.problems]
    assert [where for where, _ in told] == [f"sub/bgce.lock:{n}" for n in (1, 3, 4, 5, 6, 7, 8, 9)]
    messages = [message for _, message in told]
    assert "format 99" in messages[0]
    assert messages[1] == "a/000001 is locked twice with different files, first in line 2"
    assert "merge conflict" in messages[2]
    assert messages[3] == "'nonsense' is not domain/version_name"
    assert "not whole" in messages[5]


def test_differences_with_the_disk() -> None:
    lock = LockFile(
        (
            line("a", 1),
            line("a", 2),
            line("a", 3),
            line("a", 4, up="moved"),
            line("b", 1),
            line("b", 2, down=None),
        )
    )
    disk = [
        on_disk("a", 1),
        on_disk("a", 2, up="edited"),
        on_disk("a", 3, down=None),
        on_disk("a", 7, up="moved"),
        on_disk("b", 2, down=None),
        on_disk("c", 1),
    ]
    told = []
    for difference in check(lock, disk):
        if isinstance(difference, Edited):
            told.append(("edited", difference.line.id.short, difference.direction))
        elif isinstance(difference, Renumbered):
            told.append(("renumbered", difference.line.id.short, difference.migration.id.short))
        elif isinstance(difference, Missing):
            told.append(("missing", difference.line.id.short))
        else:
            assert isinstance(difference, Unlocked)
            told.append(("unlocked", difference.migration.id.short))
    assert told == [
        ("edited", "a/000002", Direction.UP),
        ("edited", "a/000003", Direction.DOWN),
        ("renumbered", "a/000004", "a/000007"),
        ("missing", "b/000001"),
        ("unlocked", "c/000001"),
    ]
    assert check(LockFile((line("a", 1),)), [on_disk("a", 1)]) == ()
