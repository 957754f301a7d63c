"""One look at all servers, and what each service would get now."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.db.session import endpoint, shown
from bgce_migrate.errors import Unavailable
from bgce_migrate.host import Host
from bgce_migrate.router.deciding import Choice, Decider
from bgce_migrate.router.declared import Places
from bgce_migrate.router.watching import look_once
from bgce_migrate.routing import RoutingSettings, Signer, View

#: A look at a dead server takes seconds; those that answered at once are no older for it.
_PATIENT = 15.0


class Answer(Struct, frozen=True):
    """Where a service's writes and reads go now; None where nowhere, and then `why` says it."""

    service: str
    write: Choice | None
    read: Choice | None
    why: str = ""


class Shown(Struct, frozen=True):
    """The servers as they stand, and the answer for each service."""

    places: Places
    view: View
    answers: tuple[Answer, ...]

    def place(self, index: int) -> str:
        """Host, port, database and user of a server."""
        return shown(self.places.conninfos[index])


def show(places: Places, host: Host | None, services: Sequence[str], settings: RoutingSettings | None = None) -> Shown:
    """Ask every server once, all at the same time."""
    usual = settings or RoutingSettings()
    silence = max(usual.silence, _PATIENT)
    patient = replace(usual, silence=silence, token_lifetime=usual.token_lifetime + silence)
    decider = Decider(places, patient, Signer(), host)
    for index, sight in enumerate(look_once(places.conninfos)):
        decider.tell(index, sight)
    return Shown(places, decider.view, tuple(_answer(decider, service) for service in services))


def by_declaration(places: Places, service: str) -> Answer:
    """What the declarations say, without asking a server: the first of a service's replicas, else the primary."""
    write = Choice(0, places.servers[0].name, "writes go to the primary")
    for index, server in enumerate(places.servers):
        if service in server.services:
            return Answer(service, write, Choice(index, server.name, "declared"))
    return Answer(service, write, Choice(0, write.server, "no replica is declared for it"))


def address(places: Places, choice: Choice, service: str) -> dict[str, str]:
    """`host`, `port`, `dbname`, `user` and what is said of TLS, for a service's own login; never a password.

    Raises:
        UsageError: the address names several servers.
    """
    known = endpoint(places.conninfos[choice.index])
    return {**known, "user": places.logins.get(service, "")}


def _answer(decider: Decider, service: str) -> Answer:
    write = read = None
    why = ""
    try:
        read = decider.choose(service, "read")
        write = decider.choose(service, "write")
    except Unavailable as error:
        why = error.message
    return Answer(service, write, read, why)
