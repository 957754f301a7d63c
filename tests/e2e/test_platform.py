"""The platform's eleven domains through the engine: order, schema, undoing, late versions, history."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.apply.target import Address
from bgce_migrate.db.history import read_rows, verify
from bgce_migrate.desk import Desk
from bgce_migrate.errors import HistoryBroken, Refused, UsageError
from bgce_migrate.migration import MigrationId
from bgce_migrate.outcome import Head
from tests.e2e.desks import down, force, goto, no, require_done, states, up, version
from tests.e2e.platform import ROOT, Guarded, bootstrap, copy_platform, shipped_domains
from tests.e2e.scene import MakeDatabase, as_role, dump, psql_file, query, up_files, write

STATEMENTS = ROOT / "tests/plugins/client-statements.sql"
VIEW = "public.migration_history"


@pytest.fixture
def platform(database: str, tmp_path: Path) -> Guarded:
    """The eleven domains, applied by the migrator."""
    guarded = bootstrap(copy_platform(tmp_path), database)
    require_done(up(guarded.project, guarded.url))
    return guarded


def tables(guarded: Guarded) -> int:
    return int(str(query(guarded.superuser, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")[0][0]))


def test_schema_order_and_statements(make_database: MakeDatabase, tmp_path: Path) -> None:
    plain = make_database()
    for domain in shipped_domains():
        for file in up_files(ROOT / "migrations" / domain):
            assert psql_file(plain, file).sqlstate is None
    guarded = bootstrap(copy_platform(tmp_path), make_database())
    report = require_done(up(guarded.project, guarded.url))
    assert list(dict.fromkeys(s.id.domain for s in report.steps)) == shipped_domains()
    for domain in shipped_domains():
        versions = [s.id.version for s in report.steps if s.id.domain == domain]
        assert versions == list(range(1, len(versions) + 1))
    ours = dump(guarded.superuser, owners=False, rights=False, without=(VIEW,))
    assert ours == dump(plain, owners=False, rights=False)
    with psycopg.connect(guarded.superuser, autocommit=True) as connection:
        statements = STATEMENTS.read_text(encoding="utf-8").splitlines()
        for number, statement in enumerate(statements):
            connection.execute(f"PREPARE client_{number} AS {statement}".encode())
        assert len(statements) == 23
    seen = query(guarded.superuser, f"SELECT count(*), count(DISTINCT service_name) FROM {VIEW}")
    assert seen == [(len(report.steps), 11)]


def test_a_second_up_does_nothing_and_down_all_empties(platform: Guarded) -> None:
    before = dump(platform.superuser)
    again = up(platform.project, platform.url)
    assert again.result == "nothing_to_do" and again.steps == ()
    report = require_done(down(platform.project, platform.url, everything=True))
    assert tables(platform) == 0 and set(version(platform.project, platform.url).values()) == {None}
    assert query(platform.superuser, "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace") == []
    again = require_done(up(platform.project, platform.url, jobs=3))
    assert len(again.steps) == len(report.steps) and tables(platform) == 48
    assert dump(platform.superuser) == before


def test_goto_force_and_version_speak_of_one_domain(platform: Guarded) -> None:
    project, url = platform.project, platform.url
    with pytest.raises(UsageError, match="11 domains: cortex, postal"):
        goto(project, url, None, 1)
    require_done(goto(project, url, "postal", 3))
    assert version(project, url, "postal") == {"postal": 3}
    assert [i.short for i in force(project, url, "postal", 4)] == ["postal/000004"]
    assert version(project, url, "postal") == {"postal": 4}
    assert states(project, url)["postal/000004"] == "applied"
    assert [i.short for i in force(project, url, "postal", 3)] == ["postal/000004"]
    require_done(goto(project, url, "postal", 4))
    with pytest.raises(Refused, match="others depend"):
        goto(project, url, "cortex", 2)
    with pytest.raises(UsageError, match="there is no domain nowhere"):
        version(project, url, "nowhere")


def test_a_late_lower_version_is_planned_and_recorded(platform: Guarded) -> None:
    write(
        platform.project / "migrations/postal",
        {
            "000009_add_lead.up.sql": "ALTER TABLE posts ADD COLUMN lead text;\n",
            "000009_add_lead.down.sql": "ALTER TABLE posts DROP COLUMN lead;\n",
        },
    )
    Desk.load(platform.project).lock()
    require_done(up(platform.project, platform.url))
    write(
        platform.project / "migrations/postal",
        {
            "000007_add_kicker.up.sql": "ALTER TABLE posts ADD COLUMN kicker text;\n",
            "000007_add_kicker.down.sql": "ALTER TABLE posts DROP COLUMN kicker;\n",
        },
    )
    with pytest.raises(Refused, match=r"postal/000007_add_kicker is not in bgce\.lock"):
        up(platform.project, platform.url)
    assert [i.short for i in Desk.load(platform.project).lock().added] == ["postal/000007"]
    report = require_done(up(platform.project, platform.url))
    assert [s.id.short for s in report.steps] == ["postal/000007"]
    undone = require_done(down(platform.project, platform.url, domain="postal", count=1))
    assert [s.id.short for s in undone.steps] == ["postal/000007"], "newest applied, not highest version"


def test_undoing_needs_no_files(platform: Guarded) -> None:
    shutil.rmtree(platform.project / "migrations/analytics")
    write(platform.project, {"migrations/analytics/domain.toml": (ROOT / "migrations/analytics/domain.toml").read_text()})
    assert states(platform.project, platform.url)["analytics/000005"] == "missing"
    report = up(platform.project, platform.url)
    assert report.result == "nothing_to_do" and len(report.warnings) == 5
    undone = require_done(down(platform.project, platform.url, domain="analytics", count=5))
    assert [s.id.version for s in undone.steps] == [5, 4, 3, 2, 1] and tables(platform) == 43


def test_an_edited_down_waits_for_a_choice(platform: Guarded) -> None:
    file = next((platform.project / "migrations/analytics").glob("000005*.down.sql"))
    file.write_text("DROP TABLE search_index;\nCREATE TABLE left_by_file ();\n")
    with pytest.raises(Refused, match="not the one that was stored") as caught:
        down(platform.project, platform.url, domain="analytics", count=1)
    assert "--from-history" in (caught.value.hint or "") and "+CREATE TABLE left_by_file" in caught.value.message
    require_done(down(platform.project, platform.url, domain="analytics", count=1, source="file"))
    assert query(platform.superuser, "SELECT to_regclass('left_by_file')::text") == [("left_by_file",)]
    require_done(down(platform.project, platform.url, domain="analytics", count=1, source="history"))


def test_data_is_not_lost_without_consent(platform: Guarded) -> None:
    query(platform.superuser, "INSERT INTO search_index (searchable_type, searchable_id, title, content) VALUES ('post', 1, 't', 'c')")
    asked: list[str] = []

    def refuse(losses: tuple[object, ...]) -> bool:
        asked.extend(str(loss) for loss in losses)
        return False

    before = dump(platform.superuser)
    with pytest.raises(Refused, match="search_index"):
        down(platform.project, platform.url, domain="analytics", count=2, consent=refuse)
    assert len(asked) == 1 and "search_index" in asked[0] and dump(platform.superuser) == before
    query(platform.superuser, "DELETE FROM search_index")
    require_done(down(platform.project, platform.url, domain="analytics", count=2, consent=no))


def test_history_tells_what_was_changed_behind_its_back(platform: Guarded) -> None:
    table = "bgce_migrate.migration_history"
    for login in (platform.url, platform.admin, as_role(platform.superuser, "admin")):
        for attack in (f"UPDATE {table} SET name = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                query(login, attack)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        query(platform.superuser, f"UPDATE {table} SET name = 'x'")
    desk = Desk.load(platform.project)
    with desk.open(Address(platform.url)) as target:
        assert verify(read_rows(target.control)) == ()
        for change, said in {
            "UPDATE {t} SET up_sql = 'SELECT 1' WHERE service_name = 'postal' AND version = 2": "postal: row 2 ",
            "UPDATE {t} SET checksum = 'v1:0' WHERE service_name = 'cortex' AND version = 1": "cortex: row 1 ",
            "DELETE FROM {t} WHERE service_name = 'data' AND version = 1": "data: row 1 is missing",
        }.items():
            query(platform.superuser, f"ALTER TABLE {table} DISABLE TRIGGER append_only; {change.format(t=table)}")
            faults = verify(read_rows(target.control))
            assert any(fault.startswith(said) for fault in faults), (change, faults)


def test_a_receipt_notices_a_history_that_went_back(platform: Guarded) -> None:
    desk = Desk.load(platform.project)
    with desk.open(Address(platform.url)) as target:
        receipt = dict(target.state.heads)
    assert len(receipt) == 11 and all(isinstance(head, Head) for head in receipt.values())
    assert up(platform.project, platform.url, after=receipt).result == "nothing_to_do"
    query(
        platform.superuser,
        "ALTER TABLE bgce_migrate.migration_history DISABLE TRIGGER append_only;"
        " DELETE FROM bgce_migrate.migration_history WHERE service_name = 'analytics' AND version = 5",
    )
    with pytest.raises(HistoryBroken, match="analytics: history ends at row 4, the receipt has seen row 5"):
        up(platform.project, platform.url, after=receipt)


def test_only_part_of_it_can_be_asked_for(database: str, tmp_path: Path) -> None:
    guarded = bootstrap(copy_platform(tmp_path), database)
    report = require_done(up(guarded.project, guarded.url, domain="support"))
    named = {s.id.domain for s in report.steps}
    assert named == {"cortex", "support"} and report.steps[-1].id.domain == "support"
    report = require_done(up(guarded.project, guarded.url, to=MigrationId("postal", 2)))
    assert [s.id.short for s in report.steps] == ["cortex/000004", "postal/000001", "postal/000002"]
    report = require_done(up(guarded.project, guarded.url, limit=1))
    assert [s.id.short for s in report.steps] == ["postal/000003"]
    plan = Desk.load(guarded.project).plan(None)
    with pytest.raises(Refused, match="something has moved"):
        up(guarded.project, guarded.url, expect=plan.plan.fingerprint)
    deployed = require_done(up(guarded.project, guarded.url, deployment="42"))
    undone = require_done(down(guarded.project, guarded.url, deployment="42"))
    assert {s.id for s in undone.steps} == {s.id for s in deployed.steps}
