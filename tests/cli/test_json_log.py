"""`--log-format json`: every line of standard error is a JSON object, with the run's id, and no password in it."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate.cli import execute
from bgce_migrate.report import json_progress
from bgce_migrate.report.log import follow, graded
from bgce_migrate.servers import Server
from tests.cli.program import Answer, bgce, write
from tests.metrics.test_tracing import locked
from tests.servers import as_superuser

pytestmark = pytest.mark.postgres(18)

JSON = ("--log-format", "json")


def events(answer: Answer) -> list[dict[str, Any]]:
    """Every line, which must be an event."""
    found = [json.loads(line) for line in answer.err.splitlines()]
    for event in found:
        assert list(event)[:4] == ["ts", "level", "event", "run_id"]
        assert event["level"] in ("debug", "info", "warning", "error")
        assert datetime.fromisoformat(event["ts"].replace("Z", "+00:00")).utcoffset() is not None
    return found


def of(found: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in found if event["event"] == name]


def test_a_run_from_its_start_to_its_end(shop: Path, database: str) -> None:
    answer = bgce("up", "-d", database, "--json", *JSON, cwd=shop)
    found, receipt = events(answer), answer.document
    assert [event["event"] for event in found] == ["run_started", *["step_started", "step_finished"] * 3, "run_finished"]
    assert {event["run_id"] for event in found} == {receipt["run_id"]}
    assert found[0]["command"] == "up" and found[-1]["result"] == "done" and found[-1]["exit_code"] == 0
    assert (found[-1]["steps"], found[-1]["applied"], found[-1]["database"]) == (3, 3, conninfo_to_dict(database)["dbname"])
    told = [{key: event[key] for key in ("id", "domain", "version", "name", "direction", "status", "duration_ms")} for event in of(found, "step_finished")]
    assert told == [{key: step[key] for key in told[0]} for step in receipt["steps"]]
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT DISTINCT run_id::text FROM bgce_migrate.migration_history WHERE version IS NOT NULL").fetchall()
    assert rows == [(receipt["run_id"],)]


def test_the_run_id_is_the_one_the_server_sees(shop: Path, database: str) -> None:
    assert bgce("up", "--to", "cortex/000001", "-d", database, cwd=shop).code == 0
    query = "SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name LIKE 'bgce-migrate%'"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE seen (name text)")
        (shop / "migrations/cortex/000002_add_bio.up.sql").write_text(f"INSERT INTO seen {query};\nALTER TABLE users ADD COLUMN bio text;\n")
        found = events(bgce("up", "-d", database, "--allow-unlocked", *JSON, cwd=shop))
        names = [name for (name,) in connection.execute("SELECT name FROM seen")]
    assert names and {tuple(name.split()[:2]) for name in names} == {("bgce-migrate", found[0]["run_id"])}


@pytest.mark.parametrize("words", [["down", "1", "--domain", "postal", "--yes"], ["goto", "1", "--domain", "cortex", "--yes"]])
def test_on_the_way_down(words: list[str], shop: Path, database: str) -> None:
    assert bgce("up", "-d", database, cwd=shop).code == 0
    if words[0] == "goto":
        assert bgce("down", "1", "--domain", "postal", "--yes", "-d", database, cwd=shop).code == 0
    found = events(bgce(*words, "-d", database, cwd=shop, env={"BGCE_LOG_FORMAT": "json"}))
    ended = of(found, "step_finished")
    assert len(ended) == 1 and (ended[0]["direction"], ended[0]["status"]) == ("down", "applied")
    assert (found[0]["command"], found[-1]["event"], found[-1]["result"]) == (words[0], "run_finished", "done")


def test_failures_are_events_with_everything_that_is_known(shop: Path, database: str) -> None:
    (shop / "migrations/postal/000001_create_posts.up.sql").write_text("CREATE TABLE posts (\n  id nothing);\n")
    answer = bgce("up", "-d", database, "--allow-unlocked", *JSON, cwd=shop)
    found = events(answer)
    assert answer.code == 5
    error, step = of(found, "error")[0], of(found, "step_finished")[-1]
    assert error["message"] == step["error"]["message"] and step["status"] == "failed" and step["level"] == "error"
    assert error["facts"]["sqlstate"] == "42704" and error["exit_code"] == 5
    assert (error["at"]["file"].rpartition("/")[2], error["at"]["line"]) == ("000001_create_posts.up.sql", 2)
    assert (found[-1]["event"], found[-1]["level"], found[-1]["exit_code"]) == ("run_finished", "error", 5)


def test_who_is_in_the_way_is_told(shop: Path, database: str) -> None:
    assert bgce("up", "--to", "cortex/000001", "-d", database, cwd=shop).code == 0
    with locked(database, "users") as pid:
        found = events(bgce("up", "-d", database, *JSON, cwd=shop))
    blocked = of(found, "blocked")
    assert blocked and blocked[0]["id"] == "cortex/000002_add_bio" and f"pid {pid}" in blocked[0]["by"][0]
    ended = next(event for event in of(found, "step_finished") if event["id"] == blocked[0]["id"])
    assert ended["retries"] >= 1 and ended["lock_wait_ms"] > 300
    with locked(database, "bgce_migrate.run_lock"):
        refused = bgce("down", "1", "--domain", "postal", "--yes", "--lock-wait", "0.3", "-d", database, *JSON, cwd=shop)
    found = events(refused)
    assert refused.code == 4 and of(found, "waiting") and of(found, "run_finished")[0]["result"] == "failed"
    assert found[-1]["event"] == "error" and "another run holds the lock" in found[-1]["message"]


def test_a_deployment_with_what_its_programs_print(shop: Path, database: str) -> None:
    script = "echo '{\"not\": ours}'; echo error: to standard error >&2; printf 'no end of line'; exit 3"
    answer = bgce("deploy", "--domain", "cortex", "--deployment", "d1", "--undo", "all", *JSON, "-d", database, "--", "sh", "-c", script, cwd=shop)
    found = events(answer)
    assert answer.code == 1
    lines = [(event["program"], event["level"], event["message"]) for event in of(found, "output")]
    assert sorted(lines) == [
        ("command", "info", "error: to standard error"), ("command", "info", "no end of line"), ("command", "info", '{"not": ours}'),
    ]  # fmt: skip
    assert [event["direction"] for event in of(found, "step_finished")] == ["up", "up", "down", "down"]
    last = found[-1]
    assert (last["event"], last["deployment"], last["result"], last["exit_code"]) == ("deploy_finished", "d1", "undone", 1)
    up, undo = (event["run_id"] for event in of(found, "step_finished")[::2])
    assert last["runs"] == [up, undo] and up != undo


def test_waiting(shop: Path, database: str) -> None:
    assert bgce("up", "-d", database, cwd=shop).code == 0
    ready = events(bgce("wait", "cortex>=2", "-d", database, *JSON, cwd=shop))
    assert [(event["event"], event["needs"]) for event in ready] == [("ready", ["cortex/000002"])]
    late = bgce("wait", "cortex>=3", "--timeout", "0.3", "-d", database, *JSON, cwd=shop)
    assert late.code == 1
    assert [(event["event"], event["run_id"]) for event in events(late)] == [("waiting", None), ("error", None)]


def test_mistakes_of_the_command_line_are_lines_too(shop: Path, database: str) -> None:
    for words in (["up", "--nope"], ["nope"], ["up", "--jobs", "many"]):
        found = events(bgce(*words, *JSON, cwd=shop))
        assert [event["event"] for event in found] == ["error"] and found[0]["exit_code"] == 2
    answer = bgce("up", "--log-format", "xml", cwd=shop)
    assert answer.code == 2 and "xml" in answer.err
    assert bgce("version", "--log-format", "text", "-d", database, cwd=shop, env={"BGCE_LOG_FORMAT": "json"}).code == 0


def test_a_plugin_that_fails_is_a_line(shop: Path, database: str) -> None:
    with (shop / "bgce.toml").open("a") as file:
        file.write('plugins = ["bgce_metrics"]\n')
    env = {"BGCE_RUN_METRICS_DIR": str(shop / "nowhere")}
    found = events(bgce("up", "-d", database, *JSON, cwd=shop, env=env))
    assert [e["message"] for e in found if e["level"] == "warning" and "bgce_metrics failed in metrics" in e["message"]]


def test_log_records_of_libraries_are_lines_too() -> None:
    heard: list[str] = []
    unfollow = follow(heard.append)
    logging.getLogger("somebody.else").warning("away: %s", "x")
    logging.getLogger("somebody.else").info("chatter")
    unfollow()
    logging.getLogger("bgce_migrate").warning("not followed any more")
    assert heard == ["warning: away: x"]


def test_a_long_step_says_now_and_then_that_it_goes_on(shop: Path, database: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    text = "SELECT pg_sleep(0.02);\n" * 20
    (shop / "migrations/cortex/000001_create_users.up.sql").write_text(text + "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n")
    monkeypatch.chdir(shop)
    monkeypatch.setattr(json_progress, "_STILL_RUNNING", 0.1)
    assert execute(["up", "--to", "cortex/000001", "-d", database, "--allow-unlocked", *JSON]) == 0
    still = of(events(Answer(0, "", capfd.readouterr().err)), "statement_done")
    assert 2 <= len(still) <= 6 and all(event["of"] == 21 and event["level"] == "info" for event in still)


def test_no_password_whatever_quoting_makes_of_it(server: Server, database: str, shop: Path) -> None:
    secret = 'p"w\\ä🔑 %20\tx'
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS quoted")
        connection.execute(psycopg.sql.SQL("CREATE ROLE quoted LOGIN PASSWORD {}").format(secret))
        connection.execute(psycopg.sql.SQL("COMMENT ON DATABASE {} IS {}").format(psycopg.sql.Identifier(connection.info.dbname), secret))
    write(shop, {"migrations/cortex/000001_create_users.up.sql": "DO $$ BEGIN RAISE EXCEPTION '%', shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database(); END $$;\n"})
    name = str(conninfo_to_dict(database)["dbname"])
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("GRANT CREATE ON DATABASE {0} TO quoted; GRANT ALL ON SCHEMA public TO quoted").format(psycopg.sql.Identifier(name)))
    answer = bgce("up", "-v", "--allow-unlocked", *JSON, "-d", server.url(role="quoted", password=secret, database=name), cwd=shop)
    found = events(answer)
    assert answer.code == 5 and "***" in of(found, "error")[0]["message"], answer.err
    for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert form not in answer.err


def test_what_a_sentence_says_of_its_weight() -> None:
    assert graded("warning: low") == ("warning", "low") and graded("hint: try") == ("info", "try")
    assert graded("cortex/1 still runs: 3") == ("info", "cortex/1 still runs: 3") and graded("plain") == ("info", "plain")
