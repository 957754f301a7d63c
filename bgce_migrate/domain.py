"""What a domain declares: its tables, services, readers and dependencies, as frozen values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct, field

ColumnClass: TypeAlias = Literal["public", "contact", "private", "secret"]
COLUMN_CLASSES: tuple[ColumnClass, ...] = ("public", "contact", "private", "secret")

#: Domain and service names become role names (`<name>_owner`, `<name>_migrator`), so they must fit
#: PostgreSQL's 63 bytes with the longest suffix and never need quoting.
NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,50}\Z")
RESERVED_NAMES = frozenset({"public", "none", "current_user", "session_user", "user", "all", "bgce"})


def name_fault(name: str) -> str | None:
    """Why `name` cannot be a domain's or a service's name, or None if it can."""
    if not NAME_PATTERN.match(name):
        shown = name.encode("ascii", "backslashreplace").decode()
        return f"'{shown}' is not a name of the form [a-z][a-z0-9_]* with at most 51 characters"
    if name in RESERVED_NAMES or name.startswith("pg_"):
        return f"'{name}' is reserved"
    return None


class Table(Struct, frozen=True):
    """A declared table.

    Attributes:
        columns: only columns whose class is not `public`.
        named: all columns whose class is written down, `public` ones, too.
    """

    name: str
    columns: Mapping[str, ColumnClass] = field(default_factory=lambda: MappingProxyType({}))
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    named: frozenset[str] = frozenset()


class Read(Struct, frozen=True):
    """A declared read: `domain:table`, `domain:table(col, col)`, `domain:table.set` or `domain:*`.

    `columns` is None for all public columns; a set is kept by name in `set_name`.
    """

    domain: str
    table: str
    columns: tuple[str, ...] | None = None
    set_name: str | None = None


class Service(Struct, frozen=True):
    """A program that logs in. `writes` and `reads` are resolved from the declaration."""

    name: str
    login: str
    pool: int | None = None
    writes: tuple[str, ...] = ()
    reads: tuple[Read, ...] = ()
    calls: tuple[str, ...] = ()

    @property
    def second_login(self) -> str:
        """The login that takes turns with `login` when passwords change: a member of it, with the same rights."""
        return f"{self.login}_b"


class Domain(Struct, frozen=True):
    """The unit of ownership: a folder of migrations and what it declares.

    Attributes:
        name: one word, used for folder, roles, history (`service_name`) and metrics.
        folder: where its migration files are.
        rank: its place in `domains` of `bgce.toml`; breaks ties in the order.
        declared: False for a plain folder without `domain.toml` (ownership rules are off).
        distribution: `name version` of the installed package that delivered it, or None.
    """

    name: str
    folder: Path
    rank: int = 0
    title: str = ""
    team: str = ""
    requires: tuple[str, ...] = ()
    schema: str = "public"
    tables: Mapping[str, Table] = field(default_factory=lambda: MappingProxyType({}))
    services: tuple[Service, ...] = ()
    functions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    loose: tuple[str, ...] = ()
    shares: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    declared: bool = True
    distribution: str | None = None

    @property
    def owner(self) -> str:
        """The role that owns the domain's objects (never logs in)."""
        return f"{self.name}_owner"

    @property
    def migrator(self) -> str:
        """The login of mode `login` that runs this domain's steps."""
        return f"{self.name}_migrator"
