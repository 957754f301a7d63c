"""What measuring says of steps, their statements and the tables they touch."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from bgce_migrate.finding import Finding
from bgce_migrate.migration import MigrationId


class Kind(str, Enum):
    """Work that grows with a table."""

    REWRITE = "rewrite"  # every row is written into a new file
    SCAN = "scan"  # every row is read
    BUILD = "build"  # an index is built over all rows
    EMPTY = "empty"  # every row goes


class TableName(Struct, frozen=True, order=True):
    """A table with its owning domain; None where no domain made it."""

    schema: str
    name: str
    domain: str | None = None

    def __str__(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


class Lock(Struct, frozen=True):
    """One relation that a statement has locked.

    Attributes:
        mode: PostgreSQL's word, e.g. `ACCESS EXCLUSIVE`: the strongest that the statement itself has taken.
        index: of an index on `table`, its name.
        root: of a partition, the partitioned table that programs speak to.
        new: the step itself has made the relation, so that nobody else knows it.
    """

    table: TableName
    mode: str
    index: str = ""
    kind: str = "table"
    new: bool = False
    root: TableName | None = None


class Work(Struct, frozen=True):
    """Work that grows with a table.

    Attributes:
        rows, bytes: of the table on the target, as far as known (of an index: `bytes` of its table).
        seconds: an estimate; None without sizes.
    """

    kind: Kind
    table: TableName
    index: str = ""
    new: bool = False
    rows: int | None = None
    bytes: int | None = None
    seconds: float | None = None


class Object(Struct, frozen=True):
    """Something that a statement makes, changes or drops, in PostgreSQL's own words (`table`, `public.users`)."""

    kind: str
    name: str


class Measured(Struct, frozen=True):
    """One statement.

    Attributes:
        tag: the server's word for it, e.g. `ALTER TABLE`; what a DO block does is told of the block.
        cascaded: what went beside what was named.
        seconds: how long it took on scratch, where tables are empty.
    """

    line: int
    column: int
    tag: str
    locks: tuple[Lock, ...] = ()
    work: tuple[Work, ...] = ()
    created: tuple[Object, ...] = ()
    altered: tuple[Object, ...] = ()
    dropped: tuple[Object, ...] = ()
    cascaded: tuple[Object, ...] = ()
    seconds: float = 0.0


class Block(Struct, frozen=True):
    """A table that others cannot use as they like until the step ends.

    Attributes:
        mode: the strongest lock on it.
        stops: `reads and writes` or `writes`.
        services: (service, domain) of those who are held up, as declared.
        statement: which of the step's takes the lock, from 0.
        seconds: from there to the step's end, an estimate; None where sizes are not known.
    """

    table: TableName
    mode: str
    stops: str
    services: tuple[tuple[str, str], ...] = ()
    statement: int = 0
    seconds: float | None = None


class MeasuredStep(Struct, frozen=True):
    """One migration's up.

    Attributes:
        mode: `transaction`, `journal`, `opaque` or `empty`.
        blocks: existing tables whose use it stops, one a table and kind of use; longest first.
        error: what the server said, where it does not run.
    """

    id: MigrationId
    mode: str
    statements: tuple[Measured, ...] = ()
    blocks: tuple[Block, ...] = ()
    error: str = ""


class Hit(Struct, frozen=True):
    """A finding with the domains that it is about: those whose tables, and whose services, are hit."""

    finding: Finding
    domains: tuple[str, ...] = ()


class Measurement(Struct, frozen=True):
    """Everything measured in one go.

    Attributes:
        server: of scratch, e.g. `18.4`.
        sizes: where sizes come from, in words; empty where there are none.
    """

    steps: tuple[MeasuredStep, ...]
    findings: tuple[Hit, ...] = ()
    server: str = ""
    sizes: str = ""
    notes: tuple[str, ...] = ()
