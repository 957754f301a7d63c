"""`measure: true`: what the new steps lock, rewrite and read, seen on a throw-away server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from bgce_migrate.action.job import Job, failure_of
from bgce_migrate.action.program import Answer
from bgce_migrate.action.remarks import remarks_of
from bgce_migrate.migration import Severity
from bgce_migrate.report.comment import Remark, StepLine


class Seen(Struct, frozen=True):
    """What was measured: the findings, and of each migration whom it stops."""

    remarks: tuple[Remark, ...] = ()
    stopped: Mapping[str, str] = field(default_factory=dict)


def measure(job: Job) -> Seen:
    """Measure what the target branch does not have."""
    program, towards = job.towards_database()
    base = (f"--base={job.inputs.base_ref}",) if job.inputs.base_ref else ()
    changed = ("--changed",) if job.inputs.changed_only else ()
    answer = program.ask("plan", "--json", *measuring_words(job), *changed, *base, *towards)
    job.save("measured.json", answer.text)
    return seen_in(job, answer)


def measuring_words(job: Job) -> tuple[str, ...]:
    """How `plan` is asked to measure."""
    stats = Path(job.inputs.stats).absolute() if job.inputs.stats else None
    return ("--measure", *((f"--stats={stats}",) if stats is not None else ()))


def seen_in(job: Job, answer: Answer) -> Seen:
    """What the document of `plan --measure` says; that it could not be done is a warning."""
    found = answer.document.get("measured")
    if not isinstance(found, dict):
        message, hint = failure_of(answer) or (f"exit code {answer.code}", "see the log")
        return Seen((Remark(Severity.WARNING, "measured-failure", f"nothing was measured: {message}", hint=hint),))
    steps = [s for s in found.get("steps") or () if isinstance(s, dict)]
    stopped = {str(s.get("id", "")): "; ".join(map(_block, s.get("blocks") or ())) for s in steps}
    return Seen(remarks_of(job, found.get("findings")), stopped)


def lines_of(seen: Seen) -> tuple[StepLine, ...]:
    """The migrations that stop somebody, for the page."""
    return tuple(StepLine(id, "stops", remark=said) for id, said in seen.stopped.items() if said)


def _block(block: Mapping[str, Any]) -> str:
    seconds, services = block.get("estimated_seconds"), block.get("services") or ()
    said = f"{block.get('stops')} of {block.get('table')} ({block.get('domain') or 'nobody'}), {block.get('mode')}"
    said += f", about {seconds:.0f} s (estimate)" if isinstance(seconds, (int, float)) and seconds >= 1 else ""
    return said + (f": {_names(services)}" if services else "")


def _names(services: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(f"{s.get('service')} ({s.get('domain')})" for s in services))
