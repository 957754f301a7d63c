"""What only undone steps needed of other owners' objects goes with them; what anything else needs stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from bgce_migrate.db.catalog_reader import read as read_catalog
from bgce_migrate.db.session import connect
from bgce_migrate.fingerprint.compare import compare
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.migration import MigrationId
from bgce_migrate.outcome import RunReport
from bgce_migrate.servers import Server
from tests.cli.program import bgce
from tests.e2e import desks
from tests.e2e.desks import require_done
from tests.e2e.platform import Guarded, bootstrap
from tests.e2e.scene import PASSWORD, query, write
from tests.proxy import Proxy

CLUB = {
    "bgce.toml": '[project]\nname = "club"\ndomains = ["store", "club", "fans"]\n[database]\nmode = "MODE"\n',
    "store/domain.toml": 'name = "store"\nschema = "store"\n[tables.goods]\n[tables.buyers.columns]\nemail = "contact"\n',
    "store/000001_goods.up.sql": (
        "CREATE TABLE store.goods (id int PRIMARY KEY, name text);\n"
        "CREATE TABLE store.buyers (id int PRIMARY KEY, name text, email text);\n"
    ),
    "store/000001_goods.down.sql": "DROP TABLE store.buyers;\nDROP TABLE store.goods;\n",
    "club/domain.toml": 'name = "club"\nrequires = ["store"]\n[tables.members]\n',
    "club/000001_members.up.sql": "CREATE TABLE members (id int PRIMARY KEY);\n",
    "club/000001_members.down.sql": "DROP TABLE members;\n",
    "club/000002_prize.up.sql": "ALTER TABLE members ADD COLUMN prize int REFERENCES store.goods (id);\n",
    "club/000002_prize.down.sql": "ALTER TABLE members DROP COLUMN prize;\n",
    "club/000003_second.up.sql": "ALTER TABLE members ADD COLUMN second int REFERENCES store.goods (id);\n",
    "club/000003_second.down.sql": "ALTER TABLE members DROP COLUMN second;\n",
    "club/000004_names.up.sql": "CREATE VIEW names AS SELECT b.name FROM store.buyers b JOIN members m ON m.id = b.id;\n",
    "club/000004_names.down.sql": "DROP VIEW names;\n",
    "club/000005_plain.up.sql": "ALTER TABLE members ADD COLUMN since date;\n",
    "club/000005_plain.down.sql": "ALTER TABLE members DROP COLUMN since;\n",
    "fans/domain.toml": (
        'name = "fans"\nrequires = ["store"]\n[tables.cheers]\n[[services]]\nname = "fans"\nlogin = "fans_user"\nreads = ["store:goods"]\n'
    ),
    "fans/000001_cheers.up.sql": "CREATE TABLE cheers (id int PRIMARY KEY);\n",
    "fans/000001_cheers.down.sql": "DROP TABLE cheers;\n",
    "fans/000002_view.up.sql": "CREATE VIEW cheered AS SELECT g.name FROM store.goods g JOIN cheers USING (id);\n",
    "fans/000002_view.down.sql": "DROP VIEW cheered;\n",
}


@pytest.fixture(params=["role", "login"])
def club(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Guarded:
    return bootstrap(write(tmp_path, {name: text.replace("MODE", request.param) for name, text in CLUB.items()}), database)


def up(club: Guarded, to: str) -> Catalog:
    """Applies up to a version; the whole catalog then."""
    domain, _, version = to.partition("/")
    require_done(desks.up(club.project, club.url, passwords=club.passwords, to=MigrationId(domain, int(version))))
    return catalog(club)


def catalog(club: Guarded) -> Catalog:
    with connect(club.url, "bgce_migrate") as session:
        return read_catalog(session, without=["bgce_migrate"])


def down(club: Guarded, to: str, url: str | None = None) -> RunReport:
    domain, _, version = to.partition("/")
    goal = MigrationId(domain, int(version))
    report = require_done(desks.down(club.project, url or club.url, passwords=club.passwords, to=goal))
    assert report.warnings == ()
    return report


def rights(club: Guarded) -> list[tuple[object, ...]]:
    """What the owner of club has of the store's schema and tables."""
    return query(club.superuser, (
        "SELECT n.nspname, 'USAGE' FROM pg_namespace n WHERE n.nspname = 'store' AND has_schema_privilege('club_owner', 'store', 'USAGE')"
        " UNION ALL SELECT c.relname || '.' || a.attname, p FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0,"
        " unnest(ARRAY['SELECT', 'REFERENCES']) p WHERE c.relnamespace = 'store'::regnamespace AND c.relkind = 'r'"
        " AND has_column_privilege('club_owner', c.oid, a.attnum, p) ORDER BY 1, 2"
    ))  # fmt: skip


