"""What `[notifications]` of `bgce.toml` says."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: How a run ended, as far as anybody is told.
Event = Literal["failure", "success"]
EVENTS: tuple[Event, ...] = ("failure", "success")


class Notices(Struct, frozen=True):
    """Who is told of which runs.

    Attributes:
        url_env: the variable with the webhook's URL, which is a secret.
        on: the ends of a run that are told.
        timeout: seconds, for everything from the name's lookup to the answer.
        environments: only these databases' runs; none: those of every database.
    """

    url_env: str = "BGCE_WEBHOOK_URL"
    on: tuple[Event, ...] = EVENTS
    timeout: float = 5.0
    environments: tuple[str, ...] = ()
