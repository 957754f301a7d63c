"""What drift is: a foreign change, whose object it is about, and the SQL that mends it either way."""

from __future__ import annotations

from msgspec import Struct

from bgce_migrate.fingerprint.compare import Difference


class Sighting(Struct, frozen=True):
    """What the event trigger of `--watch-ddl` wrote down.

    Attributes:
        at: ISO, UTC.
        who: the login; `role` is who it acted as.
        command: PostgreSQL's command tag, e.g. `ALTER TABLE`.
        kind, name: of the object, in the server's words: `table`, `public.users`.
        client: application name and address.
    """

    at: str
    who: str
    role: str
    command: str
    kind: str
    name: str
    client: str = ""


class Drift(Struct, frozen=True):
    """One foreign change.

    Attributes:
        kind, name: of the object.
        domain: whose it is; empty: nobody's.
        text: what differs, in a line.
        back: the statements that lead back to what the files say, without semicolons; none: write them by hand.
        taking_in: what a new migration says so that the files say what is there.
        difference: from what should be to what is; None for rights.
        seen: who did it, where the event trigger saw it; the last one first.
        advice: where neither can be told in SQL.
    """

    kind: str
    name: str
    domain: str
    text: str
    back: tuple[str, ...] = ()
    taking_in: tuple[str, ...] = ()
    difference: Difference | None = None
    seen: tuple[Sighting, ...] = ()
    advice: str = ""


class Aside(Struct, frozen=True):
    """What is there beside history and is no drift: `objects` by name, and why."""

    reason: str
    objects: tuple[str, ...]


class Found(Struct, frozen=True):
    """What came out.

    Attributes:
        fingerprint: of the plan that history tells: what was applied, in its order.
        cached: the expected catalog was there already.
        objects: how many the database has, without the bookkeeping.
        warnings: what is worth a line, but is no drift.
    """

    fingerprint: str
    drifts: tuple[Drift, ...] = ()
    aside: tuple[Aside, ...] = ()
    warnings: tuple[str, ...] = ()
    applied: int = 0
    objects: int = 0
    cached: bool = False
