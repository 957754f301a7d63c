"""Where sequences stand, and putting them back: no rollback does that."""

from __future__ import annotations

from collections.abc import Mapping

from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import set_role
from bgce_migrate.db.wire import Command


def positions(session: Session, role: str | None) -> Mapping[str, tuple[str, str | None]]:
    """The start and the last value of each sequence that a role may set, by OID; inside an open transaction."""
    asked = Command(session.query("catalog_changes", "positions"))
    replies = session.run([Command(set_role(role)), asked, Command(set_role(None))])
    return {oid or "": (start or "", last) for oid, start, last in replies[1].rows}


def put_back(session: Session, role: str | None, then: Mapping[str, tuple[str, str | None]]) -> None:
    """Set what has moved since back to where it was."""
    if not then:
        return
    now = positions(session, role)
    text = session.query("catalog_changes", "put_back")
    moved = [(oid, *was) for oid, was in then.items() if now.get(oid, was) != was]
    if moved:
        back = [Command(text, (oid, start if last is None else last, str(last is not None).lower())) for oid, start, last in moved]
        session.run([Command(set_role(role)), *back, Command(set_role(None))])
