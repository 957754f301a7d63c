"""The pytest plugin in a fresh project of somebody else's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import tomli

from bgce_migrate.servers import status
from tests.cli.program import PLAIN, REPOSITORY, SHOP, write

pytest_plugins = "pytester"

TESTS = """
import psycopg
import pytest


@pytest.mark.parametrize("number", range(4))
def test_each_has_its_own(bgce_db, number):
    with psycopg.connect(bgce_db.url) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
        connection.execute("INSERT INTO users (id) VALUES (1)")


def test_a_service_has_its_declared_rights(bgce_db):
    with psycopg.connect(bgce_db.service_url("postal")) as connection:
        connection.execute("INSERT INTO posts (id) VALUES (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO users (id) VALUES (1)")


def test_a_service_that_is_none(bgce_db):
    with pytest.raises(Exception, match="there is no service 'nobody'"):
        bgce_db.service_url("nobody")


def test_a_connection_left_open(bgce_db):
    test_a_connection_left_open.kept = psycopg.connect(bgce_db.url)


def test_history_is_there(bgce_db):
    with psycopg.connect(bgce_db.url) as connection:
        query = "SELECT count(*) FROM bgce_migrate.migration_history WHERE success"
        assert connection.execute(query).fetchone() == (3,)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder of its own; pytest in it sees the plugin as if it were installed."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    return pytester


def run(project: pytest.Pytester, *words: str) -> pytest.RunResult:
    return project.run(sys.executable, "-m", "pytest", "-p", "bgce_migrate.testing", "-p", "no:cacheprovider", *words, timeout=120)


NAMES = """
import os
import pathlib
import pytest


@pytest.mark.parametrize("number", range(6))
def test_the_name(bgce_db, bgce_template, number):
    pathlib.Path(f"seen-{os.getpid()}").write_text(f"{bgce_template.name} {bgce_template.server.pid}")
"""


COLUMNS = """
import psycopg

def test_columns(bgce_db, bgce_template):
    with psycopg.connect(bgce_db.url) as connection:
        columns = connection.execute("SELECT * FROM users").description
        names = connection.execute("SELECT datname FROM pg_database WHERE datistemplate").fetchall()
    print("columns:", [c.name for c in columns], "templates:", sum("bgce" in n for n, in names))
"""


def test_a_project_with_services(project: pytest.Pytester) -> None:
    write(project.path, SHOP)
    project.makepyfile(test_rights=TESTS, test_names=NAMES, test_columns=COLUMNS)
    run(project, "-q", "test_rights.py").assert_outcomes(passed=8)
    assert [s.running for s in status(project.path)] == [False], "the server ends with the session"

    run(project, "-q", "-n", "2", "test_names.py").assert_outcomes(passed=6)
    seen = [file.read_text() for file in project.path.glob("seen-*")]
    assert len(seen) == 2 and len(set(seen)) == 1, "workers share one template and one server"
    assert [s.running for s in status(project.path)] == [False]
    assert not list((project.path / ".bgce" / "pytest-holders").glob("[0-9]*"))

    age = {
        "migrations/cortex/000003_age.up.sql": "ALTER TABLE users ADD COLUMN age integer;\n",
        "migrations/cortex/000003_age.down.sql": "ALTER TABLE users DROP COLUMN age;\n",
    }
    write(project.path, age)
    assert "columns: ['id', 'email', 'bio', 'age'] templates: 1" in run(project, "-s", "test_columns.py").stdout.str()

    write(project.path, {"migrations/postal/000001_create_posts.up.sql": "CREATE TABLE posts (id nothing);\n"})
    result = run(project, "test_columns.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["error: *postal/000001_create_posts*", "at: *000001_create_posts.up.sql:1*"])
    assert "Traceback" not in result.stdout.str() and "File " not in result.stdout.str()
    assert [s.running for s in status(project.path)] == [False]


OWNER = """
import psycopg

def test_owner(bgce_db):
    with psycopg.connect(bgce_db.url) as connection:
        connection.execute("ALTER TABLE posts ADD COLUMN x int")
        assert connection.execute("SHOW is_superuser").fetchone() == ("off",)


def test_downs(bgce_migrations_proven):
    assert len(bgce_migrations_proven) == 3
"""


def test_a_plain_folder(project: pytest.Pytester) -> None:
    write(project.path / "db", PLAIN)
    project.makeini("[pytest]\nbgce_migrations = db\n")
    project.makepyfile(OWNER)
    run(project).assert_outcomes(passed=2)
    (project.path / "db" / "2_bio.down.sql").write_text("SELECT 1;\n")
    result = run(project, "-k", "downs")
    result.assert_outcomes(errors=1, deselected=1)
    result.stdout.fnmatch_lines(["db/000002_bio: differs", "*column public.users.bio is new", "*DROP COLUMN bio;"])
    assert "Traceback" not in result.stdout.str()


def test_there_is_no_project(project: pytest.Pytester) -> None:
    project.makepyfile("def test_db(bgce_db):\n    pass\n")
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["error: there is no bgce.toml in *", "hint: *"])


def test_it_costs_nothing_where_nobody_asks(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_nothing_is_loaded():
            ours = {name for name in sys.modules if name.startswith("bgce_migrate")}
            assert ours == {"bgce_migrate", "bgce_migrate.testing"}
            assert "psycopg" not in sys.modules and "msgspec" not in sys.modules
        """
    )
    run(project).assert_outcomes(passed=1)
    assert not (project.path / ".bgce").exists()


def test_the_package_declares_the_plugin() -> None:
    project = tomli.loads(Path(REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # Under the module's own name, so that `-p bgce_migrate.testing` beside it is the same plugin.
    assert project["entry-points"]["pytest11"] == {"bgce_migrate.testing": "bgce_migrate.testing"}
    assert os.path.isfile(REPOSITORY / "bgce_migrate" / "testing" / "__init__.py")
