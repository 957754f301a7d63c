"""`adopt --generate`: what it writes replays to what is there, or nothing is written and it says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgce_migrate.cli import execute
from tests.adopt.scene import FILES, call, fingerprint, run_sql
from tests.e2e.scene import write
from tests.servers import as_superuser

pytestmark = pytest.mark.usefixtures("here")

EVERYTHING = (Path(__file__).parent / "everything.sql").read_text()
#: What no writer here writes, with how it is named.
UNWRITABLE = {
    "CREATE TYPE span AS RANGE (subtype = float8)": "type public.span is gone",
    "CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer)": "aggregate public.total(integer) is gone",
    "CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer)": "operator public.=== (integer, integer) is gone",
    "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE far (i integer) SERVER s": "foreign table public.far is gone",
}
TWO = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE SCHEMA billing;
CREATE TABLE users (id bigint PRIMARY KEY, email text, password_hash text);
CREATE TABLE user_notes (id bigint PRIMARY KEY, user_id bigint REFERENCES users);
CREATE TABLE blog_posts (id bigint PRIMARY KEY, author bigint CONSTRAINT fk_author REFERENCES users);
CREATE TABLE billing.bills (id bigint PRIMARY KEY, user_id bigint REFERENCES users);
CREATE VIEW billing.unpaid AS SELECT b.id, u.email FROM billing.bills b JOIN users u ON u.id = b.user_id;
CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER t BEFORE UPDATE ON blog_posts FOR EACH ROW EXECUTE FUNCTION touch();
"""


