"""Whether golang-migrate's version rows say what history says; and makes them, where a run may."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum

from msgspec import Struct

from bgce_migrate.apply.compat.rows import Tables, VersionRows
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.apply.target import Target
from bgce_migrate.db import golang_migrate
from bgce_migrate.db import statements as st
from bgce_migrate.db.golang_migrate import Kept, Place
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import BgceError, Problem, Refused
from bgce_migrate.plan.version_row import VersionRow

_EXPORT = "bgce-migrate export golang-migrate --apply"


class Why(Enum):
    """What has come between a version row and history."""

    UNMADE = "not kept yet"
    UNREADABLE = "cannot be told"
    EMPTY = "never written"
    LATE = "files have come below it"
    FOREIGN = "somebody else has written it"


class Disagreement(Struct, frozen=True):
    """A version row that does not say what it should.

    Attributes:
        text: a sentence.
        wanted: what it should say.
    """

    domain: str
    place: Place
    why: Why
    text: str
    wanted: VersionRow = VersionRow()

    @property
    def foreign(self) -> bool:
        """Whether a run must not simply go over it."""
        return self.why in (Why.FOREIGN, Why.UNREADABLE)


def disagreements(target: Target, tables: Tables) -> tuple[Disagreement, ...]:
    """What each version row should say and does not; reads only.

    Raises:
        Refused: this login may not read them.
    """
    if not tables.places:
        return ()
    try:
        kept = golang_migrate.read(target.control) or {}
    except Failed as failed:
        if target.control.usable:
            target.control.execute("ROLLBACK")
        raise Refused(
            f"{target.facts.login} may not read golang-migrate's version rows: {failed.error.diag.message_primary}",
            hint="use a migrator's login",
        ) from None
    rows = VersionRows(tables, target.state)
    found = (_judge(domain, tables, kept.get(domain), rows) for domain in tables.places)
    return tuple(d for d in found if d is not None)


def _judge(domain: str, tables: Tables, kept: Kept | None, rows: VersionRows) -> Disagreement | None:
    place, wanted, mark = tables.places[domain], rows.truth(domain), rows.mark(domain)
    table = golang_migrate.shown(place)
    if kept is None or kept.place != place:
        return Disagreement(domain, place, Why.UNMADE, f"{table} is not kept true yet", wanted)
    if kept.fault:
        return Disagreement(domain, place, Why.UNREADABLE, f"{table} cannot be kept true: {kept.fault}", wanted)
    row = kept.row
    if row == wanted:
        return None
    if row == VersionRow():
        return Disagreement(domain, place, Why.EMPTY, f"{table} says nothing, history says {wanted}", wanted)
    below = [v for v in mark.gaps() if row.version is not None and v < row.version]
    if row.dirty == wanted.dirty and row.version in mark.applied and below:
        text = f"{table} says {row}, and golang-migrate would never run {_listed(domain, below)} below it"
        return Disagreement(domain, place, Why.LATE, f"{text}; `bgce-migrate up` does", wanted)
    text = f"{table} says {row}, history says {wanted}: somebody else has written it"
    return Disagreement(domain, place, Why.FOREIGN, text, wanted)


def _listed(domain: str, versions: Iterable[int]) -> str:
    names = [f"{domain}/{version:06}" for version in versions]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def prepared(target: Target, tables: Tables, leadership: Leadership, touched: Collection[str] = ()) -> VersionRows:
    """The rows of a run that leads: the tables are there, and what they say is what history says.

    In layout plain they are made. A row that says nothing although something is applied, is written now.

    Args:
        touched: the domains whose steps run; what other rows say is theirs to mend.

    Raises:
        Refused: an administrator must make them; or another tool has written one.
    """
    rows = VersionRows(tables, target.state)
    if not tables.places:
        return rows
    found = disagreements(target, tables)
    if any(d.why is Why.UNMADE for d in found):
        _make(target, tables, found)
        found = disagreements(target, tables)
    if foreign := [d for d in found if d.foreign and d.domain in touched]:
        raise Refused(
            foreign[0].text if len(foreign) == 1 else f"{len(foreign)} version rows of golang-migrate are not ours",
            hint=f"where history is right: {_EXPORT}; where golang-migrate has run: bgce-migrate adopt, or force",
            problems=[Problem(d.text) for d in foreign],
        )
    if empty := [d.domain for d in found if d.why is Why.EMPTY]:
        commands = rows.beside(target.control, leadership.epoch, empty)
        target.control.run([Command("BEGIN"), *commands, Command("COMMIT")])
    return rows


def _make(target: Target, tables: Tables, found: tuple[Disagreement, ...]) -> None:
    session, schema = target.control, target.address.schema
    if target.layout != "plain":
        raise Refused(
            f"golang-migrate's version tables are not kept true yet: {golang_migrate.names(d.place for d in found)}",
            hint="an administrator runs once: bgce-migrate bootstrap; or take [compat] out of bgce.toml",
        )
    texts = [golang_migrate.functions(schema)]
    texts += [golang_migrate.create(place, missing=True) for place in tables.places.values()]
    texts.append(golang_migrate.register(schema, tables.places))
    try:
        session.connection.execute(st.script(["BEGIN", *texts, "COMMIT"]).encode())
    except Exception as error:
        if not session.usable or isinstance(error, BgceError):
            raise
        session.execute("ROLLBACK")
        raise Refused(
            f"login {target.facts.login} cannot make golang-migrate's version tables: {error}",
            hint="make them yourself, or give the login CREATE on the schema; or take [compat] out of bgce.toml",
        ) from None
