"""What happened, as values: step results, the report of a run (the receipt), measurements."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct, field

from bgce_migrate.errors import BgceError, Problem

if TYPE_CHECKING:
    # Reports name migrations; who only prints help need not load them.
    from bgce_migrate.migration import Direction, Finding, MigrationId


class StepStatus(str, Enum):
    """How a step ended."""

    APPLIED = "applied"
    FAILED = "failed"
    REFUSED = "refused"  # a `pre_apply` hook said no
    UNKNOWN = "unknown"  # the server's answer was lost and could not be found out
    NOT_RUN = "not_run"


class LockWait(Struct, frozen=True):
    """A wait for a lock that others held: since when (seconds since 1970), for how many seconds, who they were."""

    began: float
    seconds: float
    blockers: tuple[str, ...] = ()


class StepResult(Struct, frozen=True):
    """One step of a run.

    Attributes:
        duration_ms: from BEGIN to the answer of COMMIT, with all tries.
        lock_wait_ms: the sum of `waits`.
        waits: those of 0.1 s and more; behind a transaction pooler none is seen.
    """

    id: MigrationId
    direction: Direction
    status: StepStatus
    duration_ms: float = 0.0
    error: BgceError | None = None
    retries: int = 0
    lock_wait_ms: float = 0.0
    notes: tuple[str, ...] = ()
    waits: tuple[LockWait, ...] = ()


class Head(Struct, frozen=True):
    """The last history row of a domain: its place in the domain's chain and its hash."""

    sequence: int
    row_hash: str


class RestorePoint(Struct, frozen=True):
    """A name in the WAL, made before a run's first step, and where it stands: for `recovery_target_name`."""

    name: str
    position: str


class WalEnd(Struct, frozen=True):
    """Where in the WAL a run has ended, after its last COMMIT: who has replayed so far shows all of it."""

    position: str  # PostgreSQL's own form, e.g. 0/3A1B2C8
    timeline: int


class RunReport(Struct, frozen=True):
    """The whole story of one run; its JSON form is the receipt.

    Attributes:
        result: "done", "nothing_to_do", "failed" or "interrupted".
        failure: what the exit code comes from, or None.
        heads: per domain, for `--after` and for evidence outside the database.
        end: None where nothing was applied, or nobody could say.
        restore_point: None where this login may make none.
        command: what was asked for, and `environment` the database's name among those of `bgce.toml`; known once the
            run has ended.
    """

    run_id: str
    result: str
    fingerprint: str = ""
    steps: tuple[StepResult, ...] = ()
    heads: Mapping[str, Head] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()
    failure: BgceError | None = None
    deployment: str | None = None
    target: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    duration_ms: float = 0.0
    end: WalEnd | None = None
    restore_point: RestorePoint | None = None
    command: str = ""
    environment: str | None = None

    @property
    def exit_code(self) -> int:
        """0, or the failure's code."""
        return self.failure.exit_code if self.failure else 0


class Measurement(Struct, frozen=True):
    """One observation for the `metrics` hook, e.g. `step_duration_seconds` of a domain.

    Attributes:
        labels: few values each, so that they may be labels of a time series.
        run_id: of the run it was measured in.
        of: the step or the run that was measured, where it has ended.
    """

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    run_id: str = ""
    of: StepResult | RunReport | None = None


class StatusRow(Struct, frozen=True):
    """One migration and where it stands: applied, pending, failed, missing (applied, file gone) or edited."""

    id: MigrationId
    state: str
    applied_at: str | None = None
    locked: bool = False


class LockResult(Struct, frozen=True):
    """What `lock` wrote, or would write."""

    path: Path
    added: tuple[MigrationId, ...]
    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()
