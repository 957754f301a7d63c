"""The eleven `domain.toml` files and `bgce.toml` agree with the tables and with each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import tomli

from bgce_migrate.config import load, read_folder, read_migrations
from tests.plugins.shipped_domains import HERE, ROOT, declaration, domain_names

EXPECTED = tomli.loads((HERE / "expected_tables.toml").read_text(encoding="utf-8"))
DOMAINS = {name: declaration(name) for name in domain_names()}
PROJECT = tomli.loads((ROOT / "bgce.toml").read_text(encoding="utf-8"))
COLUMNS = {
    domain: {
        table: {column.split()[0]: "public" for column in facts["columns"]}
        | DOMAINS[domain]["tables"][table].get("columns", {})
        for table, facts in tables.items()
    }
    for domain, tables in EXPECTED.items()
}
SERVICES = {service["name"]: service for declared in DOMAINS.values() for service in declared["services"]}


def columns_of(domain: str, text: str) -> Iterator[tuple[str, str, str]]:
    """Table, column and class of everything that `table`, `table(col, ...)`, `table.set` or `*` names."""
    if text == "*":
        for table in COLUMNS[domain]:
            yield from columns_of(domain, table)
        return
    match = re.fullmatch(r"(\w+)(?:\.(\w+)|\((\w+(?:, \w+)*)\))?", text)
    assert match, text
    table, chosen, listed = match.groups()
    classes = COLUMNS[domain][table]
    if chosen:
        names = DOMAINS[domain]["tables"][table]["sets"][chosen]
    elif listed:
        names = listed.split(", ")
    else:
        names = [name for name, kind in classes.items() if kind == "public"]
    for name in names:
        yield table, name, classes[name]


def readable(service: dict[str, Any], domain: str) -> dict[tuple[str, str], str]:
    """Columns of `domain` that the service reads by declaration, with their classes."""
    texts = [read.split(":")[1] for read in service["reads"] if read.split(":")[0] == domain]
    return {(table, name): kind for text in texts for table, name, kind in columns_of(domain, text)}


def test_the_engine_reads_the_project_without_a_complaint() -> None:
    project = load(ROOT / "bgce.toml")
    assert [domain.name for domain in project.domains] == list(EXPECTED)
    assert all(read_folder(domain).notes == () for domain in project.domains)
    migrations = [migration for domain in project.domains for migration in read_migrations(domain)]
    assert len(migrations) == 50 and all(migration.down for migration in migrations)


def test_eleven_domains_declare_the_48_tables_once_each() -> None:
    assert list(DOMAINS) == list(EXPECTED)
    assert [declared["name"] for declared in DOMAINS.values()] == list(DOMAINS)
    assert {name: list(declared["tables"]) for name, declared in DOMAINS.items()} == {
        name: list(tables) for name, tables in EXPECTED.items()
    }
    tables = [table for declared in DOMAINS.values() for table in declared["tables"]]
    assert len(tables) == len(set(tables)) == 48


def test_requires_is_what_hard_keys_need_and_no_more() -> None:
    home = {table: domain for domain, tables in EXPECTED.items() for table in tables}
    for domain, tables in EXPECTED.items():
        parents = {
            home[key.split(" -> ")[1].split()[0]]
            for facts in tables.values()
            for key in facts.get("keys", [])
        }
        triggers = any(facts.get("updated_at_trigger") for facts in tables.values())
        needed = (parents | ({"cortex"} if triggers else set())) - {domain}
        assert set(DOMAINS[domain]["requires"]) == needed


def test_only_existing_columns_are_classed_shared_loose_or_put_in_sets() -> None:
    for domain, declared in DOMAINS.items():
        for table, facts in declared["tables"].items():
            written = {column.split()[0] for column in EXPECTED[domain][table]["columns"]}
            assert set(facts.get("columns", {})) <= written
            assert all(set(names) <= written for names in facts.get("sets", {}).values())
        shared = [text for texts in declared.get("shares", {}).values() for text in texts]
        for text in [*declared.get("loose", []), *shared]:
            assert "(" in text and list(columns_of(domain, text))


def test_a_read_above_public_is_shared_by_its_owner_and_nothing_else_is_shared() -> None:
    for owner, declared in DOMAINS.items():
        shared = {
            (name, *column[:2])
            for name, texts in declared.get("shares", {}).items()
            for text in texts
            for column in columns_of(owner, text)
        }
        wanted = {
            (name, *column)
            for name, service in SERVICES.items()
            for column, kind in readable(service, owner).items()
            if kind != "public"
        }
        assert shared == wanted


def test_nobody_reads_a_secret_and_only_four_services_see_more_of_a_user_than_the_profile() -> None:
    profile = {column for _, column, _ in columns_of("cortex", "users.profile")}
    more = {}
    for name, service in SERVICES.items():
        if name == "cortex":
            continue
        for domain in DOMAINS:
            assert "secret" not in readable(service, domain).values()
        more[name] = {column for table, column in readable(service, "cortex") if table == "users"} - profile
    assert {name: columns for name, columns in more.items() if columns} == {
        "jobs": {"email"},
        "newsletter": {"email"},
        "support": {"email"},
        "ai": {"learning_goals", "ai_preferences"},
        "analytics": {"created_at"},
    }


def test_everybody_reads_tenants_and_categories_and_cortex_reads_every_domain() -> None:
    for name, service in SERVICES.items():
        if name == "cortex":
            assert {f"{domain}:*" for domain in DOMAINS if domain != "cortex"} == set(service["reads"])
        else:
            assert {"cortex:tenants", "cortex:categories"} <= set(service["reads"])


def test_every_table_has_exactly_one_writing_service() -> None:
    for domain, declared in DOMAINS.items():
        written = [table for service in declared["services"] for table in service["writes"]]
        assert sorted(written) == sorted(EXPECTED[domain])


def test_thirteen_services_share_144_connections() -> None:
    assert len(SERVICES) == 13
    assert [service["login"] for service in SERVICES.values()] == [f"{name}_user" for name in SERVICES]
    assert sum(service["pool"] for service in SERVICES.values()) == 144


def test_columns_above_public() -> None:
    above = {
        f"{table}.{column}": kind
        for tables in COLUMNS.values()
        for table, columns in tables.items()
        for column, kind in columns.items()
        if kind != "public"
    }
    assert above == {
        "users.password_hash": "secret",
        "users.email": "contact",
        "users.learning_goals": "private",
        "users.ai_preferences": "private",
        "users.last_login_at": "private",
        "newsletter_subscriptions.email": "contact",
        "job_applications.cover_letter": "private",
        "challenge_submissions.code": "private",
        "competition_submissions.code": "private",
        "competition_test_cases.expected_output": "secret",
        "ai_messages.content": "private",
    }


def test_the_profile_of_a_user_is_public() -> None:
    profile = list(columns_of("cortex", "users.profile"))
    names = [
        "id",
        "uuid",
        "tenant_id",
        "username",
        "full_name",
        "avatar_url",
        "bio",
        "role",
        "status",
        "skill_level",
    ]
    assert profile == [("users", name, "public") for name in names]


def test_replicas_serve_known_services_once() -> None:
    served = [service for replica in PROJECT["replica"] for service in replica["services"]]
    assert len(served) == len(set(served)) and set(served) <= set(SERVICES)


@pytest.mark.parametrize(
    "column",
    [
        *("id", "uuid", "tenant_id", "username", "email", "password_hash", "full_name", "role", "status"),
        *("avatar_url", "bio", "skill_level", "learning_goals", "ai_preferences"),
        *("created_at", "updated_at", "last_login_at"),
    ],
)
def test_the_strategy_documents_users_table_is_all_there(column: str) -> None:
    assert column in COLUMNS["cortex"]["users"]
