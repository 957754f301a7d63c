"""What a person says beside, what is refused, in which layouts; and that nothing but bookkeeping is ever written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bgce_migrate.adopt.examine import Wish, examine, require_unchanged
from bgce_migrate.adopt.record import record
from bgce_migrate.apply.context import Limits, RunInfo
from bgce_migrate.apply.target import Address
from bgce_migrate.desk import Desk
from bgce_migrate.errors import Refused
from tests.adopt.scene import FILES, ask, call, fingerprint, run_sql, write_tree
from tests.adopt.test_adopt import GOLANG
from tests.e2e.platform import bootstrap, shipped_domains
from tests.e2e.scene import PASSWORD, as_role, make_owner
from tests.servers import as_superuser

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.postgres(18)]

#: What a session that only looks may say.
LOOKS = re.compile(r"\s*(--[^\n]*\n\s*)*(SELECT|WITH|BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY|BEGIN READ ONLY|COMMIT|ROLLBACK)\b")
LEDGER = GOLANG.format("schema_migrations", "schema_migrations", 20240101000003, "{}")
OTHER = {"000001_create_cards": ("CREATE TABLE cards (id bigint PRIMARY KEY);", "DROP TABLE cards;")}


def two(tmp_path: Path) -> Path:
    """A tree of two services."""
    write_tree(tmp_path / "tree" / "shop")
    write_tree(tmp_path / "tree" / "cards", OTHER)
    return tmp_path / "tree"


def test_nothing_is_written_by_looking(
    here: Path, database: str, server_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_sql(database, *(up for up, _ in FILES.values()), LEDGER.format("false"))
    run_sql(
        as_superuser(database), f"CREATE ROLE looker LOGIN PASSWORD '{PASSWORD}'",
        "ALTER ROLE looker SET log_statement = 'all'", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker",
    )  # fmt: skip
    log = next(path for path in server_root.glob("**/tests*18*/log"))
    begun, url = log.stat().st_size, as_role(database, "looker")
    tree = str(write_tree(tmp_path / "shop"))
    for words, code in (
        (("adopt", "--migrations", tree), 0), (("baseline", "--all", "--migrations", tree), 0),
        (("baseline", "shop/20240101000001", "--migrations", tree), 3),
        (("adopt", "--generate", "--yes", "--into", str(here / "by_looker")), 0), (("adopt", "--yes", "--migrations", tree), 3),
    ):  # fmt: skip
        found, document, said = call(capsys, *words, "-d", url)
        assert found == code, (words, document, said)
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(begun)
        said_there = re.findall(r"LOG:  (?:statement|execute [^:]*): (.*(?:\n\t.*)*)", file.read())
    assert len(said_there) > 100
    written = [text for text in said_there if not LOOKS.match(text)]
    # The last call wants to write its bookkeeping, is refused by the server, and leaves nothing.
    assert {text.split("(")[0].split()[0] for text in written} <= {"BEGIN", "CREATE"}, written
    assert not ask(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'bgce_migrate'")


def test_a_dirty_version_does_not_count(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ups = [up for up, _ in FILES.values()]
    run_sql(database, *ups[:2], LEDGER.format("true"))
    given = ["-d", database, "--migrations", str(write_tree(tmp_path / "shop"))]
    code, document, said = call(capsys, "adopt", "--yes", *given)
    assert (code, [m["version"] for m in document["recorded"]]) == (0, [20240101000001, 20240101000002]), said
    assert "version 20240101000003 failed half way" in "".join(document["notes"])
    code, document, _ = call(capsys, "up", *given)
    assert [s["id"] for s in document["steps"]] == ["shop/20240101000003_add_note"]


def test_whose_a_shared_version_table_is(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_sql(database, *(up for up, _ in FILES.values()), LEDGER.format("false"))
    given = ["-d", database, "--migrations", str(two(tmp_path))]
    code, document, _ = call(capsys, "adopt", *given)
    assert (code, len(document["found"]), [m["domain"] for m in document["pending"]]) == (0, 3, ["cards"])
    assert "not of which domain" in document["notes"][0]
    code, document, _ = call(capsys, "adopt", "--from", "schema_migrations=shop", *given)
    assert (code, document["sources"]["shop"]) == (0, "public.schema_migrations (golang-migrate) says version 20240101000003, clean")
    for said, message in (("nowhere=shop", "nowhere is no version table here"), ("schema_migrations=x", "there is no domain 'x'"),
                          ("shop", "--from shop is not of the form TABLE=DOMAIN")):  # fmt: skip
        code, document, _ = call(capsys, "adopt", "--from", said, *given)
        assert (code, document["error"]["message"]) == (2, message)


def test_what_is_no_domains_is_left_out_by_name(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_sql(database, *(up for up, _ in FILES.values()), LEDGER.format("false"), "CREATE TABLE audit_log (id serial PRIMARY KEY)",
            "CREATE SCHEMA cron", "CREATE TABLE cron.job (id bigint)")  # fmt: skip
    given = ["-d", database, "--migrations", str(write_tree(tmp_path / "shop"))]
    code, document, _ = call(capsys, "adopt", *given)
    assert (code, {(e["word"], e["table"]) for e in document["evidence"]}) == (3, {("unknown", "public.audit_log"), ("unknown", "cron.job")})
    code, document, _ = call(capsys, "adopt", "--except", "public.audit_*", "--except", "cron", *given)
    assert (code, document["differences"]) == (0, [])


def test_baseline_up_to_a_version(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ups = [up for up, _ in FILES.values()]
    run_sql(database, *ups[:2])
    given = ["-d", database, "--migrations", str(two(tmp_path))]
    code, document, _ = call(capsys, "baseline", "shop/20240101000003", "--yes", *given)
    assert (code, [d["text"] for d in document["differences"]]) == (3, ["column public.orders.note is gone"])
    assert not ask(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'bgce_migrate'")
    code, document, _ = call(capsys, "baseline", "shop/20240101000002", "--yes", *given)
    assert (code, len(document["recorded"]), len(document["pending"])) == (0, 2, 2)
    code, document, _ = call(capsys, "up", *given)
    assert (code, document["result"]) == (0, "done")
    rows = ask(database, "SELECT direction, name FROM bgce_migrate.migration_history ORDER BY id")
    assert rows[:3] == [("correction", "baseline"), ("mark_applied", "create_people"), ("mark_applied", "create_orders")]
    code, document, _ = call(capsys, "history", "--verify", *given)
    assert call(capsys, "down", "1", "--domain", "shop", "--yes", *given)[0] == 0


def test_a_catalog_that_moves_meanwhile(database: str, tmp_path: Path) -> None:
    run_sql(database, *(up for up, _ in FILES.values()), LEDGER.format("false"))
    desk = Desk.load(tmp_path, migrations=write_tree(tmp_path / "shop"))
    wish = Wish()
    with desk.open(Address(database)) as target:
        adoption = examine(desk.tree, desk.host, target, wish)
        run_sql(database, "ALTER TABLE people ADD COLUMN x text")
        with pytest.raises(Refused, match="has changed while it was compared"):
            record(desk.tree, target, RunInfo.new("adopt"), Limits(), adoption, what="adopt",
                   check=lambda: require_unchanged(desk.tree, target, wish, adoption))  # fmt: skip
        assert ask(database, "SELECT count(*) FROM bgce_migrate.migration_history") == [(0,)]


def test_a_guarded_database(here: Path, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    desk, admin = Desk.load(here), make_owner(database, "admin", "CREATEROLE")
    for step in desk.plan(None, allow_unlocked=True).plan.steps:
        run_sql(admin, step.script.source.text)
    for name in shipped_domains():
        last = max(i.version for i in desk.tree.migrations if i.domain == name)
        run_sql(admin, GOLANG.format(f"{name}_schema_migrations", f"{name}_schema_migrations", last, "false"))
    guarded = bootstrap(here, database, admin)
    before = fingerprint(admin)
    code, document, _ = call(capsys, "adopt", "--yes", "-d", guarded.url)
    assert (code, document["error"]["hint"]) == (3, 'GRANT SELECT ON "public"."ai_schema_migrations" TO "bgce_migrator"')
    run_sql(admin, *(f"GRANT SELECT ON {name}_schema_migrations TO bgce_migrator" for name in shipped_domains()))
    code, document, said = call(capsys, "adopt", "--yes", "-d", guarded.url)
    assert (code, document["differences"], len(document["recorded"])) == (0, [], len(desk.tree.migrations)), said
    code, document, _ = call(capsys, "up", "--allow-unlocked", "-d", guarded.url)
    assert (code, document["result"]) == (0, "nothing_to_do")
    run_sql(admin, *(f"REVOKE SELECT ON {name}_schema_migrations FROM bgce_migrator" for name in shipped_domains()))
    assert fingerprint(admin) == before


