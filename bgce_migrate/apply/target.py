"""The target of a run, opened: one session, what the server says, what history says."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.apply.context import Access, RunInfo
from bgce_migrate.db.history import State, read_rows, read_state, verify
from bgce_migrate.db.session import Session, connect
from bgce_migrate.db.statements import identifier
from bgce_migrate.db.target import (
    BOOKKEEPING_VERSION,
    Facts,
    read_facts,
    require_changeable,
    require_recorded,
)
from bgce_migrate.errors import HistoryBroken, Problem, Refused
from bgce_migrate.outcome import Head

#: Where a setting comes from, in words (pg_settings.source).
_SOURCES = {"user": "role", "database user": "role in this database", "client": "address"}


class Address(Struct, frozen=True):
    """Where the database is and how its bookkeeping is called.

    Attributes:
        conninfo: for libpq; empty lets libpq's own variables decide.
        mode: "role" or "login" (design section 6, Identity).
        passwords: by login, in mode `login`.
        public_url: of a server of our own, for programs in any language; its secret is ours to show.
    """

    conninfo: str
    schema: str = "bgce_migrate"
    mode: str = "role"
    passwords: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    public_url: str | None = None


class Target(Struct):
    """An open target. `state` has no `meta` where nothing was ever recorded."""

    address: Address
    control: Session
    facts: Facts
    state: State

    @property
    def layout(self) -> str:
        """`guarded`, `plain`, or `none` before the first run."""
        return self.state.meta.layout if self.state.meta else "none"

    def access(self, info: RunInfo) -> Access:
        """How the sessions of a run are opened."""
        a = self.address
        return Access(a.conninfo, a.schema, self.layout, a.mode, a.passwords, info.application_name)

    def reread(self) -> None:
        """Read the history again."""
        self.state = read_state(self.control)

    def close(self) -> None:
        """End the session."""
        self.control.close()

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self) -> dict[str, str]:
        """For receipts: which cluster, database and login."""
        f = self.facts
        return {
            "system_identifier": f.system_identifier,
            "database": f.database,
            "timeline": str(f.timeline),
            "server_version": str(f.server_version),
            "login": f.login,
            "layout": self.layout,
        }


def open_target(address: Address, *, name: str = "bgce-migrate", check: bool = True) -> Target:
    """Connect, read who answers and what is recorded. Three round trips.

    Args:
        check: refuse what may not be changed, and another target than the recorded one.

    Raises:
        Unavailable: no server answers.
        Refused: see `require_changeable` and `require_recorded`.
    """
    control = connect(address.conninfo, address.schema, name=name)
    try:
        facts = read_facts(control)
        if check:
            require_changeable(facts)
        if not facts.pooled:
            # A run may wait long for another one; behind a pooler the setting would stay for others.
            control.execute("SELECT set_config('idle_session_timeout', '0', false)")
        state = read_state(control) if facts.has_bookkeeping else State()
        if check and state.meta is not None:
            require_recorded(facts, state.meta)
    except BaseException:
        control.close()
        raise
    return Target(address, control, facts, state)


def require_writable(target: Target) -> None:
    """Refuse a target whose default is read-only."""
    if target.facts.read_only:
        name, login = target.facts.database, target.facts.login
        source = target.control.ask("target", "read_only_source")[0][0] or ""
        reset = {
            "user": f"ALTER ROLE {identifier(login)} RESET default_transaction_read_only",
            "database": f"ALTER DATABASE {identifier(name)} RESET default_transaction_read_only",
            "database user": f"ALTER ROLE {identifier(login)} IN DATABASE {identifier(name)}"
            " RESET default_transaction_read_only",
        }.get(source, "take default_transaction_read_only out of the server's configuration or the address")
        raise Refused(
            f"{name} is read-only by default for {login}: default_transaction_read_only comes from the"
            f" {_SOURCES.get(source, source)}",
            hint=f"give the address of a database that may be changed; or, if this is the one: {reset}",
        )


def ensure_bookkeeping(target: Target) -> None:
    """Make the bookkeeping in layout plain where there is none; safe when many try at once."""
    if target.state.meta is None:
        from bgce_migrate.apply.plain import create_plain

        create_plain(target.control, target.facts, target.address.schema)
        target.reread()
    elif target.state.meta.version < BOOKKEEPING_VERSION:
        from bgce_migrate.apply.plain import upgrade_plain

        if upgrade_plain(target.control, target.facts, target.state.meta, target.address.schema):
            target.reread()


def require_after(target: Target, after: Mapping[str, Head]) -> None:
    """Refuse a history that is not the one a receipt has seen, or is shorter (exit 3).

    Args:
        after: the receipt's `heads`.
    """
    faults = verify(read_rows(target.control) if target.state.meta else (), after)
    if faults:
        raise HistoryBroken(
            f"the history is not the one the receipt has seen: {faults[0]}",
            hint="look at what is missing; then bgce-migrate repair --accept-rewind REASON",
            problems=[Problem(f) for f in faults],
        )