@pytest.mark.postgres(18, 16)
def test_everything_a_domain_can_have(here: Path, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_sql(database, EVERYTHING)
    before = fingerprint(database)
    out = here / f"everything_{database.rpartition('/')[2][:20]}"
    code, document, said = call(capsys, "adopt", "--generate", "--yes", "--into", str(out), "-d", database)
    assert (code, document.get("differences")) == (0, []), (document, said)
    assert len(list(out.rglob("*.up.sql"))) == len(list(out.rglob("*.down.sql"))) == 37
    assert (out / "bgce.lock").is_file()
    code, document, _ = call(capsys, "adopt", "-d", database, "--migrations", str(out / "migrations"))
    assert (code, document["equal"], len(document["found"])) == (0, True, 37)
    assert fingerprint(database) == before


@pytest.mark.parametrize("number", range(len(UNWRITABLE)))
@pytest.mark.postgres(18)
def test_what_cannot_be_written_is_said_and_nothing_is_left(
    number: int, here: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statement, told = list(UNWRITABLE.items())[number]
    run_sql(as_superuser(database) if "FOREIGN" in statement else database, "CREATE TABLE t (i integer)", statement)
    out = here / "never"
    code, document, _ = call(capsys, "adopt", "--generate", "--yes", "--into", str(out), "-d", database)
    assert (code, document["generated"]) == (3, False)
    assert told in [d["text"].replace("is new", "is gone") for d in document["differences"]]
    assert "nothing was written" in document["error"]["hint"]
    assert not out.exists()


@pytest.mark.postgres(18)
def test_tables_are_assigned_each_with_its_reason(here: Path, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_sql(database, TWO)
    given = ["adopt", "--generate", "-d", database, "--assign", "users=core", "--assign", "blog_*=blog"]
    code, document, said = call(capsys, *given, "--into", str(here / "unasked"))
    assert (code, document["generated"]) == (0, False)
    assert not (here / "unasked").exists()
    assert "to write them: --yes" in said

    out = here / "assigned"
    code, document, said = call(capsys, *given, "--into", str(out), "--yes")
    assert (code, document.get("equal")) == (0, True), (document, said)
    assert {row["table"]: (row["domain"], row["reason"]) for row in document["tables"]} == {
        "public.users": ("core", "said: users=core"),
        "public.user_notes": ("core", "its key leads to users"),
        "public.blog_posts": ("blog", "said: blog_*=blog"),
        "billing.bills": ("billing", "schema billing"),
    }
    assert {d["name"]: (d["schema"], d["requires"]) for d in document["domains"]} == {
        "core": ("public", []), "billing": ("billing", ["core"]), "blog": ("public", ["core"]),
    }  # fmt: skip
    blog = next((out / "migrations" / "blog").glob("*blog_posts*.up.sql")).read_text()
    assert "CONSTRAINT fk_author FOREIGN KEY (author) REFERENCES users(id)" in blog
    core = (out / "migrations" / "core" / "domain.toml").read_text()
    assert 'functions = { touch = "shared" }' in core and 'password_hash = "secret"' in core and 'email = "contact"' in core
    assert [p.name for p in (out / "migrations" / "billing").glob("*_view.up.sql")] == ["000002_create_unpaid_view.up.sql"]


@pytest.mark.postgres(18)
def test_keys_that_lead_both_ways_between_domains(here: Path, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_sql(
        database, "CREATE TABLE a (id bigint PRIMARY KEY, b bigint)",
        "CREATE TABLE b (id bigint PRIMARY KEY, a bigint REFERENCES a)", "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b",
    )  # fmt: skip
    given = ["adopt", "--generate", "--yes", "-d", database, "--into", str(here / "both")]
    code, document, _ = call(capsys, *given, "--assign", "a=one", "--assign", "b=two")
    assert (code, document["error"]["message"]) == (3, "domains would need each other in a circle: one -> two -> one")
    code, document, _ = call(capsys, *given)
    assert (code, document["domains"][0]["migrations"]) == (0, ["create_a_table", "create_b_table", "add_a_keys"])


@pytest.mark.postgres(18)
def test_into_declared_folders_that_have_no_migrations_yet(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write(tmp_path / "p", {
        "bgce.toml": '[project]\nname = "p"\ndomains = ["services/*/db"]\n',
        "services/shop/db/domain.toml": 'name = "shop"\n[tables.people]\n[tables.orders]\n',
    })  # fmt: skip
    run_sql(database, *(up for up, _ in FILES.values()), "CREATE TABLE nobodys (i integer)")
    monkeypatch.chdir(project)
    code, document, said = call(capsys, "adopt", "--generate", "--yes", "-d", database)
    assert (code, document["error"]["message"]) == (3, "1 table belongs to no domain of this project: public.nobodys")
    code, document, said = call(capsys, "adopt", "--generate", "--yes", "--except", "public.nobodys", "-d", database)
    assert (code, document.get("equal")) == (0, True), (document, said)
    assert sorted(p.name for p in (project / "services/shop/db").iterdir()) == [
        "000001_create_people_table.down.sql", "000001_create_people_table.up.sql",
        "000002_create_orders_table.down.sql", "000002_create_orders_table.up.sql", "domain.toml",
    ]  # fmt: skip
    code, document, _ = call(capsys, "adopt", "--generate", "--yes", "-d", database)
    assert code == 2 and "shop has migrations already" in document["error"]["message"]


def test_extensions_are_the_administrators(here: Path, database15: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_sql(as_superuser(database15), "CREATE EXTENSION citext", "CREATE EXTENSION pg_trgm", "CREATE SCHEMA more AUTHORIZATION tests_login")
    run_sql(
        database15, "CREATE TABLE people (id bigint PRIMARY KEY, name citext, alias citext[] DEFAULT '{}')",
        "CREATE INDEX people_name ON people USING gin ((name::text) gin_trgm_ops)", "CREATE TABLE more.pets (id bigint, kind citext)",
    )  # fmt: skip
    out = here / "extended"
    code, document, said = call(capsys, "adopt", "--generate", "--yes", "--into", str(out), "-d", database15)
    assert (code, document.get("equal"), document.get("extensions")) == (0, True, ["citext", "pg_trgm"]), (document, said)
    assert 'extensions = ["citext", "pg_trgm"]' in (out / "bgce.toml").read_text()
    assert "gin (((name)::text) gin_trgm_ops)" in next(out.rglob("*people*.up.sql")).read_text()


@pytest.mark.postgres(18)
def test_what_a_person_reads(here: Path, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_sql(database, *(up for up, _ in FILES.values()))
    out = here / "readable"
    assert execute(["adopt", "--generate", "--yes", "--into", str(out), "--assign", "*=shop", "-d", database]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "shop: 2 migrations, 2 tables", "  public.orders: said: *=shop", "  public.people: said: *=shop",
        "7 files written; a replay of them equals the live catalog",
        "look at them, then record them as applied: bgce-migrate adopt --yes",
    ]  # fmt: skip
    assert next(out.rglob("*orders*.up.sql")).read_text() == (
        "CREATE TABLE orders (\n    id BIGINT GENERATED BY DEFAULT AS IDENTITY,\n    person_id BIGINT NOT NULL,\n"
        "    total NUMERIC(10,2) NOT NULL DEFAULT 0,\n    note TEXT,\n    CONSTRAINT orders_pkey PRIMARY KEY (id),\n"
        "    CONSTRAINT orders_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id)\n);\n\n"
        "CREATE INDEX orders_person ON orders (person_id);\n"
    )
    given = ["-d", database, "--migrations", str(out / "migrations")]
    assert execute(["adopt", *given]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "shop: 2 migrations to record: its tables are there, and no version table is known to speak of it",
        "a replay equals the live catalog; to record 2 migrations as applied: --yes",
    ]
    assert execute(["adopt", "--yes", *given]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 migrations recorded as applied; nothing else was changed"
    assert execute(["adopt", "--yes", *given]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing to record: history has it all"
