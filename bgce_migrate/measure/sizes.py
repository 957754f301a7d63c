"""Sizes of a target's tables: read from its statistics, kept as a file without any value of the data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.db.session import Session

SCHEMA = "bgce-migrate/stats/1"
#: Bytes of a row where the server has counted rows but not pages yet.
_ROW = 100


class Size(Struct, frozen=True):
    """One table.

    Attributes:
        rows: as the server estimates.
        bytes: of the table with its TOAST; of a partitioned table, of all its partitions.
        index_bytes: of all its indexes together.
        kind: `r`, `p` or `m`, as `pg_class.relkind`.
    """

    schema: str
    name: str
    rows: int
    bytes: int
    index_bytes: int
    kind: str = "r"


class _Document(Struct, frozen=True, omit_defaults=False):
    schema: str
    server_version: int
    taken_at: str
    tables: tuple[Size, ...]


class Sizes(Struct, frozen=True):
    """All tables by (schema, name), and where that comes from."""

    source: str
    server_version: int = 0
    taken_at: str = ""
    tables: Mapping[tuple[str, str], Size] = field(default_factory=lambda: MappingProxyType({}))


def read_sizes(session: Session, source: str) -> Sizes:
    """The sizes of a database's tables, in one round trip, from counters of the server: no table is locked or read."""
    rows = session.ask("tracing", "tables", session.schema)
    found = []
    for schema, name, kind, count, size, indexes, _ in rows:
        number, taken = int(count or 0), int(size or 0)
        found.append(Size(schema or "", name or "", number, taken or number * _ROW, int(indexes or 0), kind or "r"))
    now = session.ask("tracing", "now")[0][0] or ""
    return Sizes(source, session.server_version, now, {(s.schema, s.name): s for s in found})


def write(sizes: Sizes) -> dict[str, object]:
    """The document of `stats export`, without its `schema`."""
    tables = [{n: getattr(s, n) for n in Size.__struct_fields__} for s in sizes.tables.values()]
    return {"server_version": sizes.server_version, "taken_at": sizes.taken_at, "tables": tables}


def load(path: Path) -> Sizes:
    """What `stats export` has written.

    Raises:
        UsageError: it is not that.
    """
    hint = "`bgce-migrate stats export > FILE` writes one"
    try:
        document = msgspec.json.decode(path.read_bytes(), type=_Document)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", hint=hint) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not a file of statistics: {error}", hint=hint) from None
    if document.schema != SCHEMA:
        raise UsageError(f"{path} is not a file of statistics: its schema is {document.schema!r}", hint=hint)
    tables = {(s.schema, s.name): s for s in document.tables}
    return Sizes(f"{path.name} of {document.taken_at}", document.server_version, document.taken_at, tables)
