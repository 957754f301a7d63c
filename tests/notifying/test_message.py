"""The message itself: what it may hold, and the limits of whoever shows it."""

from __future__ import annotations

import json
from typing import Any

from bgce_migrate.errors import StepFailed
from bgce_migrate.hookspecs import hookimpl
from bgce_migrate.host import Host, Plugin
from bgce_migrate.migration import Direction, MigrationId, Plan
from bgce_migrate.notifying.message import message
from bgce_migrate.outcome import RunReport, StepResult, StepStatus


def step(number: int, status: StepStatus = StepStatus.APPLIED, name: str = "x") -> StepResult:
    return StepResult(MigrationId("postal", number, name), Direction.UP, status, 12.0)


def texts(value: Any) -> list[str]:
    """Every text that is shown."""
    if isinstance(value, dict):
        return [t for k, v in value.items() for t in ([v] if k == "text" and isinstance(v, str) else texts(v))]
    return [t for v in value for t in texts(v)] if isinstance(value, list) else []


def test_nobody_calls_a_channel() -> None:
    error = StepFailed("<!channel> ``` & <https://evil|here>", hint="<@U1>")
    made = message("shop", RunReport("r", "failed", steps=(step(1, StepStatus.FAILED, "<!here>"),), failure=error, deployment="<!all>"))
    shown = json.dumps(made)
    assert "<!" not in shown and "<@" not in shown and "<http" not in shown
    assert shown.count("```") == 2


def test_long_runs_and_long_errors_are_cut() -> None:
    steps = (*(step(n, name="n" * 200) for n in range(1, 500)), step(500, StepStatus.FAILED, "the_culprit"))
    error = StepFailed("e" * 9000, hint="h" * 9000, facts={"detail": "Key (email)=(me@example.org) already exists."})
    made: Any = message("s" * 300, RunReport("r", "failed", steps=steps, failure=error, deployment="d" * 200))
    header, *sections, context = made["blocks"]
    assert len(header["text"]["text"]) <= 150
    assert all(len(text) <= 3000 for text in texts([*sections, context]))
    assert "the_culprit" in sections[1]["text"]["text"] and "and 480 more" in sections[1]["text"]["text"]
    # What the server quotes of rows stays inside.
    assert "me@example.org" not in json.dumps(made)


def test_whoever_takes_the_report_hears_of_runs_only() -> None:
    heard: list[str] = []

    class OfRuns:
        @hookimpl
        def post_apply(self, report: RunReport) -> None:
            heard.append(f"run {report.run_id}")

    class OfSteps:
        @hookimpl
        def post_apply(self, result: StepResult) -> None:
            heard.append(str(result.id))

    host = Host([Plugin("a", OfRuns()), Plugin("b", OfSteps())])
    assert host.post_apply(step(1), Plan((), "")) == ()
    assert host.run_ended(RunReport("r", "done")) == ()
    assert heard == ["postal/000001_x", "run r"]
    assert host.hears_runs and not Host([Plugin("b", OfSteps())]).hears_runs
