"""Deployments as values: what is asked for, what history says of them, and how they ended."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from bgce_migrate.errors import BgceError
from bgce_migrate.migration import MigrationId
from bgce_migrate.outcome import RunReport

#: The scope of a deployment of all domains.
EVERYTHING = "*"
#: What is undone: what running programs cannot live with, all that was applied, or nothing.
Undo = Literal["breaking", "all", "none"]
#: done; undone; kept (failed, and nothing is undone); open (stopped on the way: to be resumed or finished).
Result = Literal["done", "undone", "kept", "open", "begun"]


class Orders(Struct, frozen=True):
    """What one deployment is to do.

    Attributes:
        scope: a domain, or `EVERYTHING`.
        words: the command that deploys, as a list of arguments.
        health: a line for the shell; asked again and again until it exits 0.
        timeout: seconds for the command, and as many for its health.
        resume: go on with one that was stopped.
    """

    deployment: str
    scope: str
    undo: Undo = "breaking"
    words: tuple[str, ...] = ()
    health: str | None = None
    timeout: float = 600.0
    resume: bool = False

    @property
    def title(self) -> str:
        """How messages call it."""
        return titled(self.deployment, self.scope)


def titled(deployment: str, scope: str) -> str:
    """`deployment 4f2c of cortex`."""
    return f"deployment {deployment} of {'all domains' if scope == EVERYTHING else scope}"


class Event(Struct, frozen=True):
    """One row of history about a deployment; `word` is begin, undo, ok, undone or kept."""

    history_id: int
    run_id: str
    deployment: str
    word: str
    scope: str


class Standing(Struct, frozen=True):
    """Where one deployment stands in one scope, by its events, oldest first."""

    deployment: str
    scope: str
    events: tuple[Event, ...] = ()

    @property
    def last(self) -> str:
        """The last word; "" where nothing was ever recorded."""
        return self.events[-1].word if self.events else ""

    @property
    def is_open(self) -> bool:
        """It has begun and has no end."""
        return self.last in ("begin", "undo")

    @property
    def floor(self) -> int:
        """The history row up to which everything stands for good: that of its last good end."""
        return max((e.history_id for e in self.events if e.word == "ok"), default=0)

    @property
    def runs(self) -> frozenset[str]:
        """The runs that it has begun itself since then."""
        return frozenset(e.run_id for e in self.events if e.history_id > self.floor)


class Ended(Struct, frozen=True):
    """How a program ended.

    Attributes:
        what: "command" or "health".
        code: its exit code; negative for a signal; None where time was up.
    """

    what: str
    code: int | None
    seconds: float

    @property
    def well(self) -> bool:
        """Exit code 0."""
        return self.code == 0

    @property
    def sentence(self) -> str:
        """How it ended, for people."""
        if self.code is None:
            how = "was not done in time"
        elif self.code < 0:
            how = f"was ended by signal {-self.code}"
        else:
            how = f"exited {self.code}"
        return f"the {'health check' if self.what == 'health' else self.what} {how} after {self.seconds:.1f} s"


class Kept(Struct, frozen=True):
    """A step of this deployment that stays although it failed, and why."""

    id: MigrationId
    why: str


class DeployReport(Struct, frozen=True):
    """The whole story of one call of `deploy`.

    Attributes:
        up: the run that applied; None where it did not come to that.
        undo: the run that undid; None where there was nothing to undo.
        reason: why it failed; None where it did not.
        failure: what the exit code comes from, or None.
        warnings: what plugins could not do with it.
    """

    deployment: str
    scope: str
    result: Result
    up: RunReport | None = None
    ran: tuple[Ended, ...] = ()
    undo: RunReport | None = None
    kept: tuple[Kept, ...] = ()
    reason: str | None = None
    failure: BgceError | None = None
    warnings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How messages call it."""
        return titled(self.deployment, self.scope)

    @property
    def exit_code(self) -> int:
        """0, or the failure's code."""
        return self.failure.exit_code if self.failure else 0
