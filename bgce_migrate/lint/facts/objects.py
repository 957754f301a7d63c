"""Facts about views, types, functions, triggers and what else a schema holds."""

from __future__ import annotations

from bgce_migrate.lint.facts.fact import Fact, TableFact
from bgce_migrate.lint.facts.values import Ref, Type


class Drop(Fact, frozen=True):
    """DROP; `kind` in SQL's words ("table", "materialized view"); `part` is a trigger, policy or rule."""

    kind: str
    names: tuple[Ref, ...]
    part: str = ""
    if_exists: bool = False
    cascade: bool = False
    concurrently: bool = False


class Rename(Fact, frozen=True):
    """ALTER ... RENAME; `kind` is what is renamed, `part` the column, constraint or trigger.

    Attributes:
        said: the word after ALTER where it is not `kind`: ALTER TABLE can rename an index.
    """

    kind: str
    name: Ref
    to: str
    part: str = ""
    said: str = ""


class SetSchema(Fact, frozen=True):
    """ALTER ... SET SCHEMA."""

    kind: str
    name: Ref
    to: str


class ChangeOwner(Fact, frozen=True):
    """ALTER ... OWNER TO, of anything but a relation."""

    kind: str
    name: Ref
    to: str


class CreateFunction(Fact, frozen=True):
    """CREATE FUNCTION or PROCEDURE; `config` are the SET clauses as (name, values)."""

    name: Ref
    language: str = "sql"
    replace: bool = False
    procedure: bool = False
    volatility: str = "volatile"
    security_definer: bool = False
    config: tuple[tuple[str, tuple[str, ...]], ...] = ()
    arguments: tuple[str, ...] = ()
    defaults: int = 0
    returns: str = ""


class AlterFunction(Fact, frozen=True):
    """ALTER FUNCTION; None or "" where something is not said."""

    name: Ref
    volatility: str = ""
    security_definer: bool | None = None
    config: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Refresh(TableFact, frozen=True):
    """REFRESH MATERIALIZED VIEW."""

    concurrently: bool = False
    no_data: bool = False


class CreateView(TableFact, frozen=True):
    """CREATE VIEW or MATERIALIZED VIEW.

    Attributes:
        columns: output names in order; "*" where they cannot be seen.
        sources: relations it reads.
        uses: columns it mentions, with their relation where that can be told; "*" for all.
    """

    replace: bool = False
    materialized: bool = False
    if_not_exists: bool = False
    temporary: bool = False
    columns: tuple[str, ...] = ()
    sources: tuple[Ref, ...] = ()
    uses: tuple[tuple[Ref | None, str], ...] = ()
    options: tuple[str, ...] = ()


class CreateEnum(Fact, frozen=True):
    """CREATE TYPE ... AS ENUM."""

    name: Ref
    values: tuple[str, ...] = ()


class EnumValue(Fact, frozen=True):
    """ALTER TYPE ... ADD VALUE, or RENAME VALUE (`old` is given)."""

    name: Ref
    value: str
    old: str = ""
    placed: bool = False
    if_not_exists: bool = False


class CreateDomain(Fact, frozen=True):
    """CREATE DOMAIN."""

    name: Ref
    type: Type
    constrained: bool = False


class AlterDomain(Fact, frozen=True):
    """ALTER DOMAIN; `what`: default, set not null, drop not null, add, drop, validate."""

    name: Ref
    what: str
    valid: bool = True
    constraint: str = ""


class CreateType(Fact, frozen=True):
    """CREATE TYPE, but for enums and domains: composite, range, base."""

    name: Ref
    kind: str = "composite"


class CreateTrigger(TableFact, frozen=True):
    """CREATE TRIGGER."""

    name: str
    function: Ref
    replace: bool = False
    constraint: bool = False


class Policy(TableFact, frozen=True):
    """CREATE or ALTER POLICY."""

    name: str
    alter: bool = False


class CreateRule(TableFact, frozen=True):
    """CREATE RULE."""

    name: str
    replace: bool = False


class Sequence(Fact, frozen=True):
    """CREATE or ALTER SEQUENCE; `owned_by` is table and column."""

    name: Ref
    alter: bool = False
    owned_by: tuple[Ref, str] | None = None
    if_not_exists: bool = False


class Extension(Fact, frozen=True):
    """CREATE or ALTER EXTENSION; `what` is create, update or contents."""

    name: str
    what: str
    if_not_exists: bool = False


class CreateSchema(Fact, frozen=True):
    """CREATE SCHEMA."""

    name: str
    if_not_exists: bool = False


class Publication(Fact, frozen=True):
    """CREATE or ALTER PUBLICATION; `what` is create, set, add or drop."""

    name: str
    what: str = "create"
    all_tables: bool = False
    tables: tuple[tuple[Ref, tuple[str, ...]], ...] = ()


class Comment(Fact, frozen=True):
    """COMMENT ON."""

    kind: str
    name: Ref
