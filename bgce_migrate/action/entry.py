"""The entry: inputs and event in; log, annotations, summary, comment, outputs and exit code out, on every path."""

from __future__ import annotations

import hashlib
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from bgce_migrate.action.console import SUMMARY_LIMIT, Console, write_outputs, write_summary
from bgce_migrate.action.deploys import choose
from bgce_migrate.action.discussion import Discussion
from bgce_migrate.action.event import Event, read_event
from bgce_migrate.action.github import GitHub, GitHubFault
from bgce_migrate.action.inputs import Inputs, read_inputs
from bgce_migrate.action.job import OUTPUTS, Job, Result
from bgce_migrate.action.program import Program
from bgce_migrate.config import Project
from bgce_migrate.desk import load_project
from bgce_migrate.errors import BgceError, Interrupted, UsageError
from bgce_migrate.report.comment import Page, render

#: Room for what other steps of the job write into the same summary is theirs: each step has its own file.
_SUMMARY = SUMMARY_LIMIT - 4096


def run(environment: Mapping[str, str]) -> int:
    """Do what the inputs ask for; never raises.

    Args:
        environment: variables of the process.

    Returns:
        The exit code of the step.
    """
    console = Console(sys.stdout)
    outputs = dict(OUTPUTS)
    result, inputs = Result(70, Page("bgce-migrate", "Did not run.", False)), Inputs()
    event = read_event(environment)
    try:
        inputs = read_inputs(environment.get("INPUTS"))
        if inputs.github_token:
            console.hide(inputs.github_token)
        result = _do(_job(inputs, event, console, environment, outputs))
    except BgceError as error:
        result = _failed(console, inputs, error)
    except KeyboardInterrupt:
        result = _failed(console, inputs, Interrupted("interrupted", hint="run the job again: what stands is recorded"))
    except Exception as error:  # whatever it is, the outputs are set
        console.say("".join(traceback.format_exception(type(error), error, error.__traceback__)))
        result = _failed(console, inputs, BgceError(f"unexpected {type(error).__name__}: this is a bug of bgce-migrate"))
    outputs |= {name: value for name, value in result.outputs.items() if value or not outputs[name]}
    outputs |= {"exit-code": str(result.code), "result": _word(result)}
    try:
        _publish(console, inputs, event, environment, result, outputs)
    except Exception as error:  # a page that is not shown fails no job
        console.say(f"the page could not be shown: {type(error).__name__}: {error}")
    write_outputs(environment.get("GITHUB_OUTPUT"), outputs)
    return result.code


def _job(inputs: Inputs, event: Event, console: Console, environment: Mapping[str, str], outputs: dict[str, str]) -> Job:
    try:
        os.chdir(inputs.folder)
    except OSError as error:
        raise UsageError(f"working-directory {inputs.working_directory}: {error.strerror}") from None
    project = _project(inputs)
    _hide_databases(console, project, environment)
    deploys = choose(project, event, inputs.environment, changes=inputs.command == "up")
    outputs["environment"] = deploys.name if deploys else ""
    console.label = deploys.name if deploys else "no environment"
    if event.branch:
        console.say(f"{inputs.command} for branch {event.branch} at {event.commit[:10] or 'no commit'}")
    reports = Path(environment.get("RUNNER_TEMP") or ".") / "bgce-migrate" / "report"
    reports.mkdir(parents=True, exist_ok=True)
    shared = [f"--config={inputs.config}"] if inputs.config else []
    shared += [f"--migrations={inputs.path}"] if inputs.path else []
    program = Program(console, environment, Path.cwd(), tuple(shared), inputs.timeout)
    return Job(inputs, event, console, environment, project, deploys, reports.absolute(), program)


def _project(inputs: Inputs) -> Project:
    project, _ = load_project(
        Path.cwd(),
        Path(inputs.config) if inputs.config else None,
        Path(inputs.path) if inputs.path else None,
        plugins_required=False,
    )
    return project


def _hide_databases(console: Console, project: Project, environment: Mapping[str, str]) -> None:
    names = {*project.database.url_env, *(n for e in project.environments.values() for n in e.url_env)}
    for name in sorted({*names, "BGCE_DATABASE_URL"}):
        console.secrets.add_conninfo(environment.get(name))
    console.secrets.add(environment.get("PGPASSWORD"))
    for secret in console.secrets.known:
        console.hide(secret)


def _do(job: Job) -> Result:
    if job.inputs.command == "lint":
        from bgce_migrate.action.lint import lint as do
    elif job.inputs.command == "plan":
        from bgce_migrate.action.runs import plan as do
    else:
        from bgce_migrate.action.runs import up as do
    return do(job)


def _failed(console: Console, inputs: Inputs, error: BgceError) -> Result:
    listed = "; ".join(dict.fromkeys([error.message, *(str(p) for p in error.problems)]))
    console.say(f"error: {listed}" + (f"\nhint: {error.hint}" if error.hint else ""))
    file, line = (error.where.file, error.where.line) if error.where else (None, None)
    console.annotate("error", listed + (f"\nhint: {error.hint}" if error.hint else ""), file=file, line=line, title="bgce-migrate")
    page = Page(f"bgce-migrate {inputs.command}", f"Stopped (exit code {error.exit_code}).", False, (listed, error.hint or ""))
    return Result(error.exit_code, page)


def _word(result: Result) -> str:
    if result.code:
        return "fail"
    return "warn" if result.warned else "pass"


def _publish(
    console: Console, inputs: Inputs, event: Event, environment: Mapping[str, str], result: Result, outputs: dict[str, str]
) -> None:
    if result.page.failure is not None and result.outputs:
        message, hint = result.page.failure
        console.annotate("error", message + (f"\nhint: {hint}" if hint else ""), title="bgce-migrate")
    console.say(f"{result.page.heading}: {result.page.verdict}")
    if inputs.summary:
        write_summary(environment.get("GITHUB_STEP_SUMMARY"), console.secrets.mask(render(result.page, _SUMMARY)))
    wanted = inputs.comment == "always" or (inputs.comment == "auto" and inputs.command == "lint")
    if not wanted or event.pull_request is None or not inputs.github_token or not event.repository:
        return
    place = f"{inputs.command} {inputs.working_directory} {inputs.config} {inputs.path}"
    marker = f"<!-- bgce-migrate {hashlib.sha256(place.encode()).hexdigest()[:16]} -->"
    github = GitHub(event.api_url, event.repository, inputs.github_token)
    discussion = Discussion(github, event.pull_request, marker)
    try:
        if result.clean and inputs.comment == "auto":
            if discussion.remove():
                console.say("all is clean: the comment was removed")
        else:
            outputs["comment-url"] = discussion.write(lambda limit: console.secrets.mask(render(result.page, limit, head=marker)))
    except GitHubFault as fault:
        why = " (a fork's token may only read)" if event.fork else ""
        console.say(f"no comment was written{why}: {fault}; the summary says the same")
