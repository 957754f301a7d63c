"""`command: lint`: every finding as an annotation, as SARIF and on the page."""

from __future__ import annotations

import json

from msgspec.structs import replace

from bgce_migrate.action.job import Job, Result, failure_of
from bgce_migrate.action.measuring import Seen, lines_of, measure
from bgce_migrate.action.remarks import annotate, in_order, remarks_of
from bgce_migrate.action.review import Review, review
from bgce_migrate.migration import Severity
from bgce_migrate.report.comment import Page, Remark


def lint(job: Job) -> Result:
    """Judge the proposal, annotate its lines, and make its page."""
    inputs = job.inputs
    words = [f"--fail-on={inputs.fail_on}"] if inputs.fail_on not in ("", "never") else []
    words += [f"--base={inputs.base_ref}"] if inputs.base_ref else []
    words += [] if inputs.changed_only else ["--all"]
    words += [f"--target={inputs.postgres_version}"] if inputs.postgres_version else []
    words += [f"--client={word}" for word in inputs.client_statements.split()]
    answer = job.program.ask("lint", "--json", "--format=json", *words)
    outputs = {"report-path": str(job.reports)}
    job.save("lint.json", answer.text)
    if inputs.sarif_file and answer.code in (0, 1):
        sarif = job.program.ask("lint", "--format=sarif", *words, quiet=True)
        if sarif.code in (0, 1):
            outputs["sarif-path"] = job.save(inputs.sarif_file, sarif.text)
        else:
            job.console.say("the SARIF file could not be made")
    read = review(job)
    seen = measure(job) if inputs.measure else Seen()
    remarks = in_order((*remarks_of(job, answer.document.get("findings")), *seen.remarks))
    if inputs.annotations:
        annotate(job, remarks)
    count = {s: sum(1 for r in remarks if r.severity is s) for s in Severity}
    code = 0 if answer.code == 1 and inputs.fail_on == "never" else answer.code or _weight(job, seen)
    touched = dict.fromkeys([c.domain for c in read.changes] + [r.domain for r in remarks if r.domain])
    outputs |= {
        "errors": str(count[Severity.ERROR]),
        "warnings": str(count[Severity.WARNING]),
        "notes": str(count[Severity.NOTE]),
        "changed-files": json.dumps(read.files),
        "domains-touched": json.dumps(list(touched)),
    }
    heavy = count[Severity.ERROR] + count[Severity.WARNING]
    failure = failure_of(answer)
    page = replace(_page(job, code, remarks, read, failure), steps=lines_of(seen))
    return Result(code, page, outputs, clean=not heavy and code == 0, warned=heavy > 0)


def _page(
    job: Job, code: int, remarks: tuple[Remark, ...], read: Review, failure: tuple[str, str] | None
) -> Page:
    errors, warnings = (sum(1 for r in remarks if r.severity is s) for s in (Severity.ERROR, Severity.WARNING))
    if failure is not None or code not in (0, 1):
        verdict = f"Could not be checked (exit code {code})."
    elif code:
        verdict = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}: mend what stands first, then push again."
    elif errors or warnings:
        verdict = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}, and nothing that stops this."
    else:
        verdict = "Nothing to mend."
    facts = [("environment", job.deploys.name)] if job.deploys else []
    facts += [("commit", job.event.commit[:10])] if job.event.commit else []
    facts += [read.base] if read.base[0] else []
    return Page(
        "bgce-migrate lint", verdict, code == 0, failure, remarks, read.changes, diagram=read.diagram, sql=read.sql,
        facts=tuple(facts),
    )  # fmt: skip


def _weight(job: Job, seen: Seen) -> int:
    """The exit code for what was measured, by the same measure as lint's."""
    if job.inputs.fail_on == "never":
        return 0
    least = Severity(job.inputs.fail_on) if job.inputs.fail_on else job.project.lint.fail_on
    weights = list(Severity)
    return int(any(weights.index(r.severity) <= weights.index(least) for r in seen.remarks))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
