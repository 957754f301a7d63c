"""One try of a transaction of our own: done, refused for want of a right, or something to try again."""

from __future__ import annotations

from collections.abc import Sequence

from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import Refused

_NO_RIGHT = "42501"  # insufficient_privilege


def attempt(session: Session, commands: Sequence[Command], refused: str, hint: str) -> Failed | None:
    """Run them in one round trip; after a failure the session is outside a transaction again.

    Args:
        refused: the sentence for a login that may not; the server's own words follow.

    Returns:
        None when all were run, else what failed: the caller decides whether waiting helps.

    Raises:
        Refused: this login may not.
    """
    try:
        session.run(commands)
    except Failed as failed:
        session.execute("ROLLBACK")
        if failed.error.sqlstate == _NO_RIGHT:
            raise Refused(f"{refused}: {failed.error.diag.message_primary}", hint=hint) from None
        return failed
    return None
