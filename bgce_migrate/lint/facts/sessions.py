"""Facts about data, rights, settings, maintenance and transactions."""

from __future__ import annotations

from bgce_migrate.lint.facts.fact import Fact, TableFact
from bgce_migrate.lint.facts.values import Ref


class Dml(TableFact, frozen=True):
    """INSERT, UPDATE, DELETE, MERGE or COPY FROM.

    Attributes:
        kind: "insert", "update", "delete", "merge" or "copy".
        where: "none", "always" (a tautology), or "some".
        columns: the columns it sets.
        literals: columns that an INSERT gives a constant.
        listed: False for an INSERT without a column list.
        sources: relations it reads.
    """

    kind: str
    where: str = "some"
    columns: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    listed: bool = True
    overriding: bool = False
    default_values: bool = False
    sources: tuple[Ref, ...] = ()
    nested: bool = False


class Select(Fact, frozen=True):
    """A query: the functions of its target list, the relations of FROM, the relations it locks."""

    functions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sources: tuple[Ref, ...] = ()
    locks: bool = False


class Grant(Fact, frozen=True):
    """GRANT or REVOKE on objects.

    Attributes:
        scope: "objects", "all in schema" or "defaults".
        privileges: empty for ALL.
        grantees: role names; "public" for PUBLIC.
    """

    kind: str
    names: tuple[Ref, ...]
    privileges: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    grantees: tuple[str, ...] = ()
    revoke: bool = False
    option: bool = False
    scope: str = "objects"


class Role(Fact, frozen=True):
    """A statement about roles.

    Attributes:
        what: create, alter, drop, grant, revoke, set, reassign owned, drop owned.
        names: the roles it is about.
        options: attributes in lower case: superuser, bypassrls, password ...
        password: a password stands in the text.
    """

    what: str
    names: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    password: bool = False


class Secret(Fact, frozen=True):
    """A statement that may carry a secret in its options: CREATE USER MAPPING, SERVER, SUBSCRIPTION."""

    kind: str
    name: str
    password: bool = False


class Do(Fact, frozen=True):
    """A DO block. What it runs follows as facts of their own, with `inside="DO"`.

    Attributes:
        problem: why the body cannot be read, "" if it can.
        dynamic: lines with EXECUTE of a text that is not constant.
    """

    language: str = "plpgsql"
    problem: str = ""
    dynamic: tuple[int, ...] = ()


class SetVariable(Fact, frozen=True):
    """SET, RESET and set_config(): `values` is empty for RESET and DEFAULT; the name "all" for RESET ALL."""

    name: str
    values: tuple[str, ...] = ()
    local: bool = False
    reset: bool = False
    called: bool = False


class Vacuum(Fact, frozen=True):
    """VACUUM and ANALYZE."""

    tables: tuple[Ref, ...] = ()
    full: bool = False
    analyze_only: bool = False


class Cluster(Fact, frozen=True):
    """CLUSTER; `table` is None for all."""

    table: Ref | None = None


class Reindex(Fact, frozen=True):
    """REINDEX; `kind` is index, table, schema, system or database."""

    kind: str
    name: Ref
    concurrently: bool = False


class Transaction(Fact, frozen=True):
    """BEGIN, COMMIT and the like; `wraps` if it belongs to one pair around the whole file."""

    word: str
    wraps: bool = False


class ServerWide(Fact, frozen=True):
    """What reaches past the database's own objects.

    `what`: alter system, alter database, alter role set, database, tablespace, event trigger, language,
    foreign server, copy program.
    """

    what: str
    name: str = ""


class Discard(Fact, frozen=True):
    """DISCARD; `what` is all, plans, sequences or temp."""

    what: str


class Other(Fact, frozen=True):
    """A statement without a fact of its own, under its parse node's name."""

    kind: str
