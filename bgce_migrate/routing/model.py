"""What routing is made of: servers as declared, one look at one of them, and what follows from all looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import asdict

from bgce_migrate.errors import UsageError


class RoutingSettings(Struct, frozen=True):
    """How servers are watched and how old a read may be. Seconds and bytes.

    Attributes:
        poll: between two looks at a server.
        max_wait: how long a read waits for a replica that has replayed its token.
        max_lag_bytes, max_lag: a replica that is further behind serves nobody.
        return_below: the part of both limits within which it serves again: one that is near them does not come and go.
        silence: after so long without an answer nothing is sent to a server.
        token_lifetime: how long a token counts. More than `max_lag`: a read that comes with an expired one sees its
            write all the same, because no replica is that far behind.
        failures: errors in a row after which a replica rests.
        rest, rest_most: how long it rests first, and at most, doubled each time.
        patience: how long a connection is waited for.

    Raises:
        UsageError: a number that cannot be kept, on construction.
    """

    poll: float = 0.2
    max_wait: float = 0.05
    max_lag_bytes: int = 16 * 1024 * 1024
    max_lag: float = 10.0
    return_below: float = 0.5
    silence: float = 2.0
    token_lifetime: float = 30.0
    failures: int = 3
    rest: float = 1.0
    rest_most: float = 30.0
    patience: float = 2.0

    def __post_init__(self) -> None:
        for misfit in misfits(asdict(self)):
            raise UsageError(misfit.message, hint=misfit.hint)


class Misfit(Struct, frozen=True):
    """Settings that do not go together, by name."""

    names: tuple[str, ...]
    message: str
    hint: str


def misfits(values: Mapping[str, float]) -> Iterator[Misfit]:
    """What contradicts itself in the fields of `RoutingSettings`."""
    oldest = values["max_lag"] + values["silence"]
    if oldest >= values["token_lifetime"]:
        yield Misfit(
            ("token_lifetime", "max_lag", "silence"),
            f"tokens live {values['token_lifetime']:g} s, and replicas may be {oldest:g} s behind:"
            " an expired token would not protect its read",
            "let tokens live longer than lag and silence together",
        )
    if values["poll"] <= 0 or values["poll"] * 2 > values["silence"]:
        yield Misfit(
            ("silence", "poll"),
            f"a look every {values['poll']:g} s and silence after {values['silence']:g} s do not fit together",
            "silence is at least twice the time between two looks",
        )
    if values["rest_most"] < values["rest"]:
        message = f"a rest of {values['rest']:g} s is longer than the longest, {values['rest_most']:g} s"
        yield Misfit(("rest_most", "rest"), message, "the longest is at least the first")


class Served(Struct, frozen=True):
    """A server as declared, and the services that it serves reads of (the primary: all)."""

    name: str
    declared: Literal["primary", "replica"] = "replica"
    services: tuple[str, ...] = ()


class Standing(Struct, frozen=True):
    """What a server said of itself.

    Attributes:
        recovering: it is a standby.
        system: the cluster's system identifier.
        timeline: of a standby, the newest one it surely follows.
        position: in bytes from 0/0; of a primary where the next WAL is inserted, of a standby what is replayed.
        asked: when the question was sent (monotonic seconds); everything said was true then or later.
    """

    recovering: bool
    system: int
    timeline: int
    position: int
    asked: float


class Sight(Struct, frozen=True):
    """The last look at a server: what it said, or why it said nothing (its last words are kept beside)."""

    standing: Standing | None = None
    fault: str = ""


class Verdict(Struct, frozen=True):
    """What follows for one server.

    Attributes:
        role: "primary" for the one that takes writes, "replica" for a standby, else "none".
        usable: it may serve reads, or writes if it is the primary.
        why: in words; says the lag where it is usable.
        behind_bytes, behind: of a standby against what was last seen of the primary; None where nobody knows.
    """

    name: str
    role: Literal["primary", "replica", "none"]
    usable: bool
    why: str
    behind_bytes: int | None = None
    behind: float | None = None


class Reader(Struct, frozen=True):
    """A standby that may serve reads.

    Attributes:
        fresh: it shows all that was committed before this moment (monotonic seconds).
        behind: seconds against what was last seen of the primary.
    """

    index: int
    name: str
    position: int
    asked: float
    fresh: float
    behind: float


class View(Struct, frozen=True):
    """All that a decision needs, made anew with each look.

    Attributes:
        primary: index of the server that takes writes; None where there is none now.
        asked: when the primary was last asked.
        absence: why there is no primary; empty where there is one.
        readers: by service.
        system, timeline: of the last primary seen.
    """

    verdicts: tuple[Verdict, ...]
    readers: Mapping[str, tuple[Reader, ...]]
    primary: int | None = None
    asked: float = 0.0
    absence: str = ""
    system: int = 0
    timeline: int = 0
