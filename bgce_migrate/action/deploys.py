"""Which environment a branch is deployed to, as `bgce.toml` says it."""

from __future__ import annotations

from bgce_migrate.action.event import Event
from bgce_migrate.config import Project
from bgce_migrate.config.project import Environment
from bgce_migrate.errors import Refused, UsageError


def choose(project: Project, event: Event, wanted: str, *, changes: bool) -> Environment | None:
    """The environment of this run; None where the project declares none.

    Args:
        wanted: the input `environment`; "" lets the branch decide.
        changes: the database is going to be changed, so a run without an environment is refused.

    Raises:
        UsageError: there is no environment `wanted`.
        Refused: the branch belongs to no environment, or to another one than `wanted`.
    """
    known = project.environments
    if wanted:
        if wanted not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise UsageError(f"there is no environment '{wanted}'", hint=f"declared in bgce.toml: {listed}")
        found = known[wanted]
        if changes and found.branch is not None and found.branch != event.branch:
            raise Refused(
                f"environment {wanted} is deployed from branch {found.branch}, this run is for {_said(event)}",
                hint=f"run it on {found.branch}, or change [environments.{wanted}] branch",
            )
        return found
    matching = [e for e in known.values() if e.branch is not None and e.branch == event.branch]
    if len(matching) == 1:
        return matching[0]
    if matching:
        names = ", ".join(e.name for e in matching)
        raise Refused(f"branch {event.branch} is deployed to several environments: {names}", hint="name one: with: environment")
    if changes and known:
        listed = ", ".join(f"{e.name} ({e.branch or 'any branch, when named'})" for e in known.values())
        raise Refused(
            f"{_said(event)} is deployed to no environment; there are: {listed}",
            hint="give one of them this branch in bgce.toml, or name one: with: environment",
        )
    return None


def _said(event: Event) -> str:
    return f"branch {event.branch}" if event.branch else "no branch"
