"""Where reads and writes go, as lines, as an address, as variables and as a document."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from bgce_migrate.report.table import Column

if TYPE_CHECKING:
    from bgce_migrate.router import Answer, Choice, Shown

SERVICES = (Column("service"), Column("writes"), Column("reads"), Column("why"))
SERVERS = (Column("server"), Column("role"), Column("place"), Column("how it stands"))
#: Our keys, and the words of the variables.
_WORDS = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "sslmode": "SSLMODE", "sslrootcert": "SSLROOTCERT"}


def service_rows(shown: Shown) -> list[tuple[str, str, str, str]]:
    """One row a service."""
    return [
        (a.service, a.write.server if a.write else "nowhere", a.read.server if a.read else "nowhere",
         a.why or (a.read.why if a.read else ""))
        for a in shown.answers
    ]  # fmt: skip


def server_rows(shown: Shown) -> list[tuple[str, str, str, str]]:
    """One row a server."""
    return [(v.name, v.role, shown.place(i), v.why) for i, v in enumerate(shown.view.verdicts)]


def document(shown: Shown) -> dict[str, object]:
    """All of it."""
    return {
        "timeline": shown.view.timeline,
        "services": [
            {"service": a.service, "write": _choice(a.write), "read": _choice(a.read), "why": a.why} for a in shown.answers
        ],
        "servers": [
            {"name": v.name, "role": v.role, "usable": v.usable, "why": v.why, "place": shown.place(i),
             "behind_bytes": v.behind_bytes, "behind_seconds": v.behind}
            for i, v in enumerate(shown.view.verdicts)
        ],
        "missing": list(shown.places.missing),
    }  # fmt: skip


def warnings(answers: tuple[Answer, ...]) -> list[str]:
    """What plugins did wrong, each once."""
    said = [w for a in answers for choice in (a.read, a.write) if choice is not None for w in choice.warnings]
    return list(dict.fromkeys(said))


def url(address: Mapping[str, str]) -> str:
    """A URL without a password."""
    more = [(key, value) for key, value in address.items() if key in ("sslmode", "sslrootcert")]
    host = address["host"]
    if host.startswith("/"):  # the folder of a socket
        more.insert(0, ("host", host))
        host = ""
    elif ":" in host and not host.startswith("["):
        host = f"[{host}]"
    user = f"{quote(address['user'], safe='')}@" if address["user"] else ""
    query = "&".join(f"{key}={quote(value, safe='/')}" for key, value in more)
    place = f"{user}{host}:{address['port']}/{quote(address['dbname'], safe='')}"
    return f"postgresql://{place}" + (f"?{query}" if query else "")


def variables(prefix: str, address: Mapping[str, str]) -> list[str]:
    """`READ_DB_HOST=...` and so on, quoted for a shell where that is needed; never a password."""
    return [f"{prefix}_DB_{word}={shlex.quote(address[key])}" for key, word in _WORDS.items() if address.get(key)]


def _choice(choice: Choice | None) -> dict[str, str] | None:
    return None if choice is None else {"server": choice.server, "why": choice.why}
