"""The repository that a project is in, and its target branch; without git installed, a note instead."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from bgce_migrate.config import Project
from bgce_migrate.errors import UsageError
from bgce_migrate.repository import Base, Repository, find_base, open_repository


class Surroundings(Struct, frozen=True):
    """Where a project stands."""

    repository: Repository | None
    base: Base


def look_around(project: Project, ref: str | None, environment: Mapping[str, str]) -> Surroundings:
    """Find the repository and the target branch.

    Args:
        ref: what `--base` said.

    Raises:
        UsageError: `ref` cannot be followed; without `ref` whatever is missing is a note of the base.
    """
    try:
        repository = open_repository(project.root)
    except UsageError as error:
        if ref is not None:
            raise
        return Surroundings(None, Base(reason=error.message, hint=error.hint))
    targets = {e.branch for e in project.environments.values() if e.branch}
    return Surroundings(repository, find_base(repository, ref, environment, targets=targets))
