"""A PostgreSQL server that we started, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Server:
    """A server of provider `embedded`, `local` or `docker`.

    Attributes:
        name: tells several servers of one root apart.
        version: as the programs say it, e.g. "18.4".
        socket_dir: folder of its unix socket; None for docker.
        data: its data directory, or for docker the name of the container.
        admin: its superuser; no step ever runs as this role.
        pid: of the postmaster; None while it is stopped.
        notes: what the user should be told about where and how it runs.
    """

    provider: str
    name: str
    major: int
    version: str
    host: str
    port: int
    socket_dir: Path | None
    data: str
    admin: str
    admin_password: str = field(repr=False)
    pid: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """Whether it ran when this value was made."""
        return self.pid is not None

    def url(self, role: str | None = None, password: str | None = None, database: str = "postgres") -> str:
        """A connection URL for programs in any language, percent-encoded.

        Without `role` it is the administrator's, with its password. `sslmode=disable` is said aloud because
        the server speaks no TLS and some drivers (Go's lib/pq) would insist on it.
        """
        if role is None:
            role, password = self.admin, password or self.admin_password
        secret = f":{quote(password, safe='')}" if password else ""
        where = f"{self.host}:{self.port}/{quote(database, safe='')}"
        return f"postgresql://{quote(role, safe='')}{secret}@{where}?sslmode=disable"
