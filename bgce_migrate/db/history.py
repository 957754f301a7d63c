"""The history as values: what is applied, the heads of the chains, and whether a chain is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Rows, Session
from bgce_migrate.db.target import Meta, meta_of
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import Refused
from bgce_migrate.migration import Direction, MigrationId
from bgce_migrate.outcome import Head

GENESIS = "genesis"


class Applied(Struct, frozen=True):
    """The last word of history on one version: applied, or reverted."""

    id: MigrationId
    applied: bool
    checksum: str | None
    history_id: int


class OpenUnit(Struct, frozen=True):
    """A unit of a journaled file whose file is not finished."""

    id: MigrationId
    direction: Direction
    unit: int
    unit_hash: str
    kind: str
    backend_pid: int
    backend_start: str | None
    done: bool
    run_id: str


class State(Struct, frozen=True):
    """All that a run reads before it plans."""

    meta: Meta | None = None
    versions: tuple[Applied, ...] = ()  # in order of application
    heads: Mapping[str, Head] = field(default_factory=lambda: MappingProxyType({}))
    journal: tuple[OpenUnit, ...] = ()

    @property
    def applied(self) -> dict[MigrationId, Applied]:
        """What is applied now, in order of application."""
        return {a.id: a for a in self.versions if a.applied}


class Stored(Struct, frozen=True):
    """An applied migration with the texts kept when it was applied."""

    id: MigrationId
    up_sql: str
    down_sql: str | None
    run_id: str
    deployment: str | None
    requires: tuple[str, ...]
    history_id: int


class Row(Struct, frozen=True):
    """One row of `migration_history`, as text where only printed."""

    id: int
    run_id: str
    attempt_id: str
    deployment: str | None
    sequence: int
    domain: str
    version: int | None
    name: str
    direction: str
    applied_micros: str
    execution_time_ms: int
    success: bool
    checksum: str | None
    up_sha256: str | None
    down_sha256: str | None
    requires: str
    error: str | None
    applied_by: str
    git_commit: str | None
    tool_version: str
    previous_hash: str
    row_hash: str
    applied_at: str
    up_sql: str | None
    down_sql: str | None

    def expected_hash(self) -> str:
        """What `row_hash` must be: the digest that db/sql/bookkeeping.sql computes, computed here."""
        fields = (
            "h1", self.domain, str(self.sequence), self.run_id, self.attempt_id, self.deployment,
            None if self.version is None else str(self.version), self.name, self.direction, self.applied_micros,
            str(self.execution_time_ms), "true" if self.success else "false", self.checksum, self.up_sha256,
            self.down_sha256, self.requires, self.error, self.applied_by, self.git_commit, self.tool_version,
            self.previous_hash,
        )  # fmt: skip
        parts = ("-" if f is None else f"{len(f.encode())}:{f}" for f in fields)
        return hashlib.sha256(",".join(parts).encode()).hexdigest()


def read_state(session: Session) -> State:
    """One round trip; call only when the bookkeeping exists.

    Raises:
        Refused: this login may not read it, as an administrator's may not.
    """
    names = ("meta", "applied", "heads", "open_journal")
    try:
        replies = session.run([Command(session.query("history", n)) for n in names])
    except Failed as error:
        if error.error.sqlstate != "42501":
            raise
        raise Refused(
            f"{session.connection.info.user} may not read the bookkeeping in schema {session.schema}:"
            f" {error.error.diag.message_primary}",
            hint="use a migrator's login: `bootstrap` made it, and `grants password` gives it a password",
        ) from None
    meta, applied, heads, journal = (r.rows for r in replies)
    return State(
        meta=meta_of(meta[0]),
        versions=tuple(
            Applied(MigrationId(_s(r[0]), int(_s(r[1])), _s(r[2])), r[3] == "true", r[4], int(_s(r[5]))) for r in applied
        ),
        heads=MappingProxyType({_s(r[0]): Head(int(_s(r[1])), _s(r[2])) for r in heads}),
        journal=_journal(journal),
    )


def _s(value: str | None) -> str:
    return value or ""


def _journal(rows: Rows) -> tuple[OpenUnit, ...]:
    return tuple(
        OpenUnit(
            MigrationId(_s(r[0]), int(_s(r[1]))), Direction(_s(r[2])), int(_s(r[3])), _s(r[4]), _s(r[5]),
            int(_s(r[6])), r[7], r[8] == "true", _s(r[9]),
        )
        for r in rows
    )  # fmt: skip


def read_stored(session: Session) -> tuple[Stored, ...]:
    """The applied migrations with their stored texts, in order of application."""
    rows = session.ask("history", "stored_sql")
    return tuple(
        Stored(
            MigrationId(_s(r[0]), int(_s(r[1])), _s(r[8])), _s(r[2]), r[3], _s(r[4]), r[5],
            tuple(x for x in _s(r[6]).split(",") if x), int(_s(r[7])),
        )
        for r in rows
    )  # fmt: skip


def read_rows(session: Session, domain: str | None = None) -> tuple[Row, ...]:
    """All rows, oldest first, of one domain or of all."""
    out = []
    for r in session.ask("history", "rows", domain):
        out.append(
            Row(
                int(_s(r[0])), _s(r[1]), _s(r[2]), r[3], int(_s(r[4])), _s(r[5]),
                None if r[6] is None else int(r[6]), _s(r[7]), _s(r[8]), _s(r[9]), int(_s(r[10])), r[11] == "true",
                r[12], r[13], r[14], _s(r[15]), r[16], _s(r[17]), r[18], _s(r[19]), _s(r[20]), _s(r[21]), _s(r[22]),
                r[23], r[24],
            )
        )  # fmt: skip
    return tuple(out)


class Past(Struct, frozen=True):
    """How one domain's steps went.

    Attributes:
        buckets: successful steps by duration; one more than there are bounds.
        seconds: how long they took together.
        failed: versions whose last attempt failed.
        succeeded: the newest step; None before the first.
        last_success: Unix time.
    """

    domain: str
    buckets: tuple[int, ...]
    seconds: float
    failed: int
    succeeded: bool | None
    last_success: float | None


def read_past(session: Session, bounds: Sequence[float]) -> tuple[Past, ...]:
    """Of every domain, with durations counted by upper bounds in seconds; one round trip."""
    queries = (session.query("history", "past_durations"), session.query("history", "past_ends"))
    limits = array(map(repr, bounds))
    durations, ends = (r.rows for r in session.run([Command(queries[0], (limits,)), Command(queries[1])]))
    counts: dict[str, list[int]] = {}
    sums: dict[str, float] = {}
    for row in durations:
        domain = _s(row[0])
        counts.setdefault(domain, [0] * (len(bounds) + 1))[int(_s(row[1]))] = int(_s(row[2]))
        sums[domain] = sums.get(domain, 0.0) + float(_s(row[3]))
    return tuple(
        Past(
            _s(r[0]), tuple(counts.get(_s(r[0]), [0] * (len(bounds) + 1))), sums.get(_s(r[0]), 0.0), int(_s(r[1])),
            None if r[2] is None else r[2] == "true", None if r[3] is None else float(r[3]),
        )
        for r in ends
    )  # fmt: skip


def verify(rows: Iterable[Row], anchors: Mapping[str, Head] = MappingProxyType({})) -> tuple[str, ...]:
    """What is wrong with the chains: changed, missing and forked rows, or shorter than an anchor.

    Args:
        rows: all rows of the domains to look at.
        anchors: heads kept outside the database (a receipt's `heads`).
    """
    faults: list[str] = []
    chains: dict[str, list[Row]] = {}
    for row in rows:
        chains.setdefault(row.domain, []).append(row)
    for domain, chain in sorted(chains.items()):
        faults += _verify_chain(domain, sorted(chain, key=lambda r: r.sequence))
    for domain, anchor in sorted(anchors.items()):
        found = {r.sequence: r.row_hash for r in chains.get(domain, ())}
        if anchor.sequence not in found:
            faults.append(
                f"{domain}: history ends at row {max(found, default=0)}, the receipt has seen row {anchor.sequence}:"
                " an older state was brought back"
            )
        elif found[anchor.sequence] != anchor.row_hash:
            faults.append(f"{domain}: row {anchor.sequence} is not the one the receipt has seen")
    return tuple(faults)


def _verify_chain(domain: str, chain: list[Row]) -> list[str]:
    faults = []
    previous, expected = GENESIS, 1
    for row in chain:
        if row.sequence != expected:
            faults.append(f"{domain}: row {expected} is missing (found {row.sequence})")
            expected = row.sequence
        elif row.previous_hash != previous:
            faults.append(f"{domain}: row {row.sequence} does not follow row {row.sequence - 1}")
        if row.expected_hash() != row.row_hash:
            faults.append(f"{domain}: row {row.sequence} ({row.name}) was changed after it was written")
        previous, expected = row.row_hash, expected + 1
    return faults
