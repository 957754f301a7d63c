"""Statements of services are prepared before and after new steps: what breaks is named with service, object and step."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgce_migrate.clients.check import check
from bgce_migrate.clients.model import Checked, Verdict
from bgce_migrate.clients.reading import read_files, with_services
from bgce_migrate.desk import Desk
from bgce_migrate.errors import Refused, UsageError
from tests.cli.program import write
from tests.e2e.platform import ROOT, copy_platform

STATEMENTS = ROOT / "tests/plugins/client-statements.sql"
#: In the order of their numbers; each breaks or changes something, or nothing.
NEW = {
    "postal/000091_first": "ALTER TABLE posts ADD COLUMN subtitle text",
    "postal/000092_rename": "ALTER TABLE posts RENAME COLUMN og_image TO image",
    "postal/000093_versions": "ALTER TABLE post_versions ADD COLUMN branch text NOT NULL DEFAULT 'main';\n"
    "ALTER TABLE post_versions ALTER branch DROP DEFAULT",
    "community/000091_drop": "DROP TABLE discussions CASCADE",
    "cortex/000091_slug": "ALTER TABLE categories ALTER slug TYPE text",
    "cortex/000092_label": "ALTER TABLE categories DROP COLUMN description",
}
DOWN = '-- bgce: irreversible reason="a test"\n'


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """The shipped domains with new steps behind them."""
    files = {}
    for name, sql in NEW.items():
        files[f"migrations/{name}.up.sql"] = DOWN + sql + ";\n"
    return write(copy_platform(tmp_path), files)


def checked(project: Path, *files: Path | str, first: int = 90, **said: object) -> Checked:
    desk = Desk.load(project)
    sent = with_services(read_files(map(str, files)), desk.project.registry)
    return check(desk.tree, desk.host, sent, [i for i in desk.tree.migrations if i.version > first], **said)  # type: ignore[arg-type]


def test_the_platforms_statements(platform: Path) -> None:
    found = checked(platform, STATEMENTS)
    assert (len(found.judged), sorted(map(str, found.new))) == (23, sorted(NEW))
    assert {j.sent.service for j in found.judged} == {"cortex", "postal", "community"}
    told = {(j.sent.line, j.verdict.value, j.sent.service, j.object, str(j.step)) for j in found.judged if j.verdict is not Verdict.WORKS}
    rename, drop = "postal/000092_rename", "community/000091_drop"
    gone = "column public.categories.description"
    assert told == {
        (7, "breaks", "cortex", gone, "cortex/000092_label"),
        (9, "breaks", "cortex", gone, "cortex/000092_label"),
        (6, "changes", "cortex", "column public.categories.slug", "cortex/000091_slug"),
        (13, "breaks", "postal", "column public.posts.og_image", rename),
        (14, "changes", "postal", "column public.posts.og_image", rename),
        (16, "breaks", "postal", "column public.posts.og_image", rename),
        (18, "breaks", "postal", "column public.post_versions.branch", "postal/000093_versions"),
        (22, "breaks", "community", "table public.discussions", drop),
        (23, "breaks", "community", "table public.discussions", drop),
    }
    by_line = {j.sent.line: j for j in found.judged}
    assert by_line[14].message == "it gives no column og_image any more"
    assert by_line[6].message == "parameter $4 is text, was character varying"
    assert by_line[18].sqlstate == "23502" and "public.post_versions.branch" in by_line[18].message
    assert by_line[22].message == 'relation "discussions" does not exist'
    assert found.prepared >= 46 and found.seconds_preparing / found.prepared < 0.005  # a busy machine; bench measures it
    assert not found.passes


def test_without_new_steps_and_with_everything_new(tmp_path: Path) -> None:
    project = copy_platform(tmp_path)
    none = checked(project, STATEMENTS)
    assert (none.new, {j.verdict for j in none.judged}) == ((), {Verdict.WORKS})
    bad = tmp_path / "bad.sql"
    bad.write_text("SELECT nothing FROM posts;\nSELEC 1;\nSELECT $1::interval;\n")
    assert [j.verdict.value for j in checked(project, f"postal={bad}").judged] == ["failed_before", "failed_before", "works"]
    fresh = checked(project, STATEMENTS, bad, first=0)
    assert [j.verdict.value for j in fresh.judged] == ["works"] * 23 + ["breaks", "breaks", "works"]
    assert {j.step for j in fresh.judged} == {None}


def test_files(tmp_path: Path) -> None:
    file = write(tmp_path, {
        "a.sql": "\ufeff-- what they send\n-- service: postal\nSELECT id\nFROM posts;\n\n-- service: community\r\nSELECT 1;\r\nSELECT 2",
        "b.sql": "SELECT 1\nSELECT * FROM nobodys\nSELECT id FROM public.users",
        "c.sql": "-- nothing\n",
    })  # fmt: skip
    sent = read_files([str(file / "a.sql"), f"ai={file / 'b.sql'}"])
    assert [(s.service, s.text, s.line) for s in sent] == [
        ("postal", "SELECT id\nFROM posts", 3), ("community", "SELECT 1", 7), ("community", "SELECT 2", 8),
        ("ai", "SELECT 1", 1), ("ai", "SELECT * FROM nobodys", 2), ("ai", "SELECT id FROM public.users", 3),
    ]  # fmt: skip
    registry = Desk.load(copy_platform(tmp_path / "p")).project.registry
    assert [s.service for s in with_services(read_files([str(file / "b.sql")]), registry)] == ["", "", "cortex"]
    for name, message in (("c.sql", "holds no statement"), ("none.sql", "cannot be read")):
        with pytest.raises(UsageError, match=message):
            read_files([str(file / name)])


def test_a_step_that_does_not_run_is_named(tmp_path: Path) -> None:
    project = write(copy_platform(tmp_path), {"migrations/postal/000091_bad.up.sql": DOWN + "ALTER TABLE posts ADD COLUMN id text;\n"})
    with pytest.raises(Refused, match="postal/000091_bad does not run: column"):
        checked(project, STATEMENTS)
