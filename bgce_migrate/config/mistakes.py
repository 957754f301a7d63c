"""Mistakes are collected over all files and raised as one error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec import Struct, field

from bgce_migrate.errors import BgceError, Problem, Where

E = TypeVar("E", bound=BgceError)


class Mistakes(Struct):
    """Everything found wrong so far, over all files."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, message: str, where: Where | None = None, hint: str | None = None) -> None:
        """Record a mistake; the same one at the same place counts once."""
        problem = Problem(message, where, hint)
        if problem not in self.problems:
            self.problems.append(problem)


def combined(type_: type[E], what: str, problems: Iterable[Problem]) -> E:
    """One error for all problems, sorted by place: the only one as it is, several under `what`."""
    ordered = tuple(sorted(problems, key=lambda p: (p.where.file, p.where.line or 0) if p.where else ("", 0)))
    if len(ordered) == 1:
        only = ordered[0]
        return type_(only.message, hint=only.hint, where=only.where, problems=ordered)
    return type_(f"{what}: {len(ordered)} mistakes", problems=ordered)
