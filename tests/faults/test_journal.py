"""Files that run statement by statement: failures, kills and leftovers, and how the next run goes on."""

from __future__ import annotations

import signal

import pytest

from bgce_migrate.apply.journal import JournalRunner
from tests.faults import trees
from tests.faults.site import Site, only_guarded, only_plain, until

FIVE = """-- bgce: no-transaction
CREATE TABLE goods (id int PRIMARY KEY, word text);
INSERT INTO goods SELECT g, 'w' || g FROM generate_series(1, 100) g;
{third};
CREATE INDEX CONCURRENTLY goods_word_idx ON goods (word);
INSERT INTO goods VALUES (1001, 'last');
"""
BROKEN, MENDED = "ALTER TABLE goods ADD COLUMN extra no_such_type", "ALTER TABLE goods ADD COLUMN extra int"


def failed_at_three(site: Site) -> None:
    site.domain("shop", tables=["goods"])
    site.write("shop", 1, FIVE.format(third=BROKEN), "DROP TABLE goods;")
    site.bootstrap()
    done = site.run("up")
    assert done.code == 6, done.stderr
    assert "000001_step.up.sql:4" in done.stderr and "units 1 to 2 of 5 stand" in done.stderr


def require_whole(site: Site) -> None:
    assert site.applied() == ["shop/1"]
    assert site.value("SELECT count(*) FROM goods") == 101
    assert site.value("SELECT count(*) FROM bgce_migrate.journal WHERE NOT closed") == 0
    assert site.chain_faults() == ()


def test_resumes_at_the_mended_statement(site: Site) -> None:
    """P5: statement 3 of 5 fails, is mended, and the next run begins there."""
    failed_at_three(site)
    site.write("shop", 1, FIVE.format(third=MENDED), "DROP TABLE goods;")
    done = site.run("up")
    assert done.code == 0, done.stderr
    require_whole(site)


@pytest.mark.parametrize("number", [1, 2])
def test_refuses_an_edited_statement_that_is_done(site: Site, number: int) -> None:
    """P5: exit 3 when 1 or 2 was edited; `repair --forget-journal` is the way out."""
    failed_at_three(site)
    old, new = {1: ("word text", "word varchar"), 2: ("'w' ||", "'x' ||")}[number]
    site.write("shop", 1, FIVE.format(third=MENDED).replace(old, new), "DROP TABLE goods;")
    done = site.run("up")
    assert done.code == 3, done.stderr
    assert f"unit {number} is already done and was edited" in done.message
    assert "--forget-journal shop/000001" in done.stderr
    assert site.run("repair", "--forget-journal", "shop/1").code == 0
    # Now it begins at its first statement: the table must go first.
    site.query("DROP TABLE goods")
    assert site.run("up").code == 0
    require_whole(site)


@only_plain
def test_a_comment_between_done_statements_is_no_edit(site: Site) -> None:
    """P5, C1: other white space and comments are the same statement."""
    failed_at_three(site)
    text = FIVE.format(third=MENDED).replace("INSERT INTO goods SELECT", "-- fills it\nINSERT  INTO goods\nSELECT", 1)
    site.write("shop", 1, text, "DROP TABLE goods;")
    done = site.run("up")
    assert done.code == 0, done.stderr
    require_whole(site)


@only_plain
def test_failed_in_the_first_statement(site: Site) -> None:
    """F45: nothing of the file stands: exit 5, not 6."""
    site.domain("shop", tables=["goods"])
    site.write("shop", 1, FIVE.format(third=MENDED).replace("word text", "word no_such_type"), "DROP TABLE goods;")
    site.bootstrap()
    done = site.run("up")
    assert done.code == 5, done.stderr
    assert site.tables() == set()


