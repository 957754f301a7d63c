"""`plan` and `up` on a real database: environments, deployments, refusals, outputs, and the end of a job."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.action.events import GOOD, Proposal
from tests.cli.program import bgce
from tests.servers import as_superuser, make_administrator

pytestmark = pytest.mark.postgres(18)
SECRET = "s3cret-of-the-database"


@pytest.fixture
def deployed(proposal: Proposal) -> Proposal:
    """`main` with a good migration."""
    proposal.site.git("checkout", "-q", "main")
    proposal.site.commit("slug", GOOD)
    assert proposal.site.bgce("lock").code == 0
    proposal.head = proposal.site.commit("lock")
    return proposal


def _password(url: str) -> str:
    """A login of its own, whose password must not be seen."""
    role = f"deployer_{os.getpid()}"
    make_administrator(url, role)
    with psycopg.connect(as_superuser(url), autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {role} PASSWORD '{SECRET}'")
    rest = url.partition("@")[2]
    return f"postgresql://{role}:{SECRET}@{rest}"


def test_plan_up_and_once_more(deployed: Proposal, database: str) -> None:
    url = _password(database)
    event = deployed.push() | {"DATABASE_URL": url}
    planned = deployed.use(event, command="plan")
    assert planned.succeeded and planned.outputs["pending"] == "4", planned.log
    assert json.loads(Path(planned.outputs["plan-path"]).read_text())["schema"] == "bgce-migrate/plan/1"

    done = deployed.runner(event).use(command="up", expect=planned.outputs["fingerprint"])
    assert done.succeeded, done.log
    wanted = {"result": "pass", "exit-code": "0", "applied": "4", "pending": "0", "environment": "production",
              "deployment": deployed.head, "fingerprint": planned.outputs["fingerprint"]}  # fmt: skip
    assert {name: done.outputs[name] for name in wanted} == wanted
    receipt = json.loads(Path(done.outputs["receipt-path"]).read_text())
    assert receipt["deployment"] == deployed.head and receipt["heads"]
    said = [line for line in done.log.splitlines() if not line.startswith("::")]
    assert said and all(line.startswith("[production] ") for line in said), done.log
    shown = done.summary + "".join(line for line in done.log.splitlines() if not line.startswith("::add-mask::"))
    assert SECRET not in shown and f"::add-mask::{SECRET}" in done.log
    assert SECRET not in "".join(f.read_text() for f in Path(done.outputs["report-path"]).iterdir())
    assert done.steps["Restore downloads and facts"] == "skipped"
    assert "cortex/000001&#95;create&#95;users" in done.summary

    again = deployed.use(event, command="up")
    assert again.succeeded and again.outputs["applied"] == "0" and "Nothing to do" in again.log

    undone = bgce("down", "--deployment", deployed.head, "--yes", cwd=deployed.site.root, env={"DATABASE_URL": url})
    assert undone.code == 0, undone.err


def test_a_database_of_another_environment_is_refused(deployed: Proposal, database: str) -> None:
    assert deployed.use(deployed.push() | {"DATABASE_URL": database}, command="up").succeeded
    # The secrets were mixed up: staging's variable holds production's address.
    for command in ("up", "plan"):
        done = deployed.use(deployed.push("develop") | {"STAGING_URL": database}, command=command)
        assert done.outputs["exit-code"] == "3" and done.outputs["environment"] == "staging"
        assert "is recorded as environment production, this run is for staging" in done.log
    root = deployed.site.root
    said = bgce("repair", "--env", "staging", "--accept-environment", "a copy", cwd=root, env={"STAGING_URL": database})
    assert said.code == 0, said.err
    assert bgce("status", "--env", "staging", cwd=root, env={"STAGING_URL": database}).code == 0
    refused = bgce("status", "--env", "production", cwd=root, env={"DATABASE_URL": database})
    assert refused.code == 3 and "recorded as environment staging" in refused.err
    history = bgce("history", "--verify", "--json", cwd=root, env={"DATABASE_URL": database})
    rows = [(r["name"], r["error"]) for r in history.document["rows"] if r["direction"] == "correction"]
    assert rows == [("environment", "production"), ("accept-environment", "a copy"), ("environment", "staging")]
    assert history.document["verified"]


@pytest.mark.parametrize("value, code, said", [
    ("", "2", "set and empty"),
    (None, "2", "is not set"),
    ("postgresql://nobody:secret-word@127.0.0.1:1/x", "4", ""),
])  # fmt: skip
def test_no_database(value: str | None, code: str, said: str, deployed: Proposal) -> None:
    event = deployed.push() | ({} if value is None else {"DATABASE_URL": value})
    done = deployed.use(event, command="up", comment="always")
    assert not done.succeeded and done.outputs["exit-code"] == code and done.outputs["result"] == "fail"
    assert said in done.log and done.annotations("error") and done.outputs["receipt-path"] == ""
    if value:
        assert "secret-word" not in done.summary


def test_branches_and_environments(deployed: Proposal) -> None:
    done = deployed.use(deployed.push("feature"), command="up")
    assert done.outputs["exit-code"] == "3" and "branch feature is deployed to no environment" in done.log
    done = deployed.use(deployed.push("feature"), command="up", environment="production")
    assert done.outputs["exit-code"] == "3" and "production is deployed from branch main" in done.log
    tag = deployed.event("push", "refs/tags/v1", {"ref": "refs/tags/v1"})
    assert deployed.use(tag, command="up").outputs["exit-code"] == "3"
    # Another environment's database does not pass for the one of this branch.
    done = deployed.use(deployed.push("develop") | {"DATABASE_URL": "postgresql://127.0.0.1:1/x"}, command="plan")
    assert done.succeeded and done.outputs["pending"] == "4" and "plan for an empty one" in done.log


def test_a_failed_step(deployed: Proposal, database: str) -> None:
    deployed.site.write({"migrations/postal/000003_bad.up.sql": "ALTER TABLE posts ADD CHECK (1 / 0 = 1);\n",
                         "migrations/postal/000003_bad.down.sql": "SELECT 1;\n"})  # fmt: skip
    deployed.site.bgce("lock")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE posts (id int)")  # in the way
    done = deployed.use(deployed.push() | {"DATABASE_URL": database}, command="up")
    assert done.outputs["exit-code"] == "5" and done.outputs["applied"] == "2"
    assert int(done.outputs["pending"]) >= 2 and "posts" in done.summary
    assert Path(done.outputs["receipt-path"]).is_file()


@pytest.mark.parametrize("how", ["timeout", "cancelled"])
def test_stopped(how: str, deployed: Proposal, database: str, make_database: Callable[..., str]) -> None:
    """While another session holds the table: the step ends, the outputs are set, nothing is half done."""
    event = deployed.push() | {"DATABASE_URL": database, "BGCE_LOCK_TIMEOUT": "60s"}
    assert bgce("up", "2", cwd=deployed.site.root, env=event).code == 0
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")

        def cancel(name: str, process: subprocess.Popen[bytes]) -> None:
            if name == "Run" and how == "cancelled":
                threading.Thread(target=_when_waiting, args=(database, process)).start()

        runner = deployed.runner(event, watch=cancel)
        done = runner.use(command="up", timeout="6" if how == "timeout" else "600", upload_report="false")
    assert not done.succeeded
    assert done.outputs["exit-code"] == "130" and done.outputs["result"] == "fail", done.log
    assert done.outputs["applied"] == "0"
    if how == "timeout":
        assert "6 s are over" in done.log


def _when_waiting(url: str, process: subprocess.Popen[bytes]) -> None:
    """Signal the step as a runner does, when the server says that its statement waits."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(url, autocommit=True) as connection:
        while process.poll() is None:
            row = connection.execute(query).fetchone()
            if row and row[0]:
                process.send_signal(signal.SIGINT)
                return
