"""Recognises the bookkeeping of other migration tools by the shape of its tables, never by a name alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from bgce_migrate.adopt.model import Claim, Ledger
from bgce_migrate.db import ledgers
from bgce_migrate.db.session import Rows, Session

_WORD = ("character varying", "text", "character")
_NUMBER = ("bigint", "integer", "smallint")


class _Shape(Struct, frozen=True):
    """How a tool's table looks, and how its rows are read.

    Attributes:
        columns: those that it must have, with the types they may have.
        exact: it has no others.
        beside: further tables of the tool in the same schema.
    """

    tool: str
    columns: Mapping[str, tuple[str, ...]]
    read: tuple[str, ...]
    order: str
    claims: Callable[[Rows], tuple[Claim, ...]]
    exact: bool = False
    watermark: bool = False
    beside: frozenset[str] = frozenset()

    def fits(self, columns: Mapping[str, str]) -> bool:
        """Whether a table has this shape."""
        if self.exact and columns.keys() != self.columns.keys():
            return False
        return all(columns.get(name, "").startswith(types) for name, types in self.columns.items())


def recognise(session: Session) -> tuple[Ledger, ...]:
    """All bookkeeping of other tools in a database; reads only.

    Raises:
        Refused: a table looks like one and cannot be read.
    """
    found = []
    candidates = ledgers.candidates(session)
    for schema, table, columns in candidates:
        shape = next((s for s in _SHAPES if s.fits(columns)), None)
        if shape is None:
            continue
        rows = ledgers.rows(session, schema, table, shape.read, shape.order)
        own = {(schema, table), *((schema, name) for name in shape.beside)}
        found.append(Ledger(shape.tool, (schema, table), shape.claims(rows), shape.watermark, frozenset(own)))
    return tuple(found)


def _golang_migrate(rows: Rows) -> tuple[Claim, ...]:
    return tuple(Claim(v or "", state="dirty" if dirty == "true" else "applied") for v, dirty in rows)


def _goose(rows: Rows) -> tuple[Claim, ...]:
    """The last row of a version says whether it is applied; version 0 is the table's own beginning."""
    last: dict[str, bool] = {}
    for version, applied in rows:
        last.pop(version or "", None)
        last[version or ""] = applied == "true"
    return tuple(Claim(v) for v, applied in last.items() if applied and v != "0")


def _versions(rows: Rows) -> tuple[Claim, ...]:
    return tuple(Claim(row[0] or "") for row in rows)


def _flyway(rows: Rows) -> tuple[Claim, ...]:
    """Repeatable migrations have no version, its schema marker and what was undone are no migrations."""
    applied: dict[str, Claim] = {}
    for version, kind, description, success in rows:
        if kind in ("UNDO_SQL", "UNDO_JDBC", "DELETE"):
            applied.pop(version or "", None)
        elif version and kind != "SCHEMA":
            applied[version] = Claim(version, description or "", state="applied" if success == "true" else "failed")
    return tuple(applied.values())


def _django(rows: Rows) -> tuple[Claim, ...]:
    return tuple(Claim(_number(name), name or "", app or "") for app, name in rows)


def _yoyo(rows: Rows) -> tuple[Claim, ...]:
    return tuple(Claim(_number(name), name or "") for (name,) in rows)


def _number(name: str | None) -> str:
    """The digits that a name begins with."""
    text = name or ""
    return text[: len(text) - len(text.lstrip("0123456789"))]


def _sqitch(rows: Rows) -> tuple[Claim, ...]:
    return tuple(Claim("", name or "", project or "") for project, name in rows)


_SHAPES = (
    _Shape("golang-migrate", {"version": ("bigint",), "dirty": ("boolean",)}, ("version", "dirty"), "version",
           _golang_migrate, exact=True, watermark=True),
    _Shape("goose", {"id": _NUMBER, "version_id": ("bigint",), "is_applied": ("boolean",), "tstamp": ("timestamp",)},
           ("version_id", "is_applied"), "id", _goose, exact=True),
    _Shape("dbmate", {"version": _WORD}, ("version",), "version", _versions, exact=True),
    _Shape("flyway", {"installed_rank": _NUMBER, "version": _WORD, "description": _WORD, "script": _WORD,
                      "success": ("boolean",)},
           ("version", "type", "description", "success"), "installed_rank", _flyway),
    _Shape("alembic", {"version_num": _WORD}, ("version_num",), "version_num", _versions, exact=True),
    _Shape("django", {"id": _NUMBER, "app": _WORD, "name": _WORD, "applied": ("timestamp",)}, ("app", "name"), "id",
           _django, exact=True),
    _Shape("yoyo", {"migration_hash": _WORD, "migration_id": _WORD, "applied_at_utc": ("timestamp",)},
           ("migration_id",), "migration_id", _yoyo, exact=True,
           beside=frozenset({"_yoyo_log", "_yoyo_version", "yoyo_lock"})),
    _Shape("sqitch", {"change_id": _WORD, "script_hash": _WORD, "change": _WORD, "project": _WORD, "committed_at": ("timestamp",),
                      "planned_at": ("timestamp",)},
           ("project", "change"), "committed_at", _sqitch,
           beside=frozenset({"dependencies", "events", "projects", "releases", "tags"})),
)  # fmt: skip
