"""The shipped webhook through the real commands: one message a run, whatever its end."""

from __future__ import annotations

import json
import logging
import signal
from pathlib import Path

import psycopg
import pytest

from bgce_migrate import library
from bgce_migrate.errors import Refused
from tests.cli.program import start, write
from tests.notifying.conftest import TOML, Run
from tests.notifying.webhook import Hook

pytestmark = pytest.mark.postgres(18)

BAD = {
    "migrations/cortex/000003_bad.up.sql": "ALTER TABLE users ADD COLUMN a integer;\nSELECT 1/0;\n",
    "migrations/cortex/000003_bad.down.sql": "ALTER TABLE users DROP COLUMN a;\n",
}


def test_one_message_a_run(run: Run, shop: Path, hook: Hook) -> None:
    up = run("up", "--json")
    assert up.code == 0 and up.document["warnings"] == []
    assert hook.texts == ["shop: up is done, 3 applied"]
    shown = json.dumps(hook.sent[0])
    assert [block["type"] for block in hook.sent[0]["blocks"]] == ["header", "section", "context"]
    assert "+ postal/000001_create_posts applied (" in shown and up.document["run_id"] in shown
    # Nothing to do is nothing to tell, and looking is no run.
    assert run("up").code == run("status").code == run("plan").code == 0
    assert len(hook.sent) == 1
    assert run("down", "1", "--domain", "cortex", "--cascade", "--yes").code == 0
    assert run("goto", "2", "--domain", "cortex").code == 0
    assert hook.texts[1:] == ["shop: down is done, 1 reverted", "shop: goto is done, 1 applied"]


def test_a_failure_names_the_step_and_what_the_server_said(run: Run, shop: Path, hook: Hook) -> None:
    write(shop, dict(BAD))
    assert run("up").code == 5
    assert hook.texts == ["shop: up failed, 2 applied, 1 failed, 1 not run"] or hook.texts == [
        "shop: up failed, 3 applied, 1 failed"
    ]
    assert "division by zero" in hook.sent[0]["text"]
    assert "x cortex/000003_bad failed" in json.dumps(hook.sent[0])
    assert "hint: " in hook.sent[0]["text"]


def test_refused_before_the_first_step(run: Run, shop: Path, hook: Hook) -> None:
    assert run("up").code == 0
    file = shop / "migrations/cortex/000002_add_bio.up.sql"
    file.write_text("ALTER TABLE users ADD COLUMN bio varchar;\n")
    assert run("up").code == 3
    assert hook.texts[1:] == ["shop: up failed"]
    assert "was edited after it was applied" in hook.sent[1]["text"]
    assert run("down", "2", "--domain", "cortex").code == 3
    assert "postal/000001_create_posts" in hook.sent[2]["text"]
    # A command line that cannot be is no run.
    assert run("down").code == run("up", "--domain", "none").code == 2
    assert len(hook.sent) == 3


def test_no_server_answers(run: Run, shop: Path, hook: Hook) -> None:
    secret = "postgresql://me:Pa55word-of-mine@127.0.0.1:1/x"
    assert run("up", "-d", secret).code == 4
    assert hook.texts == ["shop: up failed"]
    assert "Pa55word" not in json.dumps(hook.sent)


def test_stopped_by_a_signal(shop: Path, database: str, hook: Hook) -> None:
    write(shop, {"migrations/cortex/000003_bad.up.sql": "SELECT pg_sleep(40);\n", "migrations/cortex/000003_bad.down.sql": "SELECT 1;\n"})
    process = start("up", cwd=shop, env={"DATABASE_URL": database, "SHOP_HOOK": hook.url})
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    with psycopg.connect(database, autocommit=True) as connection:
        while connection.execute(query).fetchone() is None:
            assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert len(hook.texts) == 1 and hook.texts[0].startswith("shop: up was stopped")


def test_a_deployment_is_told_once(run: Run, shop: Path, hook: Hook) -> None:
    words = ("deploy", "--deployment", "d1", "--domain", "cortex", "--undo", "all", "--json", "--", "sh", "-c")
    failed = run(*words, "exit 7")
    assert failed.code == 1 and failed.document["warnings"] == []
    assert hook.texts == ["shop: deploy of cortex failed, 2 applied, 2 reverted"]
    assert "deployment d1 of cortex failed and is undone: the command exited 7" in hook.sent[0]["text"]
    assert run(*words, "exit 0").code == 0
    assert hook.texts[1:] == ["shop: deploy of cortex is done, 2 applied"]
    assert run("deploy", "begin", "d2", "--all-domains").code == 0
    assert run("up", "--deployment", "d2").code == 0
    assert run("deploy", "finish", "d2", "--failed", "--undo", "all").code == 0
    assert hook.texts[2:] == ["shop: up is done, 1 applied", "shop: deploy of all domains failed, 1 reverted"]
    assert "it was declared failed" in hook.sent[3]["text"]
    # Refused before it begins; and the hook in trouble changes nothing of a deployment.
    assert run(*words[:-3], "--resume", "--", "true").code == 3
    assert len(hook.sent) == 5
    hook.does = "500"
    answer = run(*words, "exit 1")
    assert answer.code == 1
    assert answer.document["warnings"] == [
        "plugin bgce_notifications: nobody is told of this run: the webhook of SHOP_HOOK answered 500 Internal Server Error"
    ]
    assert answer.err.count("warning: ") == 1


def test_only_what_was_asked_for(run: Run, shop: Path, hook: Hook) -> None:
    toml = shop / "bgce.toml"
    toml.write_text(TOML + 'on = ["failure"]\n')
    assert run("up").code == 0
    assert hook.sent == []
    toml.write_text(TOML + 'environments = ["production"]\n')
    write(shop, {name: text.replace("SELECT 1/0;\n", "") for name, text in BAD.items()})
    assert run("up").code == 0
    assert hook.sent == []
    assert run("down", "1", "--domain", "cortex", "--yes").code == 0
    # Recorded once, it is known without being said; a missing variable is told where somebody waits for it.
    assert run("--env", "production", "up").code == 0
    assert hook.texts == ["shop (production): up is done, 1 applied"]
    assert run("down", "1", "--domain", "cortex", "--yes").code == 0
    assert hook.texts[1:] == ["shop (production): down is done, 1 reverted"]
    empty = run("up", url="")
    assert empty.code == 0 and len(hook.sent) == 2
    assert "warning: plugin bgce_notifications: nobody is told of this run: SHOP_HOOK is empty" in empty.err


def test_off_by_default(run: Run, shop: Path, hook: Hook) -> None:
    (shop / "bgce.toml").write_text(TOML.replace('plugins = ["bgce_notifications"]\n', ""))
    assert run("up").code == 0
    (shop / "bgce.toml").write_text(TOML)
    assert run("down", "--all", "--yes", "--no-plugin", "bgce_notifications").code == 0
    assert hook.sent == []


def test_a_service_that_calls_the_library(
    shop: Path, database: str, hook: Hook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SHOP_HOOK", hook.url)
    assert library.up(shop, database_url=database).failure is None
    assert library.up(shop, database_url=database).result == "nothing_to_do"
    assert hook.texts == ["shop: up is done, 3 applied"]
    (shop / "migrations/cortex/000002_add_bio.up.sql").write_text("ALTER TABLE users ADD COLUMN bio varchar;\n")
    hook.does = "404"
    with caplog.at_level(logging.WARNING, "bgce_migrate"), pytest.raises(Refused):
        library.up(shop, database_url=database)
    assert hook.texts[1:] == ["shop: up failed"]
    assert "the webhook of SHOP_HOOK answered 404 Not Found" in caplog.text
