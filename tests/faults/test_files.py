"""Files and plans: bytes that are no SQL, sizes, versions that clash or come late, edits, clocks."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate.errors import Refused
from bgce_migrate.servers import programs
from tests.faults.conftest import MakeSite
from tests.faults.site import Site, only_guarded, only_plain
from tests.zygote import Finished

REPOSITORY = Path(__file__).resolve().parents[2]


def run_one(site: Site, up: str | bytes, down: str | None = "SELECT 1;\n") -> Finished:
    site.domain("core", tables=["one"])
    site.bootstrap()
    site.write("core", 1, up, down)
    return site.run("up")


BAD_BYTES = {
    "NUL": (b"CREATE TABLE one (id int);\n-- \0\n", "NUL"),
    "UTF-16": ("CREATE TABLE one (id int);".encode("utf-16"), "UTF-8"),
    "invalid UTF-8": (b"CREATE TABLE one (id int); -- \xff\n", "UTF-8"),
    "Latin-1": ("CREATE TABLE one (id int); -- Größe\n".encode("latin-1"), "UTF-8"),
    "meta-command": (b"\\connect other\nCREATE TABLE one (id int);\n", "psql"),
    "restrict": (b"\\restrict abc\nCREATE TABLE one (id int);\n\\unrestrict abc\n", "psql"),
    "copy data": (b"CREATE TABLE one (id int);\nCOPY one FROM stdin;\n1\n2\n\\.\n", ""),
    "quote": (b"CREATE TABLE one (id int DEFAULT 'x);\n", "unterminated"),
    "comment": (b"CREATE TABLE one (id int); /* and on\n", "unterminated"),
    "dollar quote": (b"CREATE TABLE one (id int);\nDO $x$ BEGIN NULL; END $y$;\n", "unterminated"),
    "no-break space": ("CREATE TABLE\u00a0one (id int);\n".encode(), ""),
    "bidirectional": ("CREATE TABLE one (id int); -- \u202e)\n".encode(), "U+202E"),
}


@pytest.mark.postgres(18)
@pytest.mark.parametrize("name", BAD_BYTES)
def test_files_that_are_no_sql(site: Site, name: str) -> None:
    """F61, F62, F64, F65, F67: exit 2 (a declared file) with the file's place; nothing is changed."""
    text, words = BAD_BYTES[name]
    if site.layout == "plain" and name == "no-break space":
        # Undeclared folders run as they are; PostgreSQL has its own view of such characters.
        site.write("core", 1, text)
        assert site.run("up").code in (0, 2, 5)
        return
    done = run_one(site, text)
    assert done.code == 2, done.stderr
    assert "000001_step.up.sql" in done.stderr
    assert words.lower() in done.stderr.lower(), done.stderr
    assert site.tables() == set()


def test_byte_order_mark_and_line_ends(site: Site) -> None:
    """F62, F63, C1: BOM and CRLF are no part of the text; either spelling is the same migration."""
    done = run_one(site, b"\xef\xbb\xbfCREATE TABLE one (\r\n  id int\r\n);\r\n")
    assert done.code == 0, done.stderr
    site.write("core", 1, b"CREATE TABLE one (\n  id int\n);\n")
    assert (site.run("up").code, site.tables()) == (0, {"one"})


BODIES = r"""CREATE TABLE one (id int, word text DEFAULT 'a;b', "odd;name" text DEFAULT E'it''s \' ; x');
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $a$ BEGIN EXECUTE $b$ SELECT 1; $b$; RETURN 1; END $a$;
CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
/* outer /* inner ; */ still ; */ INSERT INTO one VALUES (1, $$;$$);
CREATE FUNCTION h(int) RETURNS int LANGUAGE sql AS 'SELECT $1; SELECT 2';
-- the end; really
CREATE VIEW v AS SELECT $tag$ $1 ; $tag$::text AS t
"""


@only_plain
def test_split_as_psql_does(site: Site, make_site: MakeSite) -> None:
    """F66, P11: quotes, bodies and comments are cut as psql cuts them: the same catalog."""
    done = run_one(site, BODIES)
    assert done.code == 0, done.stderr
    other = make_site(site.layout)
    other.domain("core", tables=["one"])
    other.write("core", 1, "SELECT 1;")
    other.bootstrap()
    known = conninfo_to_dict(other.superuser)
    role = "SET ROLE core_owner;\n" if site.layout == "guarded" else "SET ROLE plain_login;\n"
    subprocess.run(
        [programs.find(site.server.provider, site.server.major).path("psql"), "-qX", "-v", "ON_ERROR_STOP=1",
         "-h", str(known["host"]), "-p", str(known["port"]), "-U", "postgres", str(known["dbname"])],
        input=(role + BODIES).encode(), env={**os.environ, "PGPASSWORD": str(known["password"])}, check=True,
    )  # fmt: skip
    assert other.catalog() == site.catalog()


