"""What a run carries along: who it is, its settings, how it may be stopped and whom it tells."""

from __future__ import annotations

import getpass
import os
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from msgspec import Struct, field

from bgce_migrate.apply.compat.rows import NONE as NO_ROWS
from bgce_migrate.apply.compat.rows import Tables, VersionRows
from bgce_migrate.db.session import Session, connect
from bgce_migrate.db.target import Facts
from bgce_migrate.errors import Interrupted
from bgce_migrate.migration import Step
from bgce_migrate.outcome import StepResult

_NAP = 0.05  # seconds in which a request to stop is noticed


class Limits(Struct, frozen=True):
    """How long a run waits. Seconds, but `lock_timeout` and `statement_timeout`: PostgreSQL durations."""

    lock_timeout: str = "300ms"
    statement_timeout: str = "0"
    idle_timeout: str = "60s"
    lock_wait: float = 60.0
    retry_for: float = 30.0
    retries: int = 5
    resolve_timeout: float = 60.0


class RunInfo(Struct, frozen=True):
    """Who runs, for history, `application_name` and the waiter's message."""

    run_id: str
    command: str
    tool_version: str
    deployment: str | None = None
    git_commit: str | None = None
    host: str = field(default_factory=socket.gethostname)
    os_user: str = field(default_factory=lambda: _os_user())

    @staticmethod
    def new(command: str, *, deployment: str | None = None, git_commit: str | None = None) -> RunInfo:
        """A run with a fresh uuid."""
        from bgce_migrate import __version__

        return RunInfo(str(uuid.uuid4()), command, __version__, deployment, git_commit)

    @property
    def application_name(self) -> str:
        """Names the run in pg_stat_activity and in the server's log."""
        return f"bgce-migrate {self.run_id}"


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


class Progress(Protocol):
    """Whom a run tells what it does; called from the thread that runs the step."""

    def step_started(self, step: Step, statements: int) -> None: ...
    def statement_done(self, step: Step, index: int, tag: str) -> None: ...
    def index_progress(self, step: Step, phase: str, done: int, total: int) -> None: ...
    def step_finished(self, result: StepResult) -> None: ...
    def waiting(self, message: str) -> None: ...
    def blocked(self, step: Step, by: Mapping[str, str]) -> None: ...
    def note(self, message: str) -> None: ...


class Silent:
    """Tells nobody."""

    def step_started(self, step: Step, statements: int) -> None:
        """Ignored."""

    def statement_done(self, step: Step, index: int, tag: str) -> None:
        """Ignored."""

    def index_progress(self, step: Step, phase: str, done: int, total: int) -> None:
        """Ignored."""

    def step_finished(self, result: StepResult) -> None:
        """Ignored."""

    def waiting(self, message: str) -> None:
        """Ignored."""

    def blocked(self, step: Step, by: Mapping[str, str]) -> None:
        """Ignored."""

    def note(self, message: str) -> None:
        """Ignored."""


class Stop:
    """A request to stop, from a signal or a caller; the step under way is finished or rolled back.

    Without a lock: a signal's handler runs between any two instructions of the thread that may hold it already.
    """

    def __init__(self) -> None:
        self._requested = False

    def request(self) -> None:
        """Ask for the stop; may be called from a signal handler."""
        self._requested = True

    @property
    def requested(self) -> bool:
        """True once somebody asked."""
        return self._requested

    def sleep(self, seconds: float) -> None:
        """Sleep, but wake and raise `Interrupted` soon after a stop is asked for."""
        end = time.monotonic() + seconds
        while not self._requested:
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _NAP))
        raise Interrupted("stopped while waiting; nothing of this step was changed")


class Pause:
    """A request to let go of everything and wait, from another terminal, until another one takes it back."""

    def __init__(self) -> None:
        self._asked = False
        self._changed = threading.Condition()

    @property
    def asked(self) -> bool:
        """True while the run is to wait."""
        return self._asked

    def set(self, asked: bool) -> None:
        """Ask for it, or take it back."""
        with self._changed:
            self._asked = asked
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Until it is taken back, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._asked, seconds)


class Options(Struct, frozen=True):
    """How a run is to be done.

    Attributes:
        jobs: lanes that run at once; None leaves it to the run.
        replicas: name and address of those that are asked who uses what the plan locks.
    """

    limits: Limits = field(default_factory=Limits)
    jobs: int | None = None
    atomic: bool = False
    expect: str | None = None
    time_zone: str = "UTC"
    versions: Tables = Tables()
    progress: Progress = field(default_factory=Silent)
    stop: Stop = field(default_factory=Stop)
    replicas: tuple[tuple[str, str], ...] = ()


class Access(Struct, frozen=True):
    """How sessions are opened: one login for all domains, or one for each.

    Attributes:
        conninfo: the leader's address.
        layout: "guarded" (owner roles) or "plain" (the login owns everything).
        mode: "role" or "login".
        passwords: of the domain logins in mode `login`; what is missing is left to libpq.
    """

    conninfo: str
    schema: str
    layout: str = "plain"
    mode: str = "role"
    passwords: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    application_name: str = "bgce-migrate"

    def lead(self) -> Session:
        """A session of the leading login."""
        return connect(self.conninfo, self.schema, name=self.application_name)

    def work(self, migrator: str) -> Session:
        """A session that may run the steps of the domain whose login in mode `login` is `migrator`."""
        if self.layout == "guarded" and self.mode == "login":
            password = self.passwords.get(migrator)
            return connect(
                self.conninfo, self.schema, user=migrator, password=password, name=self.application_name
            )
        return self.lead()


class Context(Struct):
    """Everything the parts of one run share. `facts` is what the target said at the start."""

    info: RunInfo
    access: Access
    limits: Limits
    facts: Facts
    stop: Stop = field(default_factory=Stop)
    progress: Progress = field(default_factory=Silent)
    time_zone: str = "UTC"
    started: float = field(default_factory=time.monotonic)
    pause: Pause = field(default_factory=Pause)
    versions: VersionRows = NO_ROWS

    @property
    def guarded(self) -> bool:
        """True when owner roles exist and history is protected from the migrations."""
        return self.access.layout == "guarded"