@only_guarded
def test_cancelled_build(site: Site) -> None:
    """F48, F49: pg_cancel_backend: failed, the leftover is gone or removed by the next run; then valid, once."""
    trees.with_index(site)
    site.bootstrap()
    with site.connect() as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT 1")
        run = site.start("up")
        pid = until(lambda: site.working("CREATE INDEX"))
        until(lambda: site.query("SELECT 1 FROM pg_index WHERE NOT indisvalid"))
        site.query("SELECT pg_cancel_backend(%s)", pid)
        done = run.wait()
    assert done.code == 5, done.stderr
    assert "cancel" in done.message
    assert site.query("SELECT 1 FROM pg_index WHERE NOT indisvalid") == []
    require_built(site)


@only_guarded
def test_build_killed_with_its_client(site: Site) -> None:
    """F49, F51, L4: an invalid index is left; the next run waits for the old backend, drops it and builds again."""
    trees.with_index(site)
    site.bootstrap()
    with site.connect() as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT 1")
        run = site.start("up")
        until(lambda: site.working("CREATE INDEX"))
        until(lambda: site.query("SELECT 1 FROM pg_index WHERE NOT indisvalid"))
        run.signal(signal.SIGKILL)
        run.wait()
        until(lambda: not site.backends())
        holder.rollback()
    assert site.query("SELECT 1 FROM pg_index WHERE NOT indisvalid") == [(1,)]
    require_built(site)


def require_built(site: Site) -> None:
    done = site.run("up")
    assert done.code == 0, done.stderr
    assert site.query("SELECT indisvalid, indisready FROM pg_index WHERE indexrelid = 'goods_word_idx'::regclass") == [
        (True, True)
    ]
    assert site.applied() == ["shop/1", "shop/2", "shop/3"]
    assert site.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'goods_word_idx%'") == 1


def test_if_not_exists_over_an_invalid_index(site: Site) -> None:
    """P4, F49: IF NOT EXISTS is not satisfied by an invalid index; declared domains may not say it at all."""
    site.domain("shop", tables=["goods"])
    site.write("shop", 1, "CREATE TABLE goods (id int, word text);\nINSERT INTO goods VALUES (1), (1);", "DROP TABLE goods;")
    site.bootstrap()
    assert site.run("up").code == 0
    with pytest.raises(Exception, match="could not create unique index"):
        site.query("CREATE UNIQUE INDEX CONCURRENTLY goods_id_idx ON goods (id)")
    site.query("DELETE FROM goods WHERE ctid = (SELECT min(ctid) FROM goods)")
    site.write(
        "shop", 2, "-- bgce: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS goods_id_idx ON goods (id);",
        "DROP INDEX goods_id_idx;",
    )  # fmt: skip
    done = site.run("up")
    assert done.code == (0 if site.layout == "plain" else 2), done.stderr
    assert site.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'goods_id_idx'::regclass") == [
        (site.layout == "plain",)
    ]


@only_plain
def test_duplicates_in_a_unique_build(site: Site) -> None:
    """F50: exit 5 with how many keys are double, not their values; the invalid index is dropped."""
    site.domain("shop", tables=["goods"])
    site.write("shop", 1, "CREATE TABLE goods (mail text);\nINSERT INTO goods VALUES ('a@b.c'), ('a@b.c');", "DROP TABLE goods;")
    build = "-- bgce: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY goods_mail_idx ON goods (mail);"
    site.write("shop", 2, build, "DROP INDEX goods_mail_idx;")
    site.bootstrap()
    done = site.run("up")
    assert done.code == 5, done.stderr
    assert "could not create unique index" in done.message
    assert site.query("SELECT 1 FROM pg_index WHERE NOT indisvalid") == []
    site.query("DELETE FROM goods WHERE ctid = (SELECT min(ctid) FROM goods)")
    assert site.run("up").code == 0


@only_plain
def test_killed_between_done_and_recorded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """F51: the build is done, its record is not: the probe finds it, it is not built twice."""

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    trees.with_index(site)
    site.bootstrap()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(JournalRunner, "_done", die)
        site.up()
    built = site.value("SELECT 'goods_word_idx'::regclass::oid")
    until(lambda: not site.backends())
    report = site.up()
    assert report.exit_code == 0, report.failure
    assert site.value("SELECT 'goods_word_idx'::regclass::oid") == built
    assert site.applied() == ["shop/1", "shop/2", "shop/3"]


