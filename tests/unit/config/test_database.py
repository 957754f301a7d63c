"""The database is the flag's, then `url_env`'s, then libpq's, then the embedded one; secrets never show."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgce_migrate.config import DatabaseChoice, load, redact, resolve, undeclared
from bgce_migrate.errors import UsageError
from tests.unit.config.tree import BGCE, repository, write

URL = "postgresql://u:p@db.example:5432/shop"
OTHER = "postgresql://u:p@other/shop"


def choose(root: Path, bgce: str = BGCE, dotenv: str | None = None, **how: object) -> DatabaseChoice:
    if dotenv is not None:
        write(root, {".env": dotenv})
    how = {"flag": None, "environment": {}} | how
    return resolve(load(repository(root, bgce=bgce)), **how)  # type: ignore[arg-type]


def test_the_flag_beats_variables(tmp_path: Path) -> None:
    choice = choose(tmp_path, flag=URL, environment={"DATABASE_URL": "", "PGHOST": "x"})
    assert (choice.kind, choice.conninfo, choice.source) == ("url", URL, "--database-url")
    assert choice.shown == "host=db.example port=5432 dbname=shop user=u"


def test_url_env_beats_libpq(tmp_path: Path) -> None:
    choice = choose(tmp_path, environment={"DATABASE_URL": URL, "PGHOST": ""})
    assert (choice.kind, choice.conninfo, choice.source) == ("url", URL, "DATABASE_URL")


def test_url_env_in_order(tmp_path: Path) -> None:
    bgce = BGCE + '[database]\nurl_env = ["FIRST", "SECOND"]\n'
    assert choose(tmp_path, bgce, environment={"SECOND": URL, "DATABASE_URL": OTHER}).source == "SECOND"
    assert choose(tmp_path, bgce, environment={"SECOND": URL, "FIRST": OTHER}).source == "FIRST"


@pytest.mark.parametrize("name", ["PGHOST", "PGSERVICE", "PGDATABASE", "PGPORT", "PGHOSTADDR"])
def test_libpq_variables_name_a_database(tmp_path: Path, name: str) -> None:
    choice = choose(tmp_path, environment={name: "x"}, terminal=True)
    assert (choice.kind, choice.conninfo, choice.source) == ("libpq", "", name)


def test_a_user_alone_names_none(tmp_path: Path) -> None:
    assert choose(tmp_path, environment={"PGUSER": "x", "PGPASSWORD": "y"}, terminal=True).kind == "embedded"


@pytest.mark.parametrize("name", ["DATABASE_URL", "PGHOST", "PGPASSWORD", "PGSERVICE"])
@pytest.mark.parametrize("value", ["", "  ", "\n"])
@pytest.mark.parametrize("embedded", [True, False])
def test_set_and_empty_is_an_error(tmp_path: Path, name: str, value: str, embedded: bool) -> None:
    with pytest.raises(UsageError, match=f"{name} is set and empty") as caught:
        choose(tmp_path, environment={name: value}, terminal=True, embedded=embedded)
    assert caught.value.exit_code == 2


def test_an_empty_flag_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--database-url is given and empty"):
        choose(tmp_path, flag="", environment={"DATABASE_URL": URL})


def test_nothing_named(tmp_path: Path) -> None:
    choice = choose(tmp_path, terminal=True)
    assert choice.kind == "embedded"
    assert "using the embedded server" in choice.notes[0]
    with pytest.raises(UsageError, match="no database is named") as caught:
        choose(tmp_path)
    assert "--embedded" in (caught.value.hint or "")
    assert choose(tmp_path, embedded=True).kind == "embedded"
    assert choose(tmp_path, embedded=True, environment={"DATABASE_URL": URL}).kind == "embedded"
    with pytest.raises(UsageError, match="name two databases"):
        choose(tmp_path, embedded=True, flag=URL)


def test_dotenv_is_read_for_the_named_variables_only(tmp_path: Path) -> None:
    dotenv = f"# x\nPGHOST=bad\nexport DATABASE_URL='{URL}' # here\nOTHER=1\n"
    assert choose(tmp_path, dotenv=dotenv).conninfo == URL
    assert choose(tmp_path, dotenv=dotenv).source == "DATABASE_URL in .env"
    assert choose(tmp_path, dotenv=dotenv, environment={"DATABASE_URL": OTHER}).conninfo == OTHER
    assert choose(tmp_path, dotenv="PGHOST=bad\n", terminal=True).kind == "embedded"
    assert choose(tmp_path, dotenv=f"DATABASE_URL={OTHER}  # note\n").conninfo == OTHER
    with pytest.raises(UsageError, match=r"DATABASE_URL in \.env is set and empty"):
        choose(tmp_path, dotenv="DATABASE_URL=\n", terminal=True)


def test_an_undeclared_tree_has_no_dotenv(tmp_path: Path) -> None:
    project = undeclared(write(tmp_path, {"a/1_x.up.sql": "SELECT 1;", ".env": f"DATABASE_URL={URL}\n"}))
    assert resolve(project, flag=None, environment={}, terminal=True).kind == "embedded"
    assert resolve(project, flag=None, environment={"DATABASE_URL": OTHER}).conninfo == OTHER


def test_environments(tmp_path: Path) -> None:
    bgce = BGCE + '[environments.production]\nurl_env = "PROD_URL"\n'
    both = {"DATABASE_URL": OTHER, "PROD_URL": URL, "PGHOST": "x"}
    assert choose(tmp_path, bgce, environment=both, env_name="production").conninfo == URL
    with pytest.raises(UsageError, match="environment production has no database: PROD_URL is not set"):
        choose(tmp_path, bgce, environment={"PGHOST": "x"}, env_name="production", terminal=True)
    with pytest.raises(UsageError, match="no environment 'prodution'") as caught:
        choose(tmp_path, bgce, env_name="prodution")
    assert caught.value.hint == "did you mean 'production'?"


def test_golang_migrate_urls(tmp_path: Path) -> None:
    url = "postgres://u:p%40ss@h:5432/d?sslmode=disable&x-migrations-table=t&x-multi-statement=true"
    choice = choose(tmp_path, flag=url)
    assert choice.conninfo == "postgres://u:p%40ss@h:5432/d?sslmode=disable"
    assert [n.partition(" is")[0] for n in choice.notes] == [
        "parameter x-migrations-table",
        "parameter x-multi-statement",
    ]
    assert choose(tmp_path, flag="pgx5://u@h/d?x-a=1").conninfo == "postgresql://u@h/d"


SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "conninfo",
    [
        f"postgres://u:{SECRET}@h:5432/d",
        f"postgres://u:{SECRET}@h/d?password={SECRET}&sslpassword={SECRET}&options=-c%20x={SECRET}",
        f"postgres://u:12/{SECRET}@h/d",
        f"postgres://u:1@{SECRET}@h/d",
        f"postgres://u:1?{SECRET}@h/d",
        f"postgres://u:1#{SECRET}@h/d",
        f"postgres://u:%zz{SECRET}@h/d",
        f"postgres://u:{SECRET}@h:port/d",
        f"postgres://u:{SECRET}@[::1/d",
        f"mysql://u:{SECRET}@h/d",
        f"u:{SECRET}@h/d",
        f"postgres:/u:{SECRET}@h/d",
        f"host=h password={SECRET} user=u",
        f"host=h password='a {SECRET}' user=u",
        f"host=h password='{SECRET}",
        f"host=h password=a {SECRET}",
        f"host=h dbname=postgres://u:{SECRET}@h/d",
        f"host=h dbname='password={SECRET} host=x'",
        f"postgres://u:{SECRET}@h/d?x={SECRET}\n",
        f"postgres://u:{SECRET}@h/d?{SECRET}",
        f"postgres://u:{SECRET}@h/d?x-{SECRET[:0]}password={SECRET}",
    ],
)
def test_passwords_never_show(tmp_path: Path, conninfo: str) -> None:
    assert SECRET not in redact(conninfo)
    try:
        choice = choose(tmp_path, flag=conninfo)
    except UsageError as error:
        assert SECRET not in f"{error} {error.hint}"
    else:
        assert SECRET not in f"{choice.shown} {choice.notes}"


@pytest.mark.parametrize(
    ("conninfo", "shown"),
    [
        (URL, "host=db.example port=5432 dbname=shop user=u"),
        ("postgres://u@h1:1,h2:2/d", "host=h1,h2 port=1,2 dbname=d user=u"),
        ("postgres://u:p@[::1]:5/d", "host=[::1] port=5 dbname=d user=u"),
        ("postgres:///d?host=/run/pg&user=me%40x", "host=/run/pg dbname=d user=me@x"),
        ("host=/tmp dbname=d user = 'a b'", "host=/tmp dbname=d user=?"),
        ("service=x", "(libpq's defaults)"),
        ("postgres://", "(libpq's defaults)"),
    ],
)
def test_what_shows(conninfo: str, shown: str) -> None:
    assert redact(conninfo) == shown


@given(
    prefix=st.text(alphabet="ab1:/@?#%&='\\ ", max_size=6),
    suffix=st.text(alphabet="ab1:/@?#%&='\\ ", max_size=6),
)
def test_no_spelling_of_a_password_shows_it(prefix: str, suffix: str) -> None:
    for shape in ("postgres://u:{}@h:1/d", "postgres://h/d?password={}", "host=h password={} user=u"):
        assert SECRET not in redact(shape.format(prefix + SECRET + suffix))
