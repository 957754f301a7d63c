"""What docs/reference/sql-contract.md promises to programs in other languages, asked with psql alone."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bgce_migrate import library
from bgce_migrate.desk import Desk
from bgce_migrate.servers import Server, programs
from tests.cli.program import REPOSITORY
from tests.e2e.platform import Guarded, bootstrap, copy_platform, service
from tests.e2e.scene import make_owner
from tests.servers import DatabaseMaker, as_superuser

pytestmark = pytest.mark.postgres(18, 16)

CONTRACT = (REPOSITORY / "docs" / "reference" / "sql-contract.md").read_text(encoding="utf-8")


def psql(url: str, statement: str) -> tuple[int, str, str]:
    """What psql prints, unaligned, and the SQLSTATE if it fails."""
    program = max((*programs.embedded(), *programs.local()), key=lambda p: p.major).path("psql")
    words = [program, "-X", "-At", "-v", "VERBOSITY=sqlstate", "-d", url, "-c", statement]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


@pytest.fixture(scope="module")
def platform(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The platform, guarded, with everything applied."""
    maker = DatabaseMaker(server)
    guarded = bootstrap(copy_platform(tmp_path_factory.mktemp("platform")), maker())
    report = library.up(guarded.project, database_url=guarded.url, allow_unlocked=True)
    assert report.failure is None, report.failure
    yield guarded
    maker.clean()


def test_every_login_may_ask_whether_a_version_is_ready(platform: Guarded) -> None:
    with psycopg.connect(platform.superuser, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS stranger")
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'secret'")
    stranger = service(platform, "stranger")
    assert psql(stranger, "SELECT bgce_migrate.ready('cortex', 4)") == (0, "t", "")
    assert psql(stranger, "SELECT bgce_migrate.ready('cortex', 5)") == (0, "f", "")
    assert psql(stranger, "SELECT bgce_migrate.ready('nobody', 1)") == (0, "f", "")
    for view in ("bgce_migrate.migration_state", "bgce_migrate.migration_history", "public.migration_history"):
        assert psql(stranger, f"SELECT count(*) FROM {view}")[2] == "ERROR:  42501"
    library.wait("cortex>=4", database_url=stranger, timeout=0)


def test_services_see_the_views_of_the_contract_and_no_sql(platform: Guarded) -> None:
    cortex = service(platform, "cortex_user")
    rows = [line for line in CONTRACT.splitlines() if line.startswith("| view `")]
    assert len(rows) == 2
    for row in rows:
        _, what, _, says, _ = row.split("|")
        view = re.findall(r"`([^`]+)`", what)[0]
        promised = re.findall(r"`([^`]+)`", says)
        schema, name = view.split(".")
        query = "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attnum > 0 AND attrelid"
        assert psql(cortex, f"{query} = '{schema}.{name}'::regclass") == (0, ",".join(promised), "")
        code, count, said = psql(cortex, f"SELECT count(*) FROM {view}")
        assert code == 0 and int(count) > 40, said
        assert not {"up_sql", "down_sql", "error"} & set(promised)
    assert psql(cortex, "SELECT count(*) FROM bgce_migrate.migration_history")[2] == "ERROR:  42501"
    assert psql(cortex, "SELECT applied FROM bgce_migrate.migration_state WHERE service_name = 'cortex'")[1] == "t\nt\nt\nt"


def test_every_service_reads_the_contract_and_nobody_texts_or_errors(platform: Guarded) -> None:
    logins = [s.login for d in Desk.load(platform.project).project.domains for s in d.services]
    assert len(logins) == 13
    counts = ", ".join(
        f"(SELECT count(*) FROM {view} WHERE service_name = 'cortex')"
        for view in ("bgce_migrate.migration_state", "public.migration_history")
    )
    forbidden = (
        "SELECT string_agg(DISTINCT c.relname, ',') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relnamespace = 'bgce_migrate'::regnamespace AND a.attname IN ('up_sql', 'down_sql', 'error', 'evidence')"
        " AND has_column_privilege(c.oid, a.attnum, 'SELECT')"
    )
    for login in logins:
        asked = f"SELECT {counts}, bgce_migrate.ready('cortex', 4), ({forbidden})"
        assert psql(service(platform, login), asked) == (0, "4|4|t|", ""), login


def test_the_contract_says_its_version_to_every_kind_of_login(platform: Guarded) -> None:
    said = re.search(r"this is version (\d+) of the contract", CONTRACT)
    assert said is not None
    kinds = (platform.superuser, platform.admin, platform.url, service(platform, "newsletter_user"))
    for url in kinds:
        assert psql(url, "SELECT bgce_migrate.contract()") == (0, said[1], "")
        assert psql(url, "SELECT bgce_migrate.ready('cortex', 4), bgce_migrate.ready('cortex', 99)") == (0, "t|f", "")


def test_nobody_changes_anything_through_the_contract(platform: Guarded) -> None:
    cortex = service(platform, "cortex_user")
    for view in ("bgce_migrate.migration_state", "public.migration_history"):
        refused = {psql(cortex, text)[2] for text in (
            f"INSERT INTO {view} (service_name) VALUES ('x')", f"UPDATE {view} SET name = 'x'", f"DELETE FROM {view}",
        )}  # fmt: skip
        # 55000: a view with DISTINCT is not to be written by anybody.
        assert refused <= {"ERROR:  42501", "ERROR:  55000"}
    assert psql(cortex, "CREATE OR REPLACE FUNCTION bgce_migrate.contract() RETURNS integer LANGUAGE sql AS 'SELECT 2'")[2] == "ERROR:  42501"


def test_the_loop_of_the_page_ends(platform: Guarded, tmp_path: Path) -> None:
    found = re.search(r"```sh\n(until .*)\n```", CONTRACT)
    assert found is not None
    program = max((*programs.embedded(), *programs.local()), key=lambda p: p.major).path("psql")
    env = {"PATH": f"{program.parent}:/usr/bin:/bin", "DATABASE_URL": service(platform, "postal_user")}
    subprocess.run(["sh", "-c", found[1]], env=env, cwd=tmp_path, check=True, timeout=30)


def test_before_anything_was_applied_it_is_not_yet(database: str) -> None:
    assert psql(database, "SELECT bgce_migrate.ready('cortex', 4)")[2] == "ERROR:  3F000"


def test_a_plain_database_answers_other_logins_too(database: str, tmp_path: Path) -> None:
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a (id int);\n")
    report = library.up(migrations=tmp_path, database_url=make_owner(database))
    assert report.failure is None
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'secret'")
        connection.execute("SET ROLE reader")
        row = connection.execute("SELECT bgce_migrate.ready(%s, 1)", [tmp_path.name]).fetchone()
    assert row == (True,)
