"""Every error a user can meet: what happened, the next command, where, and the exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct


class Where(Struct, frozen=True):
    """A place in a file. Lines and columns count from 1; None means the whole file or line."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


class Problem(Struct, frozen=True):
    """One mistake among several that are reported together."""

    message: str
    where: Where | None = None
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class BgceError(Exception):
    """Base of all errors that are explained to the user without a traceback.

    Args:
        message: one sentence that names the object and the other party.
        hint: what to do next, best a command.
        where: the file, line and column it is about.
        problems: the single mistakes, when there are several.
        facts: what the server said beside its message: sqlstate, detail, hint, context; and what stands.
    """

    exit_code = 70

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        where: Where | None = None,
        problems: Sequence[Problem] = (),
        facts: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        self.problems = tuple(problems)
        self.facts = facts


class UsageError(BgceError):
    """The command line asks for something that cannot be (exit 2)."""

    exit_code = 2


class ConfigError(BgceError):
    """`bgce.toml`, a `domain.toml`, a plugin or a variable is wrong; all mistakes at once (exit 2)."""

    exit_code = 2


class SqlFileError(BgceError):
    """A migration file cannot be read as SQL, or holds what is refused before running (exit 2)."""

    exit_code = 2


class Refused(BgceError):
    """Refused before anything changed: declaration, order, ownership, target, edited file (exit 3).

    Plugins raise it from `pre_apply` to veto a step.
    """

    exit_code = 3


class HistoryBroken(Refused):
    """The recorded history contradicts itself, the lock file or a receipt (exit 3)."""


class Unavailable(BgceError):
    """No server answers, or the run lock was not obtained; nothing half done, safe to retry (exit 4)."""

    exit_code = 4


class NotReady(Unavailable):
    """What was waited for is not applied in time: the answer is no (exit 1)."""

    exit_code = 1


class LeadershipLost(Unavailable):
    """Another run took over; this one stopped after the step it was in (exit 4)."""


class StepFailed(BgceError):
    """A step failed and left nothing; earlier steps stand (exit 5)."""

    exit_code = 5


class NeedsHuman(BgceError):
    """A journaled statement is half done, or an outcome is unknown: a person must look (exit 6)."""

    exit_code = 6


class Interrupted(BgceError):
    """Stopped by a signal; the state is recorded (exit 130)."""

    exit_code = 130
