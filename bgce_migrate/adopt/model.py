"""What adoption finds: other tools' bookkeeping, what it claims, what is to be recorded, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.fingerprint.compare import Difference
from bgce_migrate.migration import MigrationId


class Claim(Struct, frozen=True):
    """One entry of another tool's bookkeeping.

    Attributes:
        version: as the tool writes it: a number, a revision, a hash; empty where it has names only.
        name: what the tool calls it, or empty.
        scope: the part of a project it belongs to: Django's app, sqitch's project.
        state: `applied`, `dirty` or `failed`.
    """

    version: str
    name: str = ""
    scope: str = ""
    state: str = "applied"

    def __str__(self) -> str:
        told = "/".join(part for part in (self.scope, self.name or self.version) if part)
        return told if self.state == "applied" else f"{told} ({self.state})"


class Ledger(Struct, frozen=True):
    """The bookkeeping of one tool, recognised by its shape.

    Attributes:
        tool: `golang-migrate`, `goose`, `dbmate`, `flyway`, `alembic`, `django`, `yoyo` or `sqitch`.
        relation: the table, with its schema.
        claims: what it says is applied, oldest first; a claim, not a proof.
        watermark: one version stands for all lower ones.
        own: all relations of this tool, by (schema, name).
    """

    tool: str
    relation: tuple[str, str]
    claims: tuple[Claim, ...]
    watermark: bool = False
    own: frozenset[tuple[str, str]] = frozenset()

    def __str__(self) -> str:
        return ".".join(self.relation)

    @property
    def says(self) -> str:
        """What it claims, in words."""
        if not self.claims:
            return "nothing is applied"
        last = self.claims[-1]
        if self.watermark:
            return f"version {last.version}, {'dirty' if last.state == 'dirty' else 'clean'}"
        failed = sum(c.state != "applied" for c in self.claims)
        return f"{len(self.claims) - failed} applied, last {last}" + (f", {failed} failed" if failed else "")


class Evidence(Struct, frozen=True):
    """What one table's differences say of how it came to be.

    Attributes:
        table: with its schema.
        word: `missing`, `auto-migrated`, `changed-since`, `differs` or `unknown`.
        text: in words.
        migration: the migration that makes it, where one does.
    """

    table: str
    word: str
    text: str
    migration: MigrationId | None = None


class Adoption(Struct, frozen=True):
    """What was found, and what would be recorded.

    Attributes:
        recorded: migrations that history has already.
        found: migrations that count as applied and are not recorded yet, in order.
        pending: migrations that are left for `up`, in order.
        differences: between the replay and the live catalog; none blocks if there are none.
        moved: differences in the physical order of columns only, which block nothing.
        domains: the domain of each object that differs, by identity.
        evidence: table by table.
        sources: by domain, why its migrations count as applied.
        notes: what else a person should know.
        fingerprint: of what was compared; the same on both sides if nothing differs.
    """

    ledgers: tuple[Ledger, ...]
    recorded: tuple[MigrationId, ...]
    found: tuple[MigrationId, ...]
    pending: tuple[MigrationId, ...]
    differences: tuple[Difference, ...] = ()
    moved: tuple[Difference, ...] = ()
    domains: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    evidence: tuple[Evidence, ...] = ()
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    major: int = 0

    @property
    def shape(self) -> str:
        """How the database came to be, in one word: the gravest of its evidence, or `as-recorded`."""
        words = {e.word for e in self.evidence}
        order = ("missing", "auto-migrated", "changed-since", "differs", "unknown")
        return next((word for word in order if word in words), "differs" if self.differences else "as-recorded")
