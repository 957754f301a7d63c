"""A connection with our named queries; where psycopg's connection errors become ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bgce_migrate.db import queries, wire
from bgce_migrate.db.wire import Command, Reply
from bgce_migrate.errors import Unavailable, UsageError

CONNECT_TIMEOUT = 10  # seconds

#: A half-open connection is noticed by both sides in about this time (milliseconds); TCP only.
TCP_USER_TIMEOUT = 10_000
#: Without these nobody notices who only waits for an answer; seconds, but the count.
KEEPALIVE = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3"}
#: The same for the server's side, to be set in a transaction.
SERVER_KEEPALIVE = {**{f"tcp_{name}": value for name, value in KEEPALIVE.items()}, "tcp_user_timeout": str(TCP_USER_TIMEOUT)}

_CATALOG_NAMES = {"bigint": "int8", "integer": "int4"}

Rows = tuple[tuple[str | None, ...], ...]


def parameters(conninfo: str) -> dict[str, str]:
    """The connection string's keywords. Never echoes it: it may hold a password.

    Raises:
        UsageError: libpq cannot read it.
    """
    try:
        return {k: str(v) for k, v in conninfo_to_dict(conninfo).items() if v is not None}
    except psycopg.ProgrammingError:
        raise UsageError(
            "the database address cannot be read",
            hint="use postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special characters percent-encoded, or"
            " libpq's PG* variables",
        ) from None


def endpoint(conninfo: str) -> dict[str, str]:
    """`host`, `port`, `dbname` and what is said of TLS, with libpq's defaults and variables where nothing is.

    Raises:
        UsageError: the address names several servers, or cannot be read.
    """
    said = parameters(conninfo)
    usual = {o.keyword.decode(): o.val.decode() for o in psycopg.pq.Conninfo.get_defaults() if o.val is not None}
    host = said.get("hostaddr") or said.get("host") or usual.get("hostaddr") or usual.get("host") or "localhost"
    user = said.get("user") or usual.get("user", "")
    out = {
        "host": host,
        "port": said.get("port") or usual.get("port") or "5432",
        "dbname": said.get("dbname") or usual.get("dbname") or user,
    }
    if "," in host or "," in out["port"]:
        raise UsageError(
            f"the address names several servers: {host}",
            hint="a pooler needs the one that takes writes, or a name that always leads to it",
        )
    return {**{k: said[k] for k in ("sslmode", "sslrootcert") if said.get(k)}, **out}


def in_database(conninfo: str, name: str) -> str:
    """The same server and login, another database."""
    return make_conninfo(**{**parameters(conninfo), "dbname": name})


def shown(conninfo: str) -> str:
    """Host, port, database and user of a connection string: all that is ever printed of it."""
    p = parameters(conninfo)
    place = f"{p.get('host') or p.get('hostaddr') or 'default host'}:{p.get('port', '5432')}"
    return f"{place}/{p.get('dbname', '')} as {p.get('user', 'default user')}"


@cache
def sql(file: str, name: str, schema: str) -> str:
    """A named query with the bookkeeping schema filled in."""
    from bgce_migrate.db.statements import identifier

    return queries.load(file)[name].replace("{schema}", identifier(schema))


def connect(
    conninfo: str, schema: str, *, user: str | None = None, password: str | None = None, name: str = "bgce-migrate"
) -> Session:
    """Open a session in autocommit mode.

    Args:
        user: log in as this role instead of the one in `conninfo` (mode `login`).
        password: with `user`; None leaves it to libpq (.pgpass, certificate).

    Raises:
        Unavailable: no connection; says host, port, database and user, never more.
    """
    known = parameters(conninfo)
    known.setdefault("connect_timeout", str(CONNECT_TIMEOUT))
    known.setdefault("tcp_user_timeout", str(TCP_USER_TIMEOUT))
    for key, value in KEEPALIVE.items():
        known.setdefault(key, value)
    known.setdefault("application_name", name)
    if user is not None:
        known["user"] = user
        known.pop("password", None)
        if password is not None:
            known["password"] = password
    try:
        connection = psycopg.connect(make_conninfo(**known), autocommit=True, prepare_threshold=None)
    except psycopg.OperationalError as error:
        raise _unavailable(make_conninfo(**known), error) from None
    return Session(connection, schema)


def _unavailable(conninfo: str, error: psycopg.OperationalError) -> Unavailable:
    text = str(error).strip()
    # libpq names host and user in its messages, never the password; keep the server's own words only.
    reason = text.splitlines()[0].rsplit("failed: ", 1)[-1].removeprefix("FATAL:").strip() if text else "no answer"
    hint = "check that the server runs and the address is right; nothing was changed"
    if "password authentication failed" in text or "no password supplied" in text:
        hint = "check the user's password (PGPASSWORD, .pgpass or the URL)"
    elif "does not exist" in reason:
        hint = "`bgce-migrate bootstrap` creates the database and its roles"
    elif "too many clients" in reason or "remaining connection slots" in reason:
        hint = "the server has no free connection; try again later or raise max_connections"
    return Unavailable(f"cannot connect to {shown(conninfo)}: {reason}", hint=hint)


class Session:
    """One connection to one database, with the bookkeeping schema's name."""

    def __init__(self, connection: psycopg.Connection[object], schema: str) -> None:
        self.connection = connection
        self.schema = schema
        #: Told by the server at connect; behind a transaction pooler it differs from pg_backend_pid().
        self.libpq_pid = connection.pgconn.backend_pid
        self.server_version = connection.pgconn.server_version
        #: Warnings of the server since somebody last emptied the list: (SQLSTATE, message, detail).
        self.warnings: list[tuple[str, str, str]] = []
        connection.add_notice_handler(self._noticed)

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self.warnings.append((notice.sqlstate or "", notice.message_primary or "", notice.message_detail or ""))

    def query(self, file: str, name: str) -> str:
        """The text of a named query."""
        return sql(file, name, self.schema)

    def ask(self, file: str, name: str, *params: str | None) -> Rows:
        """Run one named query and return its rows as text."""
        return self.run([Command(self.query(file, name), params)])[0].rows

    def run(
        self,
        commands: Sequence[Command],
        *,
        on_reply: Callable[[int, Reply], None] | None = None,
        on_tick: Callable[[float], None] | None = None,
    ) -> list[Reply]:
        """One pipeline round trip; see `wire.run`."""
        return wire.run(self.connection, commands, on_reply=on_reply, on_tick=on_tick)

    def execute(self, text: str, *params: str | None) -> Rows:
        """Run one statement."""
        return self.run([Command(text, params)])[0].rows

    def call(self, function: str, *args: tuple[str, str | None], keep_rows: bool = True) -> Command:
        """A call of one of our functions; each argument is (type, value)."""
        from bgce_migrate.db.statements import identifier

        # Spelled out: a step may have made a type of the same name for the session.
        places = ", ".join(f"${i}::pg_catalog.{_CATALOG_NAMES.get(kind, kind)}" for i, (kind, _) in enumerate(args, 1))
        return Command(
            f"SELECT * FROM {identifier(self.schema)}.{function}({places})", tuple(value for _, value in args), keep_rows
        )

    def cancel(self) -> None:
        """Ask the server to cancel what runs on this connection."""
        self.connection.cancel_safe(timeout=5.0)

    @property
    def usable(self) -> bool:
        """False once the connection is closed or broken."""
        return not self.connection.closed and self.connection.pgconn.status == psycopg.pq.ConnStatus.OK

    def close(self) -> None:
        """End the session; an open transaction rolls back."""
        self.connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
