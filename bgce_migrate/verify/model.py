"""What proving says of a migration."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from bgce_migrate.fingerprint.compare import Difference
from bgce_migrate.fingerprint.mending import mend
from bgce_migrate.migration import MigrationId


class Verdict(str, Enum):
    """How a migration's down stands."""

    OK = "ok"
    ORDER = "order"  # equal but for the physical position of columns, which no down can restore
    IRREVERSIBLE = "irreversible"  # declared, with a reason
    MISSING = "missing"  # there is no down
    ERROR = "error"  # the down, or the up itself, does not run
    DIFFERS = "differs"  # the down does not undo the up
    REUP_ERROR = "reup_error"  # after the down the up does not run again
    REUP_DIFFERS = "reup_differs"  # it runs again, but makes something else
    NOT_REACHED = "not_reached"  # an earlier up does not run

    @property
    def passes(self) -> bool:
        """Whether nothing has to be mended."""
        return self in (Verdict.OK, Verdict.ORDER, Verdict.IRREVERSIBLE)


#: How a message begins where there is no database to prove the next on.
UP_FAILS = "the up fails"


class Proof(Struct, frozen=True):
    """The verdict on one migration.

    Attributes:
        differences: from what should be to what is.
        message: what the server said, or why there is no down.
        seconds: how long proving took.
        apart: it was proven with commits on a clone, because it cannot be in one transaction.
        data: what the probe with rows said: `lossless`, `loses: public.users.name`, `not probed: reason`, or empty where
            there was nothing to probe. Never an error.
        twice: what is wrong with running the up twice though it says IF NOT EXISTS throughout; never an error.
        kept: it was proven before, with all that came before it as it is now.
    """

    id: MigrationId
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    message: str = ""
    seconds: float = 0.0
    apart: bool = False
    data: str = ""
    twice: str = ""
    kept: bool = False

    @property
    def up_fails(self) -> bool:
        """Nothing after it can be reached."""
        return self.message.startswith(UP_FAILS)

    @property
    def statements(self) -> tuple[str, ...]:
        """What to add to the down."""
        if self.verdict is not Verdict.DIFFERS:
            return ()
        return tuple(dict.fromkeys(s for d in self.differences if (s := mend(d))))


def judge(undone: tuple[Difference, ...], again: tuple[Difference, ...]) -> tuple[Verdict, tuple[Difference, ...]]:
    """The verdict on what differs after the down, and after the second up."""
    if any(not d.is_order for d in undone):
        return Verdict.DIFFERS, undone
    if any(not d.is_order for d in again):
        return Verdict.REUP_DIFFERS, again
    return (Verdict.ORDER, (*undone, *again)) if undone or again else (Verdict.OK, ())
