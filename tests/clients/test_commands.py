"""`verify --client`, `--client-from-stats` and `lint --client` as people and machines call them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bgce_migrate import servers
from tests.cli.program import bgce, write
from tests.drift.scene import LOOKS, logged
from tests.e2e.desks import require_done, up
from tests.e2e.platform import Guarded, bootstrap, copy_platform, service
from tests.e2e.scene import as_role, query
from tests.git.repos import Site
from tests.servers import SETTINGS, DatabaseMaker, reason_missing

RENAME = {
    "migrations/postal/000091_rename.up.sql": "ALTER TABLE posts RENAME COLUMN og_image TO image;\n",
    "migrations/postal/000091_rename.down.sql": "ALTER TABLE posts RENAME COLUMN image TO og_image;\n",
}
CLIENTS = "-- service: postal\nSELECT id, og_image FROM posts WHERE slug = $1;\nSELECT id FROM tags;\nSELECT og_image, gone FROM posts;\n"
STEP = "postal/000091_rename"


@pytest.fixture
def remembering(server_root: Path, tmp_path: Path) -> Iterator[Guarded]:
    """The platform on a PostgreSQL 15 that remembers statements."""
    if reason := reason_missing(15):
        pytest.skip(reason)
    settings = {**SETTINGS, "shared_preload_libraries": "pg_stat_statements"}
    server = servers.start(server_root, provider="local", major=15, name="stats", settings=settings, fast=True)
    maker = DatabaseMaker(server)
    try:
        guarded = bootstrap(copy_platform(tmp_path / "platform"), maker())
        require_done(up(guarded.project, guarded.url))
        yield guarded
        maker.clean()
    finally:
        servers.remove(server_root, name="stats", major=15)


def test_what_the_server_remembers(remembering: Guarded, server_root: Path) -> None:
    at = ("--client-from-stats", "-d", remembering.url)
    answer = bgce("verify", *at, cwd=remembering.project)
    assert answer.code == 3 and "has no pg_stat_statements" in answer.err
    query(remembering.superuser, "CREATE SCHEMA extra; GRANT USAGE ON SCHEMA extra TO PUBLIC; CREATE EXTENSION pg_stat_statements SCHEMA extra")
    with psycopg.connect(service(remembering, "postal_user"), autocommit=True) as connection:
        for slug in ("a", "b", "c"):
            connection.execute("SELECT id, og_image FROM posts WHERE slug = %s AND created_at > now() - interval '1 day'", [slug])
        connection.execute("SELECT count(*) FROM tags WHERE slug = 'x'")
        connection.execute("SET search_path = public")
    write(remembering.project, RENAME)
    query(remembering.superuser, "CREATE ROLE blind LOGIN PASSWORD 'secret'; GRANT USAGE ON SCHEMA bgce_migrate TO blind;"
          " GRANT SELECT ON ALL TABLES IN SCHEMA bgce_migrate TO blind")  # fmt: skip
    blind = bgce("verify", "--client-from-stats", "-d", as_role(remembering.superuser, "blind"), cwd=remembering.project)
    assert blind.code == 3 and "GRANT pg_read_all_stats TO blind" in blind.err
    query(remembering.superuser, "GRANT pg_read_all_stats TO blind; ALTER ROLE blind SET log_statement = 'all'")
    with logged(server_root, "stats", 15) as said:
        seen = bgce("verify", "--client-from-stats", "-d", as_role(remembering.superuser, "blind"), cwd=remembering.project)
    assert seen.code == 1, seen.err
    assert len(said) > 5 and [text for text in said if not LOOKS.match(text)] == []
    document = bgce("verify", *at, "--json", cwd=remembering.project).document
    assert (document["schema"], document["passed"]) == ("bgce-migrate/verify/1", False)
    found = {s["statement"]: s for s in document["clients"]["statements"]}
    (broken,) = [s for s in found.values() if "og_image" in s["statement"]]
    assert (broken["service"], broken["calls"], broken["verdict"], broken["object"], broken["step"]["id"]) == (
        "postal", 3, "breaks", "column public.posts.og_image", STEP,
    )  # fmt: skip
    assert [s["verdict"] for text, s in found.items() if "FROM tags" in text] == ["works"]
    assert [left["reason"] for left in document["clients"]["left_out"]] == ["no query"]


def test_new_is_what_is_not_on_the_target_branch(tmp_path: Path) -> None:
    project = copy_platform(tmp_path / "platform")
    write(project, {"clients.sql": CLIENTS})
    site = Site(project)
    site.git("init", "-q", "-b", "main")
    site.commit("all")
    site.git("checkout", "-q", "-b", "feature")
    calm = bgce("verify", "--client", "clients.sql", cwd=project, timeout=120)
    assert calm.code == 0 and "3 statements, 0 new steps" in calm.out, calm.err
    write(project, RENAME)
    site.commit("rename")
    answer = bgce("verify", "--client", "clients.sql", cwd=project, timeout=120)
    assert answer.code == 1
    assert answer.out.splitlines()[:2] == [
        f"breaks    {STEP} breaks a statement of postal (clients.sql:2) on column public.posts.og_image:"
        ' column "og_image" does not exist: SELECT id, og_image FROM posts WHERE slug = $1',
        'failed before  a statement of postal fails (clients.sql:4): column "og_image" does not exist: SELECT og_image, gone FROM posts',
    ]
    told = bgce("lint", "--json", "--no-style", "--client", "clients.sql", cwd=project, timeout=120)
    (finding,) = [f for f in told.document["findings"] if f["rule"] == "client-statement"]
    assert told.code == 1 and finding["severity"] == "error" and finding["domain"] == "postal"
    assert finding["file"].endswith("000091_rename.up.sql") and "of postal" in finding["message"]
    assert bgce("lint", "--client", "none.sql", cwd=project).code == 2
    assert "expand" in bgce("explain", "client-statement", cwd=project).out.lower()
    servers.stop(project, name="scratch")
