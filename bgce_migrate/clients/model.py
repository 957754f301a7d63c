"""Statements of services, how the server answers them, and what changes of that."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from bgce_migrate.migration import MigrationId


class Sent(Struct, frozen=True):
    """A statement that a service sends.

    Attributes:
        service: its name; empty if nobody said and no declaration tells.
        file, line: where it was read; the file is empty for what the server remembers.
        calls: how often the server saw it; 0 if not known.
    """

    service: str
    text: str
    file: str = ""
    line: int = 0
    calls: int = 0


class Answer(Struct, frozen=True):
    """What the server says to a statement without running it.

    Attributes:
        error: its message, with `sqlstate` and `position` (characters from 1, or 0); empty where it can be prepared.
        parameters: their types, in order.
        columns: (name, type) of the rows it gives.
    """

    error: str = ""
    sqlstate: str = ""
    position: int = 0
    parameters: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def works(self) -> bool:
        """Whether it can be prepared."""
        return not self.error


class Verdict(str, Enum):
    """What becomes of a statement."""

    WORKS = "works"
    BREAKS = "breaks"  # it worked before; or nothing was there before, and it does not work now
    CHANGES = "changes"  # it works, but takes or gives something else
    FAILED_BEFORE = "failed_before"  # no step of these is to blame


class Judged(Struct, frozen=True):
    """The verdict on one statement.

    Attributes:
        object: what is gone or other, e.g. `column public.posts.title`; empty where nothing tells.
        step: the one that breaks it; None where none of the new ones does.
        message: what the server says, or what changes.
    """

    sent: Sent
    verdict: Verdict
    message: str = ""
    sqlstate: str = ""
    object: str = ""
    step: MigrationId | None = None


class Checked(Struct, frozen=True):
    """All verdicts.

    Attributes:
        new: the steps whose effect was looked at, in order.
        left_out: statements that were not looked at, by reason.
        seconds_preparing: what preparing took in all, of `prepared` prepared statements.
    """

    judged: tuple[Judged, ...]
    new: tuple[MigrationId, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    prepared: int = 0
    seconds_preparing: float = 0.0

    @property
    def passes(self) -> bool:
        """Whether nothing breaks."""
        return all(j.verdict is not Verdict.BREAKS for j in self.judged)
