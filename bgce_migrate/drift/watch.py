"""`--watch-ddl`: event triggers that write down who changed what and when; their SQL, and what they have seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg
from msgspec.structs import replace

from bgce_migrate.apply.target import Target
from bgce_migrate.db.session import Session, connect
from bgce_migrate.drift.model import Drift, Sighting
from bgce_migrate.errors import Refused

#: So many are told of one change.
_TOLD = 3


def statements(session: Session, *, remove: bool = False) -> tuple[str, ...]:
    """What a superuser runs, once; without semicolons."""
    if remove:
        return tuple(_split(session.query("drift_watch", "remove")))
    return (
        session.query("drift_watch", "table"),
        session.query("drift_watch", "on_ddl"),
        session.query("drift_watch", "on_drop"),
        *_split(session.query("drift_watch", "triggers")),
    )


def _split(text: str) -> Iterable[str]:
    return [part.strip() for part in text.split(";\n") if part.strip(" ;\n")]


def install(target: Target, *, remove: bool = False) -> None:
    """Make the event triggers, or take them away, in one transaction.

    Raises:
        Refused: the login is no superuser; says what to do.
    """
    if not target.facts.superuser:
        raise Refused(
            f"{target.facts.login} is no superuser of {target.facts.database}, and only one can make an event trigger",
            hint="bgce-migrate drift --watch-ddl=print writes the SQL for somebody who is",
        )
    with connect(target.address.conninfo, target.address.schema) as session:
        try:
            session.connection.execute("BEGIN")
            for text in statements(session, remove=remove):
                session.connection.execute(text.encode())
            session.connection.execute("COMMIT")
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error).strip()
            raise Refused(f"the event triggers could not be changed: {said}", hint="nothing was changed") from None


def sightings(target: Target) -> tuple[Sighting, ...]:
    """What was seen, the last first; nothing where nobody watches or this login may not look."""
    control = target.control
    if not control.ask("drift", "watched", target.address.schema):
        return ()
    return tuple(Sighting(*(v or "" for v in row)) for row in control.ask("drift", "sightings"))


def with_sightings(drifts: Iterable[Drift], seen: Sequence[Sighting]) -> list[Drift]:
    """Each drift with the commands that were seen on its object, or on what it is a part of."""
    by_name: dict[str, list[Sighting]] = {}
    for one in seen:
        by_name.setdefault(one.name, []).append(one)
    return [replace(d, seen=tuple(_of(d, by_name)[:_TOLD])) for d in drifts]


def _of(drift: Drift, by_name: dict[str, list[Sighting]]) -> list[Sighting]:
    own = list(by_name.get(drift.name, ()))
    whole = drift.difference.what.part_of.partition(" ")[2] if drift.difference is not None else ""
    name = drift.name.partition(" on ")[0]
    found = own or by_name.get(name, [])
    return found or [s for s in by_name.get(whole, ()) if s.command.startswith(("ALTER", "DROP"))]
