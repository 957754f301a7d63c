"""What is going on in a database at one moment, as values."""

from __future__ import annotations

from msgspec import Struct

#: The leader's connection says something every 5 s (`apply.leader.HEARTBEAT`); after so many seconds of silence its
#: process is stopped, or its machine is gone.
SILENT = 16.0


class Other(Struct, frozen=True):
    """A session that is in the way, or a prepared transaction.

    Attributes:
        pid: None for a prepared transaction, whose name is then `application`.
        query: the statement it runs or ran last; None where this login may not see it.
        seconds: the age of its transaction.
        run: the run of ours it belongs to, if it does.
    """

    pid: int | None
    login: str
    application: str
    state: str | None
    query: str | None
    seconds: float | None
    run: str | None = None


class Waiting(Struct, frozen=True):
    """A lock that is waited for.

    Attributes:
        mode: PostgreSQL's name of the lock mode.
        what: the relation, or the kind of thing locked.
        owner: the relation's owner role.
    """

    mode: str
    what: str
    owner: str | None
    seconds: float


class Queue(Struct, frozen=True):
    """Sessions that wait, directly or not, for one of ours."""

    length: int = 0
    longest: float = 0.0


class Work(Struct, frozen=True):
    """A session of the run that has a step in hand.

    Attributes:
        step: `domain/version` as the session calls itself; empty between two steps.
        cut: the name was too long for the server: the version may have more digits.
        statement: the text the server has.
        number, of: which of the file's statements, where the file is at hand.
        journaled: it runs outside any transaction; what was built so far is lost when it is ended.
        seconds: since its transaction began.
        progress: what the server says of an index build.
    """

    pid: int
    login: str
    step: str
    cut: bool
    state: str
    statement: str | None
    seconds: float
    journaled: bool = False
    number: int | None = None
    of: int | None = None
    waiting: Waiting | None = None
    blockers: tuple[Other, ...] = ()
    queue: Queue = Queue()
    progress: str = ""

    @property
    def busy(self) -> bool:
        """Whether it holds anything."""
        return self.state != "idle"


class Asked(Struct, frozen=True):
    """The last thing another terminal asked of the run: `pause`, `resume` or `cancel`."""

    what: str
    by: str
    seconds: float
    number: int


class Run(Struct, frozen=True):
    """A run that is under way, or whose sessions are still there.

    Attributes:
        command, host, os_user, deployment: as recorded; empty where nothing is.
        seconds: since it began.
        leads: its connection holds the run lock.
        silent: seconds since that connection was last heard of; None where it is not there or cannot be seen.
        heard: the number of the request that it has heard last.
        done: its steps that are recorded, each with its direction.
        works: its sessions that have a step in hand.
    """

    id: str
    command: str = ""
    host: str = ""
    os_user: str = ""
    deployment: str = ""
    seconds: float = 0.0
    leads: bool = False
    silent: float | None = None
    asked: Asked | None = None
    heard: int = 0
    done: tuple[str, ...] = ()
    works: tuple[Work, ...] = ()

    @property
    def short(self) -> str:
        """Enough of the id to name it."""
        return self.id[:8]

    @property
    def dead(self) -> bool:
        """Whether nobody hears what is asked of it."""
        return not self.leads or (self.silent is not None and self.silent > SILENT)

    @property
    def obeys(self) -> bool:
        """Whether it has heard what it was asked last."""
        return self.asked is None or self.heard >= self.asked.number

    @property
    def paused(self) -> bool:
        """Whether it has let go of everything and waits."""
        return self.asked is not None and self.asked.what == "pause" and not any(w.busy for w in self.works)


class Unit(Struct, frozen=True):
    """A statement of a journaled file that was begun, the file not being finished."""

    step: str
    number: int
    kind: str
    done: bool


class Failure(Struct, frozen=True):
    """A migration whose last attempt failed."""

    step: str
    error: str


class Scene(Struct, frozen=True):
    """Everything that is seen at one moment.

    Attributes:
        runs: that which leads first.
        others: sessions that hold up somebody although no run of ours is in it.
        waiting: how many sessions wait for a lock at all.
        hidden: this login may not see what others run.
    """

    database: str
    login: str
    recorded: bool = False
    runs: tuple[Run, ...] = ()
    units: tuple[Unit, ...] = ()
    failures: tuple[Failure, ...] = ()
    waiting: int = 0
    others: tuple[Other, ...] = ()
    hidden: bool = False

    @property
    def run(self) -> Run | None:
        """The one that matters: which leads, else any whose sessions are still there."""
        return self.runs[0] if self.runs else None