pytestmark = pytest.mark.postgres(18, 15)

PASSWORDS = {f"BGCE_PASSWORD_{name}": PASSWORD for name in ("STORE", "CLUB", "FANS")}
KEY = [("goods.id", "REFERENCES"), ("goods.id", "SELECT"), ("store", "USAGE")]


def test_each_step_back_is_the_database_of_before(club: Guarded) -> None:
    for first in ("store/1", "fans/1", "club/1"):
        up(club, first)
    assert bgce("grants", "apply", "-d", club.url, cwd=club.project, env=PASSWORDS).code == 0
    before = [up(club, f"club/{n}") for n in (1, 2, 3, 4)]
    assert rights(club) == [("buyers.id", "SELECT"), ("buyers.name", "SELECT"), *KEY]
    for n, kept in ((3, KEY), (2, KEY), (1, [])):
        down(club, f"club/{n}")
        assert rights(club) == kept
        assert compare(before[n - 1], catalog(club)) == ()
        check(club)
    up(club, "club/4")
    down(club, "club/1")
    assert compare(before[0], catalog(club)) == ()


def check(club: Guarded) -> None:
    answer = bgce("grants", "check", "-d", club.url, cwd=club.project, env=PASSWORDS)
    assert answer.code == 0, answer.out


def test_what_a_person_or_a_declaration_gave_stays(club: Guarded) -> None:
    up(club, "club/2")
    query(club.superuser, "GRANT SELECT (name) ON store.goods TO club_owner; GRANT SELECT ON store.buyers TO club_owner")
    before = up(club, "fans/1")
    up(club, "fans/2")
    down(club, "fans/1")
    assert compare(before, catalog(club)) == ()
    down(club, "club/1")
    assert ("goods.id", "REFERENCES") not in rights(club)
    assert {("goods.name", "SELECT"), ("buyers.email", "SELECT")} <= set(rights(club))


def test_goto_and_a_down_of_everything(club: Guarded) -> None:
    before = catalog(club)
    up(club, "club/4")
    answer = bgce("goto", "1", "--domain", "club", "--yes", "-d", club.url, cwd=club.project, env=PASSWORDS)
    assert answer.code == 0, answer.err
    assert rights(club) == []
    up(club, "club/4")
    require_done(desks.down(club.project, club.url, passwords=club.passwords, everything=True))
    assert compare(before, catalog(club)) == ()


def test_a_deployment_whose_first_step_fails_leaves_no_right(club: Guarded) -> None:
    before = up(club, "club/1")
    file = club.project / "club/000002_prize.up.sql"
    file.write_text(file.read_text() + "SELECT 1/0;\n")
    env = {**PASSWORDS, "DATABASE_URL": club.url}
    words = ("deploy", "--deployment", "d", "--domain", "club", "--allow-unlocked", "--undo", "all", "--", "true")
    assert bgce(*words, cwd=club.project, env=env).code == 5
    assert compare(before, catalog(club)) == ()


def test_two_round_trips_and_none_where_nothing_is_to_be_taken(club: Guarded, server: Server) -> None:
    up(club, "club/5")
    counted: list[int] = []
    with Proxy(server.host, server.port) as proxy:
        through = make_conninfo(club.url, host="127.0.0.1", port=proxy.port)

        def count(call: Callable[[], object]) -> None:
            before = proxy.round_trips
            call()
            counted.append(proxy.round_trips - before)

        down(club, "club/3", through)
        count(lambda: down(club, "club/2", through))  # another step needs the same: nobody looks
        count(lambda: down(club, "club/1", through))  # a look, and what is taken; in mode login by another login
    took = counted[1] - counted[0]
    assert took == 2 if not club.passwords.get("store_migrator") else took < 8, counted
