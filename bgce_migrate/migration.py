"""Migrations as values: files and their statements, steps and plans."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.effect import Action, Effect, Name
from bgce_migrate.errors import Where
from bgce_migrate.finding import Edit as Edit
from bgce_migrate.finding import Finding as Finding
from bgce_migrate.finding import Severity as Severity

_MIGRATION_ID = re.compile(r"(?P<domain>.+)/(?P<version>[0-9]{1,18})(?:_(?P<name>.*))?\Z", re.DOTALL)


class Direction(str, Enum):
    """Which file of a pair a step runs."""

    UP = "up"
    DOWN = "down"


# By the ten thousand, too; msgspec's own comparison would look at the name.
class MigrationId(Struct, frozen=True, gc=False):
    """One version of one domain. Identity is (domain, version); the name is a label."""

    domain: str
    version: int
    name: str = ""

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not MigrationId:
            return NotImplemented
        return self.version == other.version and self.domain == other.domain

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: MigrationId) -> bool:
        if other.__class__ is not MigrationId:
            return NotImplemented
        return (self.domain, self.version) < (other.domain, other.version)

    def __le__(self, other: MigrationId) -> bool:
        if other.__class__ is not MigrationId:
            return NotImplemented
        return (self.domain, self.version) <= (other.domain, other.version)

    def __hash__(self) -> int:
        return hash((self.domain, self.version))

    def __str__(self) -> str:
        return f"{self.domain}/{self.version:06d}_{self.name}" if self.name else self.short

    @property
    def short(self) -> str:
        """`domain/000003`, as `requires` and `--to` take it."""
        return f"{self.domain}/{self.version:06d}"

    @staticmethod
    def parse(text: str) -> MigrationId | None:
        """Read `cortex/3`, `cortex/000003` or `cortex/000003_name`; None for anything else."""
        match = _MIGRATION_ID.match(text.strip())
        return MigrationId(match["domain"], int(match["version"]), match["name"] or "") if match else None


class Statement(Struct, frozen=True, array_like=True):
    """One SQL statement of a file.

    Attributes:
        text: exactly as in the file, without the closing semicolon.
        offset: characters before it in the file's text.
        kind: PostgreSQL's parse node, e.g. `CreateStmt`.
        transactional: False if the server refuses it inside a transaction block.
        control: `begin`, `commit`, `rollback` for transaction control, else "".
        target: for non-transactional kinds, what its probe looks at.
    """

    text: str
    line: int
    column: int
    offset: int
    kind: str
    transactional: bool = True
    control: str = ""
    tag: str = ""


class Mode(str, Enum):
    """How a script runs."""

    TRANSACTION = "transaction"  # one transaction
    JOURNAL = "journal"  # unit by unit, each recorded
    OPAQUE = "opaque"  # our grammar does not know it: one simple query in one transaction
    EMPTY = "empty"  # no statements


class Directives(Struct, frozen=True):
    """The `-- bgce:` lines at the top of a file."""

    no_transaction: bool = False
    requires: tuple[str, ...] = ()
    irreversible: str | None = None
    phase: str | None = None
    lock_timeout: str | None = None
    repeatable: bool = False
    done_when: str | None = None
    row_security: bool = False
    opaque: str | None = None
    allow: tuple[tuple[str, str, str], ...] = ()  # rule, until (ISO date or ""), reason


class SourceFile(Struct, frozen=True, gc=False):
    """A file as read: BOM dropped, CRLF turned to LF; `sha256` is over the raw bytes."""

    path: str
    text: str
    sha256: str


class Script(Struct, frozen=True):
    """A file as understood.

    Attributes:
        checksum: `v1:` over PostgreSQL's tokens (design section 4).
        statements: what runs; a wrapping BEGIN/COMMIT is already taken off.
        effects: what it makes, changes and uses.
        notes: findings of reading, e.g. mixed transactional and other statements.
    """

    source: SourceFile
    checksum: str
    mode: Mode
    directives: Directives
    statements: tuple[Statement, ...] = ()
    effects: tuple[Effect, ...] = ()
    notes: tuple[Finding, ...] = ()


class Migration(Struct, frozen=True):
    """A pair of files, not yet parsed. `down` is None for the state "no down"."""

    id: MigrationId
    up: SourceFile
    down: SourceFile | None
    declared: bool = True
    distribution: str | None = None


class Edge(Struct, frozen=True):
    """`before` must run before `after`, and why. A dropped soft edge closed a cycle."""

    before: MigrationId
    after: MigrationId
    reason: str
    where: Where | None = None
    soft: bool = False


class ForeignUse(Struct, frozen=True):
    """One use of an object that another domain owns, as one statement makes it.

    Attributes:
        object: the object with its schema; never a column or a key.
        owner: the domain whose migration made the object.
        maker: the migration that made the name (or renamed the object to it).
        columns: the columns the statement names, sorted; for a foreign key without a column list those of
            the primary key. None: not known, or the whole table.
        table_columns: all columns the table had then, where they are known; else empty.
        needs: other migrations, of any domain, that made the named columns and keys.
        relation_kind: for relations "table", "view", "matview", "sequence" or "index"; "" if not known.
    """

    object: Name
    owner: str
    maker: MigrationId
    action: Action
    detail: str = ""
    columns: tuple[str, ...] | None = None
    table_columns: tuple[str, ...] = ()
    soft: bool = False
    line: int = 0
    needs: tuple[MigrationId, ...] = ()
    relation_kind: str = ""


class Step(Struct, frozen=True):
    """A migration with a direction in a plan, ready to run.

    Attributes:
        script: what runs.
        down: for an up step, the down file stored with history (None: no down).
        waits_for: steps of this plan that must be done first (beside the domain's own chain).
        reasons: why it stands where it stands.
        grants: SQL objects other owners need: see `bgce_migrate.plan.rights`.
    """

    id: MigrationId
    direction: Direction
    script: Script
    down: SourceFile | None = None
    waits_for: frozenset[MigrationId] = frozenset()
    reasons: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()

    @property
    def checksum(self) -> str:
        """The checksum of the script that runs."""
        return self.script.checksum


class Plan(Struct, frozen=True):
    """The ordered steps of one run."""

    steps: tuple[Step, ...]
    fingerprint: str
    notes: tuple[Finding, ...] = ()
    domains: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @staticmethod
    def digest(steps: tuple[Step, ...]) -> str:
        """SHA-256 over ids, directions and checksums, in order, as 16 hex digits."""
        text = "\n".join(f"{s.id.short} {s.direction.value} {s.checksum}" for s in steps)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
