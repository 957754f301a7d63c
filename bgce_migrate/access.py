"""What plugins hand over or choose between: delivered folders, extra grants, endpoints and requests."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

#: The entry-point group of plugins, and pluggy's project name.
GROUP = "bgce_migrate"
#: The plugin that chooses a server when no other does; asked last, always there.
ROUTING_POLICY = "bgce_routing"
#: Names of the hooks, in the order of `hookspecs.BgceHooks`.
HOOKS = ("domain", "pre_apply", "post_apply", "grant", "routing", "metrics")
#: Those implementations of `post_apply` that take the report of a whole run.
RUN_ENDED = "post_apply(report)"

Privilege: TypeAlias = Literal[
    "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "EXECUTE"
]
PRIVILEGES: dict[str, frozenset[str]] = {
    "table": frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"}),
    "function": frozenset({"EXECUTE"}),
}
#: Privileges that change data or run foreign code on its change: only a domain's own services may have them.
WRITING = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER"})


class Delivered(Struct, frozen=True):
    """A domain's folder as an installed plugin hands it over.

    Attributes:
        folder: holds `domain.toml` and the migration files.
        plugin: the entry point's name.
        distribution: `name version` of the installed package, or None.
    """

    folder: Path
    plugin: str
    distribution: str | None = None


class Grant(Struct, frozen=True, order=True):
    """A right on one object of the domain that the `grant` hook is asked for.

    Attributes:
        grantee: the role, for example a service's login.
        privilege: in PostgreSQL's words, e.g. `SELECT`.
        name: a table or function of the asking domain, in its schema.
        kind: "table" or "function".
        columns: for a right on single columns of a table; empty for the whole table.
    """

    grantee: str
    privilege: Privilege
    name: str
    kind: Literal["table", "function"] = "table"
    columns: tuple[str, ...] = ()


class Endpoint(Struct, frozen=True):
    """A server a read or write can go to.

    Attributes:
        lag_seconds: None on the primary or when not known.
        busy: what this program has under way there.
    """

    name: str
    role: Literal["primary", "replica"]
    services: tuple[str, ...] = ()
    lag_seconds: float | None = None
    reachable: bool = True
    busy: float = 0.0


class RouteRequest(Struct, frozen=True):
    """What a service wants to do next. `max_lag_seconds` None means that any age will do."""

    service: str
    intent: Literal["read", "write"] = "read"
    max_lag_seconds: float | None = None
