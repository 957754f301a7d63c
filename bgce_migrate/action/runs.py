"""`command: plan` and `command: up`: what would be applied, and applying it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bgce_migrate.action.job import Job, Result, failure_of
from bgce_migrate.action.measuring import Seen, measuring_words, seen_in
from bgce_migrate.action.program import Answer
from bgce_migrate.action.remarks import annotate, in_order
from bgce_migrate.report.comment import Page, StepLine


def plan(job: Job) -> Result:
    """Show what `up` would do; against an empty database where the environment's variable is not set."""
    program, towards = job.towards_database()
    words = (*job.one_domain, *towards, *(measuring_words(job) if job.inputs.measure else ()))
    answer = program.ask("plan", "--json", *words)
    steps = _entries(answer, "steps")
    outputs = {"report-path": str(job.reports), "plan-path": job.save("plan.json", answer.text)}
    outputs |= {"pending": str(len(steps)), "fingerprint": _word(answer, "fingerprint")}
    seen = seen_in(job, answer) if job.inputs.measure and answer.document.get("steps") else Seen()
    if job.inputs.annotations:
        annotate(job, seen.remarks)
    lines = tuple(
        StepLine(
            id := str(s.get("id", "")), f"{s.get('direction')}, {s.get('statements')} statements", remark=seen.stopped.get(id, "")
        )
        for s in steps
    )
    verdict = f"{len(steps)} pending." if answer.code == 0 else f"No plan (exit code {answer.code})."
    page = Page(
        "bgce-migrate plan", verdict, answer.code == 0, failure_of(answer), in_order(seen.remarks), steps=lines,
        facts=tuple(_facts(job, {"plan": _word(answer, "fingerprint")})),
    )  # fmt: skip
    return Result(answer.code, page, outputs, clean=answer.code == 0 and not steps)


def up(job: Job) -> Result:
    """Apply what is pending; the receipt is kept whatever happens."""
    receipt = job.reports / "receipt.json"
    words = [f"--report={receipt}", *job.one_domain]
    words += [f"--env={job.deploys.name}"] if job.deploys is not None else []
    words += [f"--deployment={job.deployment}"] if job.deployment else []
    words += [f"--expect={job.inputs.expect}"] if job.inputs.expect else []
    answer = job.program.ask("up", "--json", *words)
    steps = _entries(answer, "steps")
    applied = sum(1 for s in steps if s.get("status") == "applied")
    outputs = {
        "report-path": str(job.reports),
        # A run that ended before its first step leaves the file empty.
        "receipt-path": str(receipt) if receipt.is_file() and receipt.stat().st_size else "",
        "applied": str(applied),
        "pending": str(len(steps) - applied),
        "fingerprint": _word(answer, "fingerprint"),
        "deployment": job.deployment,
    }
    if answer.code == 0:
        verdict = f"{applied} applied." if applied else "Nothing to do: everything is applied."
    else:
        verdict = f"{applied} of {len(steps)} applied (exit code {answer.code})."
    target = answer.document.get("target")
    database = str(target.get("database", "")) if isinstance(target, dict) else ""
    facts = {"database": database, "deployment": job.deployment, "run": _word(answer, "run_id"), "plan": _word(answer, "fingerprint")}
    page = Page(
        "bgce-migrate up", verdict, answer.code == 0, failure_of(answer), steps=tuple(_lines(steps)),
        facts=tuple(_facts(job, facts)),
    )  # fmt: skip
    return Result(answer.code, page, outputs, clean=answer.code == 0)


def _lines(steps: Iterable[dict[str, Any]]) -> Iterable[StepLine]:
    for step in steps:
        error = step.get("error")
        said = str(error.get("message", "")) if isinstance(error, dict) else ""
        took = step.get("duration_ms")
        ran = isinstance(took, (int, float)) and step.get("status") != "not_run"
        yield StepLine(str(step.get("id", "")), str(step.get("status", "")), float(took) if ran and took else None, said)


def _facts(job: Job, more: dict[str, str]) -> Iterable[tuple[str, str]]:
    yield "environment", job.deploys.name if job.deploys is not None else "none"
    yield from ((name, value) for name, value in more.items() if value)


def _entries(answer: Answer, name: str) -> list[dict[str, Any]]:
    found = answer.document.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _word(answer: Answer, name: str) -> str:
    found = answer.document.get(name)
    return found if isinstance(found, str) else ""
