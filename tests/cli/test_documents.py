"""The JSON documents: one on standard output whatever happens, with the fields that design promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.program import bgce, write

ALL = ["cortex/000001_create_users", "cortex/000002_add_bio", "postal/000001_create_posts"]


def ids(rows: list[dict[str, Any]]) -> list[str]:
    for row in rows:
        assert row["id"].startswith(f"{row['domain']}/{row['version']:06d}")
        assert isinstance(row["version"], int)
    return [row["id"] for row in rows]


def test_the_receipt(shop: Path, database: str) -> None:
    file = shop / "receipt.json"
    answer = bgce("up", "--json", "-d", database, "--deployment", "d1", "--report", file, cwd=shop)
    receipt = answer.document
    assert receipt["schema"] == "bgce-migrate/up/1"
    assert re.fullmatch(r"[0-9a-f-]{36}", receipt["run_id"])
    assert (receipt["result"], receipt["deployment"], receipt["exit_code"]) == ("done", "d1", 0)
    assert ids(receipt["steps"]) == ALL
    for step in receipt["steps"]:
        assert (step["direction"], step["status"], step["error"]) == ("up", "applied", None)
        assert step["duration_ms"] > 0
    with psycopg.connect(database) as connection:
        heads = connection.execute(
            "SELECT DISTINCT ON (service_name) service_name, sequence, row_hash FROM bgce_migrate.migration_history"
            " ORDER BY service_name, sequence DESC"
        ).fetchall()
    assert receipt["heads"] == {name: {"sequence": seq, "row_hash": digest} for name, seq, digest in heads}
    assert file.read_text() == answer.out
    assert bgce("up", "--json", "-d", database, cwd=shop).document["result"] == "nothing_to_do"
    assert bgce("history", "--verify", "--after", file, "-d", database, cwd=shop).code == 0


def test_plan_status_version_history(shop: Path, database: str) -> None:
    plan = bgce("plan", "--json", "-d", database, cwd=shop).document
    assert plan["schema"] == "bgce-migrate/plan/1"
    assert re.fullmatch(r"[0-9a-f]{16}", plan["fingerprint"])
    assert ids(plan["steps"]) == ALL
    assert plan["steps"][2]["waits_for"] == [ALL[0]]
    assert any("foreign key" in reason for reason in plan["steps"][2]["reasons"])
    assert plan == bgce("plan", "--json", cwd=shop).document

    bgce("up", "--domain", "cortex", "-d", database, cwd=shop)
    status = bgce("status", "--json", "-d", database, cwd=shop).document
    assert status["schema"] == "bgce-migrate/status/1"
    assert ids(status["migrations"]) == ALL
    assert [row["state"] for row in status["migrations"]] == ["applied", "applied", "pending"]
    version = bgce("version", "--json", "-d", database, cwd=shop).document
    assert version == {"schema": "bgce-migrate/version/1", "versions": {"cortex": 2, "postal": None}}
    history = bgce("history", "--json", "-d", database, "--limit", "1", cwd=shop).document
    assert (history["total"], ids(history["rows"])) == (2, ALL[1:2])


def test_states(shop: Path, database: str) -> None:
    bgce("up", "-d", database, cwd=shop)
    for direction in ("up", "down"):
        (shop / f"migrations/postal/000001_create_posts.{direction}.sql").unlink()
    write(shop, {
        "migrations/cortex/000002_add_bio.up.sql": "ALTER TABLE users ADD COLUMN other text;\n",
        "migrations/postal/000002_bad.up.sql": "SELECT 1/0;\n",
        "migrations/postal/000002_bad.down.sql": "SELECT 1;\n",
        "migrations/postal/000003_next.up.sql": "SELECT 1;\n",
        "migrations/postal/000003_next.down.sql": "SELECT 1;\n",
    })  # fmt: skip
    write(shop, {"migrations/cortex/000002_add_bio.up.sql": "ALTER TABLE users ADD COLUMN bio text;\n"})
    assert bgce("up", "-d", database, cwd=shop).code == 5
    write(shop, {"migrations/cortex/000002_add_bio.up.sql": "ALTER TABLE users ADD COLUMN other text;\n"})
    rows = bgce("status", "--json", "-d", database, cwd=shop).document["migrations"]
    assert {row["id"]: row["state"] for row in rows} == {
        "cortex/000001_create_users": "applied",
        "cortex/000002_add_bio": "edited",
        "postal/000001_create_posts": "missing",
        "postal/000002_bad": "failed",
        "postal/000003_next": "pending",
    }


def test_a_failed_step_is_in_the_receipt(shop: Path, database: str) -> None:
    write(shop, {"migrations/cortex/000002_add_bio.up.sql": "ALTER TABLE users\n  ADD COLUMN id text;\n"})
    answer = bgce("up", "--json", "-d", database, cwd=shop)
    assert answer.code == 5
    receipt = answer.document
    assert (receipt["schema"], receipt["result"], receipt["exit_code"]) == ("bgce-migrate/up/1", "failed", 5)
    failed = receipt["steps"][1]
    assert failed["status"] == "failed"
    assert failed["error"]["facts"]["sqlstate"] == "42701"
    assert failed["error"]["at"]["file"] == "migrations/cortex/000002_add_bio.up.sql"
    assert "error: " in answer.err


@pytest.mark.parametrize("line", ["up --json", "--json up", "up --json --nope", "nope --json"])
def test_errors_are_documents(line: str, shop: Path) -> None:
    answer = bgce(*line.split(), cwd=shop)
    assert answer.code == 2
    document = answer.document
    assert document["schema"] == "bgce-migrate/error/1"
    assert set(document["error"]) == {"message", "hint", "at", "exit_code", "facts", "problems"}
    assert document["error"]["exit_code"] == 2
    assert document["error"]["message"] in answer.err


def test_problems_are_in_the_document(shop: Path) -> None:
    write(shop, {"migrations/cortex/domain.toml": 'name = "cortex"\ncolour = 1\n'})
    (problem,) = [p for p in bgce("plan", "--json", cwd=shop).document["error"]["problems"] if "colour" in p["message"]]
    assert problem["at"] == {"file": "migrations/cortex/domain.toml", "line": 2, "column": None}


@pytest.mark.postgres(18)
def test_every_command_answers_with_one_document(shop: Path, database: str) -> None:
    lines = [
        "plan", "lock", "lock --check", "up", "down 1 --domain postal", "goto 1 --domain cortex", "status", "version",
        "history --verify", "force 2 --domain cortex", "doctor", "graph", "server status", "server stop", "init",
        "new domain wallet", "new migration wallet add_x", "create --domain wallet add_y", "bootstrap --print",
        "stats export", "deploy begin d1 --domain cortex", "deploy finish d1 --ok", f"drop --name {psycopg.conninfo.conninfo_to_dict(database)['dbname']}",
    ]  # fmt: skip
    for line in lines:
        answer = bgce(*line.split(), "--json", cwd=shop, env={"DATABASE_URL": database})
        schema = str(answer.document["schema"])
        assert re.fullmatch(r"bgce-migrate/[a-z-]+/1", schema), line
        assert (schema == "bgce-migrate/error/1") == (answer.code not in (0, 1)), f"{line}: {answer.out}"