@pytest.mark.postgres(18)
def test_a_file_that_is_too_large(plain: Site) -> None:
    """F30, F68: over 16 MiB: refused in under a second, whatever is in it, with little memory."""
    plain.write("core", 1, b"SELECT 1;\n" * (17 * 1024 * 1024 // 10))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    with pytest.raises(Exception, match="a migration may have 16") as caught:
        plain.up()
    assert time.monotonic() - began < 1.0
    assert getattr(caught.value, "exit_code", None) == 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150 * 1024


@pytest.mark.postgres(18)
def test_read_only_folder(plain: Site) -> None:
    """F31: nothing is written beside the migrations; a report that cannot be written is exit 2 before anything."""
    plain.write("core", 1, "CREATE TABLE one (id int);")
    done = plain.run("up", "--report", "/proc/no/receipt.json")
    assert done.code == 2, done.stderr
    assert plain.tables() == set()
    before = sorted(str(p) for p in plain.root.rglob("*"))
    assert plain.run("up").code == 0
    assert sorted(str(p) for p in plain.root.rglob("*")) == before


@pytest.mark.postgres(18)
def test_two_files_of_one_version(site: Site) -> None:
    """F69, O8: exit 2, naming both."""
    site.domain("core", tables=["one"])
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;", name="one")
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;", name="uno")
    done = site.run("up")
    assert done.code == 2, done.stderr
    assert "000001_one.up.sql" in done.stderr and "000001_uno.up.sql" in done.stderr


@pytest.mark.postgres(18)
def test_names_that_differ_in_case_only(plain: Site) -> None:
    """F76: two files of one version are two, however they are spelled (exit 2)."""
    plain.write("core", 1, "CREATE TABLE one (id int);", None, name="Make")
    plain.write("core", 1, "CREATE TABLE one (id int);", None, name="make")
    assert plain.run("up").code == 2
    for n, accent in enumerate(("e\u0301", "\u00e9")):
        plain.write("other", 1, f"CREATE TABLE t{n} (id int);", None, name=accent)
    assert plain.run("up").code == 2


@only_plain
def test_a_late_lower_version(site: Site) -> None:
    """F70, O1, O14: planned like any other, never skipped."""
    site.domain("core", tables=["one", "two", "five"])
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    site.write("core", 5, "CREATE TABLE five (id int);", "DROP TABLE five;")
    site.bootstrap()
    assert site.run("up").code == 0
    site.write("core", 2, "CREATE TABLE two (id int);", "DROP TABLE two;")
    done = site.run("up")
    assert (done.code, done.steps) == (0, {"core/2": "applied"})
    assert site.applied() == ["core/1", "core/5", "core/2"]
    # O2: what came last goes first, not the highest number.
    assert site.run("down", "1", "--yes").steps == {"core/2": "applied"}
    assert site.tables() == {"one", "five"}
    # O14: a down is only downs, though core/2 is pending again.
    assert site.run("down", "1", "--yes").steps == {"core/5": "applied"}


def test_an_applied_file_is_edited(site: Site) -> None:
    """F71, C2: one changed literal: exit 3 with both checksums; nothing is run, other pending files neither."""
    done = run_one(site, "CREATE TABLE one (id int DEFAULT 1);", "DROP TABLE one;")
    assert done.code == 0, done.stderr
    site.write("core", 1, "CREATE TABLE one (id int DEFAULT 2);", "DROP TABLE one;")
    site.write("core", 2, "SELECT 1;")
    done = site.run("up")
    assert done.code == 3, done.stderr
    assert done.stderr.count("v1:") >= 2
    assert site.applied() == ["core/1"]


@pytest.mark.postgres(18)
def test_edits_that_change_nothing(site: Site) -> None:
    """C1: comments, white space, letter case of words and line ends: no alarm."""
    done = run_one(site, "CREATE TABLE one (id int);", "DROP TABLE one;")
    assert done.code == 0, done.stderr
    site.write("core", 1, b"-- Copyright\r\ncreate  table ONE (\r\n id INT -- key\r\n);\r\n", "DROP TABLE one;")
    done = site.run("up")
    assert done.code == 0 and done.document["result"] == "nothing_to_do", done.stderr


@pytest.mark.postgres(18)
@only_plain
def test_two_migrations_with_one_text(site: Site) -> None:
    """C4: allowed."""
    site.domain("core", tables=["one"])
    site.write("core", 1, "CREATE TABLE IF NOT EXISTS one (id int);", "DROP TABLE one;")
    site.write("core", 2, "INSERT INTO one VALUES (1);")
    site.write("core", 3, "INSERT INTO one VALUES (1);")
    site.bootstrap()
    assert site.run("up").code == 0
    assert site.value("SELECT count(*) FROM one") == 2


@only_guarded
def test_an_applied_file_is_missing(site: Site) -> None:
    """F72, O7: told, not an error; `down` takes the text that history keeps; put back it is the same migration."""
    site.domain("core", tables=["one", "two"])
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    path = site.write("core", 2, "CREATE TABLE two (id int);", "DROP TABLE two;")
    site.bootstrap()
    assert site.run("up").code == 0
    up, down = path, path.with_name(path.name.replace(".up.", ".down."))
    kept = up.read_text(), down.read_text()
    up.unlink()
    down.unlink()
    done = site.run("up")
    assert done.code == 0 and "its file is gone" in str(done.document), done.stderr
    states = {m["version"]: m["state"] for m in site.run("status").document["migrations"]}
    assert states == {1: "applied", 2: "missing"}
    up.write_text(kept[0])
    down.write_text(kept[1])
    assert site.run("up").document["result"] == "nothing_to_do"
    up.unlink()
    down.unlink()
    done = site.run("down", "1", "--yes")
    assert done.code == 0, done.stderr
    assert site.tables() == {"one"}


def test_a_domain_is_missing(plain: Site) -> None:
    """F72, O7, O15: another service's rows are none of our business; its folder back, all is as before."""
    plain.write("core", 1, "CREATE TABLE one (id int PRIMARY KEY);", "DROP TABLE one;")
    plain.write("shop", 1, "CREATE TABLE two (id int REFERENCES one (id));", "DROP TABLE two;")
    assert plain.run("up").code == 0
    shutil.move(plain.folder / "core", plain.root / "aside")
    plain.write("shop", 2, "CREATE TABLE three (id int);", "DROP TABLE three;")
    done = plain.run("up")
    assert (done.code, done.steps) == (0, {"shop/2": "applied"})
    shutil.move(plain.root / "aside", plain.folder / "core")
    assert plain.run("up").document["result"] == "nothing_to_do"
    # O6: the foundation of another domain's table is not undone from under it.
    done = plain.run("down", "--to", "core/0", "--yes")
    assert done.code == 3 and "shop/000001" in done.stderr, done.stderr
    assert plain.run("down", "--to", "core/0", "--cascade", "--yes").code == 0
    assert "one" not in plain.tables()


@pytest.mark.postgres(18)
def test_a_circle(guarded: Site) -> None:
    """F73, O11: through three domains; the whole path is printed; nothing runs."""
    for name, needs in (("aaa", "ccc"), ("bbb", "aaa"), ("ccc", "bbb")):
        guarded.domain(name, tables=[f"{name}_t"])
        key = f"CREATE TABLE {name}_t (id int PRIMARY KEY, other int REFERENCES {needs}_t (id));"
        guarded.write(name, 1, key, f"DROP TABLE {name}_t;")
    guarded.bootstrap()
    for name, needs in (("aaa", "ccc"), ("bbb", "aaa"), ("ccc", "bbb")):
        guarded.domain(name, tables=[f"{name}_t"], requires=[needs])
    done = guarded.run("up")
    assert done.code in (2, 3), done.stderr
    assert all(name in done.stderr for name in ("aaa", "bbb", "ccc"))
    assert guarded.tables() == set()


@pytest.mark.postgres(18)
@pytest.mark.parametrize("needs", ["core/000009", "nowhere/000001", "shop/000001"])
def test_a_missing_dependency(site: Site, needs: str) -> None:
    """F73, O4, O5: a version that is not there, a domain that is not there, itself: named, nothing runs."""
    site.domain("core", tables=["one"])
    site.domain("shop", tables=["two"], requires=["core"])
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    site.write("shop", 1, f"-- bgce: requires {needs}\nCREATE TABLE two (id int);", "DROP TABLE two;")
    site.bootstrap()
    done = site.run("up")
    assert done.code in (2, 3), done.stderr
    assert needs in done.stderr and "shop/000001" in done.stderr
    assert site.tables() == set()


@pytest.mark.postgres(18)
def test_the_plan_has_moved(site: Site) -> None:
    """F74: a file changes between `plan` and `up --expect`: exit 3, nothing runs."""
    site.domain("core", tables=["one"])
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    site.bootstrap()
    fingerprint = site.run("plan").document["fingerprint"]
    site.write("core", 1, "CREATE TABLE one (id bigint);", "DROP TABLE one;")
    done = site.run("up", "--expect", fingerprint)
    assert done.code == 3 and fingerprint in done.message, done.stderr
    assert site.tables() == set()
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    assert site.run("up", "--expect", fingerprint).code == 0


@pytest.mark.postgres(18)
@only_guarded
def test_the_plan_has_moved_while_waiting(site: Site) -> None:
    """F74, L3: another run comes between plan and lock: --expect is judged again under the lock."""
    site.domain("core", tables=["one", "two"])
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    site.write("core", 2, "CREATE TABLE two (id int);", "DROP TABLE two;")
    site.bootstrap()
    fingerprint = site.run("plan").document["fingerprint"]
    assert site.run("up", "1").code == 0
    with pytest.raises(Refused, match=fingerprint):
        site.up(expect=fingerprint)
    assert site.up().exit_code == 0
    assert site.applied() == ["core/1", "core/2"]


CLOCK = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
static int (*real)(clockid_t, struct timespec *);
int clock_gettime(clockid_t id, struct timespec *t) {
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, t);
    if (id == CLOCK_REALTIME) t->tv_sec -= 25L * 365 * 86400;
    return r;
}
time_t time(time_t *t) { struct timespec s; clock_gettime(CLOCK_REALTIME, &s); if (t) *t = s.tv_sec; return s.tv_sec; }
int gettimeofday(struct timeval *t, void *z) {
    struct timespec s; clock_gettime(CLOCK_REALTIME, &s); t->tv_sec = s.tv_sec; t->tv_usec = s.tv_nsec / 1000; return 0;
}
"""


@pytest.mark.postgres(18)
@only_plain
def test_the_clients_clock_is_in_2001(site: Site, tmp_path: Path) -> None:
    """F75: times come from the server, order from the sequence; exit 0."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("no C compiler for the false clock")
    source, shim = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(CLOCK)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    site.domain("core", tables=["one"])
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    site.bootstrap()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "LD_PRELOAD": str(shim)}
    done = subprocess.run(
        [sys.executable, "-m", "bgce_migrate", *site.words("up")],
        cwd=site.root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert site.value("SELECT max(applied_at) > now() - interval '5 minutes' FROM bgce_migrate.migration_history")
    assert site.chain_faults() == ()


@pytest.mark.postgres(18)
def test_a_file_of_comments(site: Site) -> None:
    """P7: an error in a declared domain; a step without statements in an undeclared folder."""
    done = run_one(site, "-- nothing yet\n")
    assert done.code == (0 if site.layout == "plain" else 2), done.stderr


@pytest.mark.postgres(18)
def test_a_missing_pair(site: Site) -> None:
    """O16: an up without a down is an error in a declared domain; undeclared folders may."""
    done = run_one(site, "CREATE TABLE one (id int);", None)
    assert done.code == (0 if site.layout == "plain" else 2), done.stderr


@pytest.mark.postgres(18)
def test_one_table_of_two_domains(guarded: Site) -> None:
    """O9: the same version number in two domains is legal, the same table is not: exit 2 with both owners."""
    guarded.domain("aaa", tables=["one"])
    guarded.domain("bbb", tables=["two"])
    guarded.write("aaa", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    guarded.write("bbb", 1, "CREATE TABLE two (id int);", "DROP TABLE two;")
    guarded.bootstrap()
    assert guarded.run("up").code == 0
    guarded.domain("bbb", tables=["one", "two"])
    done = guarded.run("up")
    assert done.code == 2 and "aaa" in done.stderr and "bbb" in done.stderr, done.stderr


@pytest.mark.postgres(18)
@only_guarded
def test_a_view_named_before_what_it_uses(site: Site) -> None:
    """O10: what a view uses comes first, whatever the names of the domains are."""
    site.domain("aaa", requires=["zzz"])
    site.domain("zzz", tables=["base"])
    site.write("aaa", 1, "CREATE VIEW first AS SELECT id FROM last;", "DROP VIEW first;")
    site.write("zzz", 1, "CREATE TABLE base (id int);", "DROP TABLE base;")
    site.write("zzz", 2, "CREATE VIEW last AS SELECT id FROM base;", "DROP VIEW last;")
    site.bootstrap()
    done = site.run("up")
    assert done.code == 0, done.stderr
    assert site.applied() == ["zzz/1", "zzz/2", "aaa/1"]


def test_grown_step_by_step_or_at_once(make_site: MakeSite) -> None:
    """O3: two branches merged one after the other and a fresh database: the same catalog."""
    files = {
        ("core", 1): "CREATE TABLE base (id int PRIMARY KEY);",
        ("shop", 1): "CREATE TABLE goods (id int REFERENCES base (id));",
        ("core", 2): "ALTER TABLE base ADD COLUMN word text;",
        ("shop", 2): "CREATE VIEW words AS SELECT word FROM base JOIN goods USING (id);",
        ("core", 3): "ALTER TABLE base ADD COLUMN extra int;",
    }
    grown, fresh = make_site("plain"), make_site("plain")
    for (domain, version), text in files.items():
        grown.write(domain, version, text, None)
        fresh.write(domain, version, text, None)
        assert grown.run("up").code == 0
    assert fresh.run("up").code == 0
    assert fresh.catalog() == grown.catalog()
    assert sorted(fresh.applied()) == sorted(grown.applied())
