"""Whatever step of a deployment fails: all of it can go, and by default what running programs send still runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bgce_migrate import library
from bgce_migrate.db.catalog_reader import read
from bgce_migrate.db.session import connect
from bgce_migrate.fingerprint.compare import compare
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.servers import Server
from tests.cli.program import REPOSITORY, bgce, write
from tests.deploying.conftest import applied
from tests.e2e.platform import Guarded, bootstrap, copy_platform
from tests.servers import DatabaseMaker

STATEMENTS = (REPOSITORY / "tests/plugins/client-statements.sql").read_text(encoding="utf-8").splitlines()
LOGINS = {"posts": "postal_user", "post_versions": "postal_user", "comments": "community_user", "discussions": "community_user"}

#: The next deployment of postal: what programs do not mind, what they do, and what builds on either.
NEXT = (
    ("notes", "CREATE TABLE post_notes (id bigint PRIMARY KEY, author bigint REFERENCES users (id));", "DROP TABLE post_notes;"),
    ("subtitle", "ALTER TABLE posts ADD COLUMN subtitle text;", "ALTER TABLE posts DROP COLUMN subtitle;"),
    ("score", "ALTER TABLE posts RENAME COLUMN quality_score TO score;", "ALTER TABLE posts RENAME COLUMN score TO quality_score;"),
    ("index", "CREATE INDEX idx_posts_subtitle ON posts (subtitle);", "DROP INDEX idx_posts_subtitle;"),
    ("rename", "ALTER TABLE post_versions RENAME COLUMN change_note TO note;", "ALTER TABLE post_versions RENAME COLUMN note TO change_note;"),
)
#: By the step that fails (7: the command, 8: health), what stays by default. The index came after a column had been renamed.
STAYS = {6: [], 7: [6], 8: [6, 7], 9: [6, 7], 10: [6, 7], 11: [6, 7], 12: [6, 7]}

pytestmark = pytest.mark.postgres(18)


def refused(platform: Guarded) -> list[str]:
    """Of the statements that the running services send, those that their own logins could not run now."""
    found = []
    with psycopg.connect(platform.superuser, autocommit=True) as connection:
        for number, statement in enumerate(STATEMENTS):
            table = re.findall(r'(?:INTO|FROM|UPDATE) "(\w+)"', statement)[0]
            nulls = ", ".join(["NULL"] * max(map(int, re.findall(r"\$(\d+)", statement)), default=0))
            text = f"PREPARE c{number} AS {statement.rstrip(';')}; EXPLAIN EXECUTE c{number}{f'({nulls})' if nulls else ''}"
            try:
                connection.execute(f"SET ROLE {LOGINS.get(table, 'cortex_user')}".encode())
                connection.execute(text.encode())
            except psycopg.Error as error:
                found.append(f"{statement[:40]}: {error}")
    return found


def catalog(platform: Guarded) -> Catalog:
    with connect(platform.url, "bgce_migrate") as session:
        return read(session, without=["bgce_migrate"])


@pytest.fixture
def platform(server: Server, tmp_path: Path) -> Iterator[Guarded]:
    maker = DatabaseMaker(server)
    made = bootstrap(copy_platform(tmp_path / "platform"), maker())
    assert library.up(made.project, database_url=made.url, allow_unlocked=True).failure is None
    declared = made.project / "migrations/postal/domain.toml"
    declared.write_text(declared.read_text().replace("[tables.posts]\n", "[tables.posts]\n[tables.post_notes]\n"))
    yield made
    maker.clean()


def put(platform: Guarded, failing: int) -> None:
    """The five steps as files, one of which fails behind what it is there for."""
    for version, (name, up, down) in enumerate(NEXT, 6):
        stem = f"migrations/postal/{version:06d}_{name}"
        wrong = "\nSELECT 1/0;" if version == failing else ""
        write(platform.project, {f"{stem}.up.sql": f"{up}{wrong}\n", f"{stem}.down.sql": f"{down}\n"})


def test_every_step_the_command_and_health(platform: Guarded) -> None:
    assert len(STATEMENTS) == 23 and refused(platform) == []
    before, there = catalog(platform), applied(platform.url)
    for failing, stays in STAYS.items():
        put(platform, failing)
        for undo in ("breaking", "all"):
            words = ["--health", "false", "--timeout", "0.2"] if failing == 12 else []
            line = ("deploy", "--deployment", "d1", "--domain", "postal", "--allow-unlocked", "--undo", undo, *words, "--")
            answer = bgce(*line, "false" if failing == 11 else "true", cwd=platform.project, env={"DATABASE_URL": platform.url})
            assert answer.code == (5 if failing < 11 else 1), answer.err
            kept = [f"postal/{version}" for version in stays] if undo == "breaking" else []
            assert applied(platform.url) == [*there, *kept], (failing, undo)
            assert refused(platform) == [], (failing, undo)
        assert compare(before, catalog(platform)) == (), failing


def test_they_would_not_run_had_it_stayed(platform: Guarded) -> None:
    put(platform, 0)
    line = ("deploy", "--deployment", "d1", "--domain", "postal", "--allow-unlocked", "--undo", "none", "--", "false")
    assert bgce(*line, cwd=platform.project, env={"DATABASE_URL": platform.url}).code == 1
    assert [text.split('"')[1] for text in refused(platform)] == ["posts", "posts", "post_versions"]
