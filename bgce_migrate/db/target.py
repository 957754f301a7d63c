"""What the target is: server, cluster, role and layout; and whether it may be changed at all."""

from __future__ import annotations

from msgspec import Struct

from bgce_migrate.db.session import Session
from bgce_migrate.errors import Refused

OLDEST = 14
NEWEST_TESTED = 18

#: The version of the tables and functions in db/sql/bookkeeping.sql.
BOOKKEEPING_VERSION = 5


class Facts(Struct, frozen=True):
    """What one query says about server, database and login."""

    server_version: int
    standby: bool
    read_only: bool
    system_identifier: str
    database_oid: int
    database: str
    timeline: int
    backend_pid: int
    login: str
    superuser: bool
    encoding: str
    time_zone: str
    has_bookkeeping: bool
    may_create_schema: bool
    pooled: bool
    may_mark: bool = False  # may make restore points

    @property
    def major(self) -> int:
        """The server's major version, e.g. 16."""
        return self.server_version // 10000


class Meta(Struct, frozen=True):
    """The bookkeeping's own row: version, layout and the target it was made for."""

    version: int
    layout: str
    system_identifier: str
    database_oid: int
    database: str
    timeline: int


def read_facts(session: Session) -> Facts:
    """One round trip."""
    row = session.ask("target", "facts", session.schema)[0]
    v = [x or "" for x in row]
    return Facts(
        server_version=int(v[0]),
        standby=v[1] == "true",
        read_only=v[2] == "on",
        system_identifier=v[3],
        database_oid=int(v[4]),
        database=v[5],
        timeline=int(v[6]),
        backend_pid=int(v[7]),
        login=v[8],
        superuser=v[9] == "true",
        encoding=v[10],
        time_zone=v[11],
        has_bookkeeping=v[12] == "true",
        may_create_schema=v[13] == "true",
        pooled=int(v[7]) != session.libpq_pid,
        may_mark=v[14] == "true",
    )


def read_meta(session: Session) -> Meta:
    """The bookkeeping's row; call only when `Facts.has_bookkeeping`."""
    return meta_of(session.ask("history", "meta")[0])


def meta_of(row: tuple[str | None, ...]) -> Meta:
    """A row of the query `meta` as a value."""
    v = [x or "" for x in row]
    return Meta(int(v[0]), v[1], v[2], int(v[3]), v[4], int(v[5]))


def require_changeable(facts: Facts) -> None:
    """Refuse a standby, a read-only target and a server that is too old (exit 3)."""
    if facts.major < OLDEST:
        raise Refused(
            f"the server is PostgreSQL {facts.major}; {OLDEST} is the oldest that works",
            hint="upgrade the server",
        )
    if facts.standby:
        raise Refused(
            f"{facts.database} is a standby: it takes no changes",
            hint="give the primary's address, or target_session_attrs=read-write with all hosts",
        )
    if facts.encoding not in ("UTF8", "SQL_ASCII"):
        raise Refused(f"database {facts.database} has encoding {facts.encoding}; migrations are UTF-8")


def require_recorded(facts: Facts, meta: Meta) -> None:
    """Refuse another cluster or database than the one on record, or an older timeline (exit 3)."""
    if meta.version < BOOKKEEPING_VERSION and meta.layout == "guarded":
        raise Refused(
            f"the bookkeeping is of version {meta.version}, this program needs {BOOKKEEPING_VERSION}",
            hint="an administrator runs once: bgce-migrate bootstrap",
        )
    if meta.version > BOOKKEEPING_VERSION:
        raise Refused(
            f"the bookkeeping is of version {meta.version}, this program knows {BOOKKEEPING_VERSION}",
            hint="use a newer bgce-migrate",
        )
    recorded = (meta.system_identifier, meta.database_oid, meta.database)
    found = (facts.system_identifier, facts.database_oid, facts.database)
    if recorded != found:
        raise Refused(
            f"this is database {facts.database} (oid {facts.database_oid}) of cluster {facts.system_identifier};"
            f" its history was written for {meta.database} (oid {meta.database_oid}) of cluster"
            f" {meta.system_identifier}",
            hint="after pg_upgrade, a restore or a blue-green switch: bgce-migrate repair --accept-cluster REASON",
        )
    if facts.timeline < meta.timeline:
        raise Refused(
            f"the cluster is on timeline {facts.timeline}, its history was last seen on {meta.timeline}:"
            " an older state was brought back",
            hint="look at what is missing, then: bgce-migrate repair --accept-rewind REASON",
        )
