"""Thirteen services on one database, each as itself over its own connection: exactly what the platform's paper says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from tests.e2e.platform import Guarded
from tests.e2e.platform import service as login_of
from tests.e2e.scene import query

#: What all tests share is made once then.
pytestmark = pytest.mark.xdist_group("matrix")

# What the platform's paper says, in its own words; declarations are not looked at here.
WRITES = {
    "cortex": "tenants users categories",
    "postal": "posts post_versions tags post_tags",
    "community": "comments discussions discussion_replies likes follows notifications contributors",
    "learning": "courses course_modules course_enrollments cheatsheets learning_paths certifications",
    "competition": "competitions competition_participants competition_submissions competition_leaderboards"
    " competition_test_cases coding_challenges challenge_submissions",
    "jobs": "jobs job_applications",
    "portfolio": "portfolios projects user_skills",
    "dataset": "datasets",
    "model": "models",
    "newsletter": "newsletters newsletter_subscriptions",
    "support": "support_tickets support_ticket_replies moderation_strategies",
    "ai": "ai_conversations ai_messages ai_code_reviews content_recommendations",
    "analytics": "post_views tenant_stats activity_logs media_files search_index",
}
PROFILE = "id uuid tenant_id username full_name avatar_url bio role status skill_level"
READS = {
    "cortex": " ".join(tables for name, tables in WRITES.items() if name != "cortex"),
    "postal": "moderation_strategies",
    "community": "posts moderation_strategies",
    "learning": "coding_challenges",
    "competition": "datasets models",
    "jobs": "portfolios projects user_skills",
    "portfolio": "datasets models certifications competition_leaderboards",
    "dataset": "",
    "model": "datasets",
    "newsletter": "posts",
    "support": "posts comments discussions discussion_replies media_files",
    "ai": "posts tags post_tags courses course_modules cheatsheets coding_challenges challenge_submissions user_skills",
    "analytics": "posts tags post_tags comments discussions likes follows courses course_enrollments cheatsheets competitions"
    " competition_participants jobs datasets models",
}
USERS = {
    **dict.fromkeys(("postal", "community", "learning", "competition", "portfolio", "dataset", "model"), PROFILE),
    **dict.fromkeys(("jobs", "newsletter", "support"), f"{PROFILE} email"),
    "ai": f"{PROFILE} learning_goals ai_preferences",
    "analytics": "id tenant_id status created_at",
}
#: Above public; who else than the writer reads them.
CLOSED = {
    "newsletter_subscriptions": {"email"},
    "job_applications": {"cover_letter"},
    "challenge_submissions": {"code"},
    "competition_submissions": {"code"},
    "ai_messages": {"content"},
    "competition_test_cases": {"expected_output"},
}
OPENED = {("ai", "challenge_submissions", "code")}


@dataclass(frozen=True)
class Probe:
    statement: str
    allowed: bool


def readable(service: str, table: str, columns: list[str]) -> set[str]:
    """The columns of a table that a service may read."""
    if table in WRITES[service].split():
        return set(columns)
    if table in ("tenants", "categories"):
        return set(columns)
    if table == "users":
        return set(USERS[service].split())
    if table in READS[service].split():
        closed = CLOSED.get(table, set())
        return {c for c in columns if c not in closed or (service, table, c) in OPENED}
    return set()


def probes(service: str, catalog: dict[str, list[str]]) -> list[Probe]:
    found: list[Probe] = []
    for table, columns in catalog.items():
        allowed, writes = readable(service, table, columns), table in WRITES[service].split()
        found += [Probe(f'SELECT "{column}" FROM {table} LIMIT 0', column in allowed) for column in columns]
        found += [
            Probe(f"SELECT * FROM {table} LIMIT 0", allowed == set(columns)),
            Probe(f"SELECT count(*) FROM {table}", bool(allowed)),
            Probe(f"INSERT INTO {table} DEFAULT VALUES", writes),
            Probe(f"UPDATE {table} SET id = id WHERE false", writes),
            Probe(f"DELETE FROM {table} WHERE false", writes),
            Probe(f"TRUNCATE {table}", False),
            Probe(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT", writes),
            Probe(f"ALTER TABLE {table} ADD COLUMN mine text", False),
            Probe(f"DROP TABLE {table}", False),
            Probe(f"CREATE TABLE mine (id bigint REFERENCES {table})", False),
        ]
    found += [
        Probe("CREATE TABLE mine (id bigint)", False),
        Probe("CREATE TEMPORARY TABLE mine (id bigint)", False),
        Probe("CREATE SCHEMA mine", False),
        Probe("SELECT * FROM bgce_migrate.migration_state", True),
        Probe("SELECT * FROM public.migration_history", True),
        Probe("SELECT * FROM bgce_migrate.migration_history", False),
        Probe("DELETE FROM bgce_migrate.migration_history", False),
        Probe("SELECT bgce_migrate.forget_journal(1, 'cortex', 1)", False),
        Probe("SET ROLE cortex_owner", False),
        Probe("SET ROLE bgce_migrator", False),
    ]
    return found


def run(url: str, wanted: list[Probe]) -> list[str]:
    """Each probe in its savepoint; those that answered otherwise."""
    wrong: list[str] = []
    with psycopg.connect(url) as connection:
        for probe in wanted:
            connection.execute("SAVEPOINT probe")
            said = "allowed"
            try:
                connection.execute(probe.statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                said = "denied"
            except psycopg.Error as error:
                # It was let in, and failed for what it wrote: NOT NULL, an interval of one row, ...
                said = f"allowed ({error.sqlstate})"
            connection.execute("ROLLBACK TO SAVEPOINT probe")
            if said.startswith("allowed") != probe.allowed:
                wrong.append(f"{probe.statement}: {said}")
        connection.rollback()
    return wrong


def test_every_service_can_do_what_the_paper_says_and_nothing_else(platform: Guarded) -> None:
    rows = query(
        platform.superuser,
        "SELECT c.relname, array_agg(a.attname ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
        " GROUP BY c.relname ORDER BY 1",
    )
    catalog = {str(name): [str(c) for c in columns] for name, columns in rows}  # type: ignore[attr-defined]
    assert sorted(catalog) == sorted(" ".join(WRITES.values()).split())
    wanted = {service: probes(service, catalog) for service in WRITES}
    assert len(wanted) == 13
    total = sum(map(len, wanted.values()))
    assert total >= 2_000, total
    urls = {service: login_of(platform, f"{service}_user") for service in wanted}
    with ThreadPoolExecutor(4) as pool:
        wrong = dict(zip(wanted, pool.map(lambda s: run(urls[s], wanted[s]), wanted), strict=True))
    assert {service: said for service, said in wrong.items() if said} == {}, total
    print(f"{total} probes")


def test_a_service_reads_through_the_owner_of_nothing(platform: Guarded) -> None:
    names = [f"{service}_user" for service in WRITES]
    rows = query(
        platform.superuser,
        sql.SQL(
            "SELECT r.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.member WHERE r.rolname = ANY ({})"
        ).format(sql.Literal(names)).as_string(),
    )  # fmt: skip
    assert rows == [], "no service is a member of anything"