UNSEEN = "CREATE DATABASE {name};"


def test_a_statement_without_a_probe_killed_midway(plain: Site) -> None:
    """F52: nobody can see whether it was done: exit 6, until the author says how to look."""
    name = "made_by_a_migration"
    plain.query(f"ALTER ROLE {_login(plain)} CREATEDB")
    plain.write("core", 1, UNSEEN.format(name=name), None)
    plain.write("core", 2, "CREATE TABLE two (id int);", None)
    try:
        with plain.connect() as holder:
            # CREATE DATABASE waits for this lock on the catalog.
            holder.execute("LOCK TABLE pg_database IN SHARE MODE")
            run = plain.start("up")
            until(lambda: plain.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%' AND wait_event_type = 'Lock'"))
            run.signal(signal.SIGKILL)
            run.wait()
            until(lambda: not plain.backends())
        done = plain.run("up")
        assert done.code == 6, done.stderr
        assert "nobody can say" in done.message and "done-when" in done.stderr
        assert plain.applied() == []
        look = f"-- bgce: done-when \"SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{name}')\"\n"
        plain.write("core", 1, look + UNSEEN.format(name=name), None)
        done = plain.run("up")
        assert done.code == 0, done.stderr
        assert plain.applied() == ["core/1", "core/2"]
    finally:
        plain.query(f"DROP DATABASE IF EXISTS {name}")


def _login(site: Site) -> str:
    return site.url.split("//", 1)[1].split(":", 1)[0]


def test_a_declared_statement_without_a_probe(guarded: Site) -> None:
    """F52: in a declared domain refused before it runs (exit 2 or 3)."""
    guarded.domain("core", tables=["one"])
    guarded.write("core", 1, "-- bgce: no-transaction\nALTER SYSTEM SET work_mem = '5MB';")
    guarded.bootstrap()
    done = guarded.run("up")
    assert done.code == 2, done.stderr
    assert "after a crash nobody could see" in done.message
    assert guarded.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


@only_plain
@pytest.mark.parametrize("statement", ["REINDEX INDEX CONCURRENTLY goods_pkey", "DROP INDEX CONCURRENTLY goods_w"])
def test_other_concurrent_statements_killed(site: Site, statement: str) -> None:
    """F51, F49: REINDEX and DROP INDEX CONCURRENTLY killed midway; the next run leaves no leftover."""
    site.domain("shop", tables=["goods"])
    make = "CREATE TABLE goods (id int PRIMARY KEY, word text);\nCREATE INDEX goods_w ON goods (word);"
    site.write("shop", 1, make, "DROP TABLE goods;")
    site.bootstrap()
    assert site.run("up").code == 0
    site.write("shop", 2, f"-- bgce: no-transaction\n{statement};")
    with site.connect() as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT count(*) FROM goods")
        run = site.start("up")
        until(lambda: site.working(statement[:10]))
        until(lambda: site.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'virtualxid'"))
        run.signal(signal.SIGKILL)
        run.wait()
        until(lambda: not site.backends())
        holder.rollback()
    done = site.run("up")
    assert done.code == 0, done.stderr
    assert site.query("SELECT relname FROM pg_class WHERE relname ~ '_cc(new|old)'") == []
    assert site.query("SELECT 1 FROM pg_index WHERE NOT indisvalid") == []
    assert site.applied() == ["shop/1", "shop/2"]


def test_bookkeeping_that_refuses_is_explained(plain: Site) -> None:
    """F84, before anything ran: what the server refuses of our own is one sentence and exit 3, never a traceback."""
    trees.six_steps(plain)
    assert plain.run("up", "1").code == 0
    plain.query("ALTER TABLE bgce_migrate.migration_history OWNER TO postgres")
    done = plain.run("up")
    assert done.code == 3, done.stderr
    assert "permission denied" in done.message
